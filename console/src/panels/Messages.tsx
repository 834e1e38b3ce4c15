// What persons say to each other, and what is said next.
import { createEffect, createSignal, For, on, Show } from "solid-js";
import { partyColour } from "../colours";
import { dealings, spokenOf } from "../dealings";
import { known } from "../node";
import { clockTime, t } from "../phrases";
import { act } from "../session";
import type { Spoken } from "../types";
import { Said, useWriter } from "./Said";

const what = (s: Spoken): string => {
  const to = s.deed.to && s.deed.to.length > 0 ? s.deed.to.join(", ") : t("everyone");
  switch (s.kind) {
    case "message": return t("said-to", { to });
    case "request": return s.deed.read_back ? t("asked-with-read-back", { to }) : t("asked-of", { to });
    case "communication-check": return t("check-of", { to });
    case "answer": return t(`answer-${s.deed.reply?.how ?? "read"}`, { statement: s.deed.statement ?? "" });
    case "position": return t("position-about", { about: s.deed.about ?? "" });
    case "vote": return t("voted", { choice: t(`vote-${s.deed.choice ?? "abstain"}`), proposal: s.deed.proposal ?? "" });
    case "case": return t(`step-${s.deed.step?.step ?? "open"}`, { case: s.deed.case ?? "" });
    default: return t(`said-${s.kind}`);
  }
};

const Line = (props: { said: Spoken }) => {
  const s = () => props.said;
  const words = () => s().deed.words ?? s().deed.reply?.words ?? s().deed.step?.words;
  const answered = () => (s().kind === "answer" ? spokenOf(s().deed.statement ?? "") : undefined);
  return (
    <li class={`said ${s().kind}`} data-testid="spoken" data-kind={s().kind} data-statement={s().statement}>
      <div class="by">
        <span class="time">{clockTime(s().time_ms)}</span>
        <strong style={{ color: partyColour(known.parties, s().party) }}>{s().party}</strong>
        <span>{s().name}</span>
        <span class="what">{what(s())}</span>
      </div>
      <Show when={words()}>{(w) => <Said words={w()} />}</Show>
      <Show when={s().deed.reply?.essentials}>
        {(e) => <span class="words">{Object.entries(e()).map(([n, v]) => `${t(`parameter-${n}`)}: ${v}`).join(" · ")}</span>}
      </Show>
      <Show when={answered()?.deed.words}>{(w) => <div class="quoted"><Said words={w()} /></div>}</Show>
    </li>
  );
};

export const Messages = () => {
  const [to, setTo] = createSignal("");
  const [asks, setAsks] = createSignal(false);
  const [readBack, setReadBack] = createSignal(true);
  const [why, setWhy] = createSignal<string | null>(null);
  const writer = useWriter(["message", "request"]);
  const isRequest = () => (writer.chosen() ? writer.chosen()?.kind === "request" : asks());
  const readsBack = () => isRequest() && readBack() && Object.keys(writer.words().parameters).length > 0;
  let list: HTMLOListElement | undefined;
  createEffect(on(() => dealings.spoken.length, () => list?.scrollTo({ top: list.scrollHeight })));
  const others = () => known.parties.filter((p) => p !== known.party);
  const send = async (e: SubmitEvent) => {
    e.preventDefault();
    const everyone = isRequest() ? others() : [];
    const deed = { do: isRequest() ? "request" : "message", to: to() === "" ? everyone : [to()], words: writer.words() };
    const failed = await act(isRequest() ? { ...deed, read_back: readsBack() } : deed);
    setWhy(failed);
    if (failed === null) writer.clear();
  };
  return (
    <div class="messages">
      <ol ref={list} class="conversation">
        <For each={dealings.spoken} fallback={<li class="none">{t("nothing-said")}</li>}>{(s) => <Line said={s} />}</For>
      </ol>
      <form class="compose" onSubmit={send}>
        <div class="row">
          <select aria-label={t("to")} value={to()} onChange={(e) => setTo(e.currentTarget.value)} data-testid="to">
            <option value="">{t("everyone")}</option>
            <For each={others()}>{(p) => <option value={p}>{p}</option>}</For>
          </select>
          <Show when={!writer.chosen()}>
            <label><input type="checkbox" checked={asks()} onChange={(e) => setAsks(e.currentTarget.checked)} /> {t("asks-for-answer")}</label>
          </Show>
          <Show when={isRequest() && Object.keys(writer.words().parameters).length > 0}>
            <label><input type="checkbox" checked={readBack()} onChange={(e) => setReadBack(e.currentTarget.checked)} /> {t("read-back")}</label>
          </Show>
          <button type="button" onClick={async () => setWhy(await act({ do: "check", to: to() === "" ? [] : [to()] }))} data-testid="check">
            {t("ask-who-is-there")}
          </button>
        </div>
        <writer.Fields />
        <div class="row">
          <Show when={why()}><span class="failure" role="alert">{why()}</span></Show>
          <span class="space" />
          <button class="main" disabled={!writer.complete()} data-testid="send">{isRequest() ? t("send-request") : t("send")}</button>
        </div>
      </form>
    </div>
  );
};
