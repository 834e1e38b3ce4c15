// Proposals, votes, members and the rulebook; suspending and restoring the line.
import { createMemo, createSignal, For, Show } from "solid-js";
import { partyColour } from "../colours";
import { dealings } from "../dealings";
import { known } from "../node";
import { dayTime, t } from "../phrases";
import { act, person } from "../session";
import type { Ballot } from "../types";
import { Said, useWriter } from "./Said";

const supervisor = () => person()?.role === "supervisor";

const Row = (props: { of: Ballot }) => {
  const b = () => props.of;
  const [why, setWhy] = createSignal<string | null>(null);
  const vote = async (choice: string) => setWhy(await act({ do: "vote", proposal: b().proposal, choice }));
  return (
    <li class="case" classList={{ resolved: b().outcome !== null || b().void !== null }} data-testid="ballot" data-outcome={b().outcome ?? ""}>
      <div class="by">
        <strong style={{ color: partyColour(known.parties, b().party) }}>{b().party}</strong>
        <span>{t(`matter-${b().change.matter}`, { party: b().change.party ?? "" })} {b().proposal}</span>
        <span class="due">{b().outcome ? t(`outcome-${b().outcome}`) : t("votes-until", { time: dayTime(b().deadline_ms) })}</span>
      </div>
      <Said words={b().words} />
      <Show when={b().change.root_words}>{(w) => <p class="number">{t("compare-words", { words: w() })}</p>}</Show>
      <Show when={b().change.toml}>{(toml) => <details><summary>{t("rulebook-text")}</summary><pre>{toml()}</pre></details>}</Show>
      <Show when={b().void}>{(reason) => <p class="failure">{reason()}</p>}</Show>
      <p class="votes">
        <For each={Object.entries(b().votes)}>
          {([party, v]) => <span class={`vote ${v}`} style={{ "border-color": partyColour(known.parties, party) }}>{party}: {t(`vote-${v}`)}</span>}
        </For>
      </p>
      <Show when={b().may_vote && b().outcome === null}>
        <div class="row">
          <For each={["yes", "no", "abstain"]}>
            {(choice) => (
              <button disabled={!supervisor()} title={t("supervisor-only")} onClick={() => void vote(choice)} data-testid={`vote-${choice}`}>
                {t(`vote-${choice}`)}
              </button>
            )}
          </For>
        </div>
      </Show>
      <Show when={why()}><p class="failure" role="alert">{why()}</p></Show>
    </li>
  );
};

const New = () => {
  const writer = useWriter([]);
  const [matter, setMatter] = createSignal("resolution");
  const [text, setText] = createSignal("");
  const [hours, setHours] = createSignal("24");
  const [picked, setPicked] = createSignal("");
  const [dispute, setDispute] = createSignal<string[]>([]);
  const [why, setWhy] = createSignal<string | null>(null);
  const classes = () => Object.entries(known.rulebook?.voting ?? {}).filter(([, rule]) => rule.matters.includes(matter())).map(([name]) => name);
  const rule = () => (classes().includes(picked()) ? picked() : classes()[0] ?? "");
  const disputeCounts = () => known.rulebook?.voting[rule()]?.dispute_abstains ?? false;
  const change = () => {
    switch (matter()) {
      case "rulebook": return { matter: "rulebook", toml: text() };
      case "accession": return { matter: "accession", introduction: text() };
      case "expulsion": return { matter: "expulsion", party: text().trim() };
      default: return { matter: "resolution" };
    }
  };
  const submit = async (e: SubmitEvent) => {
    e.preventDefault();
    const failed = await act({ do: "propose", class: rule(), change: change(), words: writer.words(), within_s: Number(hours()) * 3600, dispute: disputeCounts() ? dispute() : [] });
    setWhy(failed);
    if (failed === null) {
      writer.clear();
      setText("");
    }
  };
  const say = async (what: string) => {
    const failed = await act({ do: what, words: writer.words() });
    setWhy(failed);
    if (failed === null) writer.clear();
  };
  const suspended = () => known.party in dealings.standings.suspended;
  return (
    <form class="compose" onSubmit={submit}>
      <div class="row">
        <select aria-label={t("matter")} value={matter()} onChange={(e) => setMatter(e.currentTarget.value)} data-testid="matter">
          <For each={["resolution", "rulebook", "accession", "expulsion"]}>{(m) => <option value={m}>{t(`propose-${m}`)}</option>}</For>
        </select>
        <Show when={classes().length > 1}>
          <select aria-label={t("class")} value={rule()} onChange={(e) => setPicked(e.currentTarget.value)} data-testid="class">
            <For each={classes()}>{(name) => <option value={name}>{name}</option>}</For>
          </select>
        </Show>
        <label>{t("votes-for-hours")} <input size="4" value={hours()} onInput={(e) => setHours(e.currentTarget.value)} /></label>
      </div>
      <Show when={disputeCounts()}>
        <div class="row">
          {t("parties-to-dispute")}
          <For each={known.parties}>
            {(p) => (
              <label>
                <input type="checkbox" checked={dispute().includes(p)} onChange={(e) => setDispute(e.currentTarget.checked ? [...dispute(), p] : dispute().filter((d) => d !== p))} /> {p}
              </label>
            )}
          </For>
        </div>
      </Show>
      <Show when={matter() !== "resolution"}>
        <textarea rows="3" value={text()} placeholder={t(`change-${matter()}`)} onInput={(e) => setText(e.currentTarget.value)} data-testid="change" />
      </Show>
      <writer.Fields />
      <div class="row">
        <Show when={why()}><span class="failure" role="alert">{why()}</span></Show>
        <span class="space" />
        <button type="button" disabled={!writer.complete() || !supervisor()} title={t("supervisor-only")} onClick={() => void say(suspended() ? "restore" : "suspend")} data-testid="suspend">
          {suspended() ? t("restore-line") : t("suspend-line")}
        </button>
        <button class="main" disabled={!writer.complete() || !supervisor() || !(Number(hours()) > 0)} title={t("supervisor-only")} data-testid="propose">{t("propose")}</button>
      </div>
    </form>
  );
};

export const Votes = () => {
  const sorted = createMemo(() => [...dealings.ballots].sort((a, b) => Number(a.outcome !== null) - Number(b.outcome !== null) || b.time_ms - a.time_ms));
  return (
    <div class="messages">
      <p class="index">{t("rulebook-in-force", { version: known.rulebook?.version ?? 1, members: dealings.standings.members.join(", ") })}</p>
      <ol class="conversation">
        <For each={sorted()} fallback={<li class="none">{t("no-proposals")}</li>}>{(b) => <Row of={b} />}</For>
      </ol>
      <New />
    </div>
  );
};
