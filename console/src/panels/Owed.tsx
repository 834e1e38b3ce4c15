// What waits for an answer: of ours first, then of others.
import { createMemo, createSignal, For, Show } from "solid-js";
import { partyColour } from "../colours";
import { dealings, spokenOf } from "../dealings";
import { known, now } from "../node";
import { clockTime, t } from "../phrases";
import { act } from "../session";
import type { Obligation } from "../types";
import { Said, useWriter } from "./Said";

export const ours = (): Obligation[] =>
  dealings.obligations.filter((o) => o.met === null && o.by === known.party && o.owed !== "vote").sort((a, b) => a.due_ms - b.due_ms);
const theirs = (): Obligation[] =>
  dealings.obligations.filter((o) => o.met === null && o.from === known.party && o.by !== known.party).sort((a, b) => a.due_ms - b.due_ms);

const due = (o: Obligation): string => {
  const s = Math.round((o.due_ms - now()) / 1000);
  if (o.missed !== null) return t(`missed-${o.missed}`);
  if (s < 0) return t("overdue", { time: `${-s} s` });
  return s < 600 ? t("due-in", { time: `${s} s` }) : t("due-at", { time: clockTime(o.due_ms) });
};

const Answer = (props: { owed: Obligation }) => {
  const o = () => props.owed;
  const [why, setWhy] = createSignal<string | null>(null);
  const [unable, setUnable] = createSignal(false);
  const [essentials, setEssentials] = createSignal<Record<string, string>>({});
  const writer = useWriter(["reason"]);
  const answer = async (deed: Record<string, unknown>) => setWhy(await act({ ...deed, statement: o().statement }));
  return (
    <div class="answer">
      <Show when={o().read_back}>
        {(expected) => (
          <div class="parameters" data-testid="read-back">
            <For each={Object.keys(expected())}>
              {(name) => (
                <label>
                  {t(`parameter-${name}`)}
                  <input
                    value={essentials()[name] ?? ""} data-testid={`essential-${name}`}
                    onInput={(e) => setEssentials({ ...essentials(), [name]: e.currentTarget.value })}
                  />
                </label>
              )}
            </For>
            <button onClick={() => void answer({ do: "read-back", essentials: essentials() })} data-testid="send-read-back">{t("read-it-back")}</button>
            <Show when={o().misread}><strong class="missed">{t("misread")}</strong></Show>
          </div>
        )}
      </Show>
      <div class="row">
        <Show when={o().owed === "read"}>
          <button class="main" onClick={() => void answer({ do: "read" })} data-testid="read-it">{t("i-have-read")}</button>
        </Show>
        <Show when={o().owed === "check"}>
          <button class="main" onClick={() => void answer({ do: "read" })} data-testid="i-am-here">{t("i-am-here")}</button>
        </Show>
        <Show when={o().owed === "answer"}>
          <Show when={o().read_ms === null}>
            <button onClick={() => void answer({ do: "read" })}>{t("i-have-read")}</button>
          </Show>
          <button class="main" disabled={o().read_back !== null} onClick={() => void answer({ do: "wilco" })} data-testid="wilco">{t("wilco")}</button>
          <button onClick={() => setUnable(!unable())} data-testid="unable">{t("unable")}</button>
        </Show>
        <Show when={o().owed === "position"}><span class="none">{t("state-in-cases")}</span></Show>
      </div>
      <Show when={unable()}>
        <writer.Fields />
        <button disabled={!writer.complete()} onClick={() => void answer({ do: "unable", words: writer.words() })} data-testid="send-unable">
          {t("unable")}
        </button>
      </Show>
      <Show when={why()}><p class="failure" role="alert">{why()}</p></Show>
    </div>
  );
};

const Row = (props: { owed: Obligation; mine: boolean }) => {
  const o = () => props.owed;
  const words = () => spokenOf(o().statement)?.deed.words;
  return (
    <li class="owed" classList={{ late: o().missed !== null || o().due_ms < now() }} data-testid="owed" data-owed={o().owed} data-mine={props.mine}>
      <div class="by">
        <strong style={{ color: partyColour(known.parties, o().from) }}>{o().from}</strong>
        <span>{t(`owes-${o().owed}`, { by: o().by })}</span>
        <span class="due">{due(o())}</span>
      </div>
      <Show when={words()} fallback={<span class="number">{o().statement}</span>}>{(w) => <Said words={w()} />}</Show>
      <Show when={props.mine}><Answer owed={o()} /></Show>
    </li>
  );
};

export const Owed = () => {
  const mine = createMemo(ours);
  const others = createMemo(theirs);
  return (
    <ol class="list">
      <For each={mine().map((o) => o.id)} fallback={<li class="none">{t("nothing-owed")}</li>}>
        {(id) => <Show when={mine().find((o) => o.id === id)}>{(o) => <Row owed={o()} mine={true} />}</Show>}
      </For>
      <Show when={others().length > 0}><li class="heading">{t("owed-by-others")}</li></Show>
      <For each={others()}>{(o) => <Row owed={o} mine={false} />}</For>
    </ol>
  );
};
