// Cases: what is open, overdue, raised; each with what every side says.
import { createMemo, createSignal, For, Show } from "solid-js";
import { partyColour } from "../colours";
import { dealings } from "../dealings";
import { known, now } from "../node";
import { clockTime, dayTime, t } from "../phrases";
import { act, person } from "../session";
import { chosen } from "../settings";
import type { Case } from "../types";
import { Said, useWriter } from "./Said";

const RANK = { grave: 0, serious: 1, minor: 2 } as Record<string, number>;
const isOverdue = (c: Case) => c.status !== "resolved" && c.due_ms < now();
const order = (a: Case, b: Case) =>
  Number(a.status === "resolved") - Number(b.status === "resolved") || (RANK[a.severity] ?? 3) - (RANK[b.severity] ?? 3) || a.due_ms - b.due_ms;

const Steps = (props: { of: Case }) => {
  const c = () => props.of;
  const writer = useWriter([]);
  const [why, setWhy] = createSignal<string | null>(null);
  const [severity, setSeverity] = createSignal(c().severity);
  const [owner, setOwner] = createSignal(c().owner);
  const [hours, setHours] = createSignal("24");
  const step = async (what: string) => {
    const failed = await act({ do: what, case: c().case, words: writer.words() });
    setWhy(failed);
    if (failed === null) writer.clear();
  };
  const triage = async () => {
    const due = new Date(now() + Number(hours()) * 3600_000).toISOString();
    setWhy(await act({ do: "case-triage", case: c().case, severity: severity(), owner: owner(), due }));
  };
  const supervisor = () => person()?.role === "supervisor";
  return (
    <div class="answer">
      <writer.Fields />
      <div class="row">
        <button class="main" disabled={!writer.complete()} onClick={() => void step("case-state")} data-testid="case-state">{t("case-state")}</button>
        <button disabled={!writer.complete() || !supervisor()} title={t("supervisor-only")} onClick={() => void step("case-resolve")} data-testid="case-resolve">{t("case-resolve")}</button>
        <button disabled={!writer.complete() || !supervisor()} title={t("supervisor-only")} onClick={() => void step("case-raise")}>{t("case-raise")}</button>
        <Show when={c().status !== "open"}>
          <button disabled={!writer.complete()} onClick={() => void step("case-reopen")}>{t("case-reopen")}</button>
        </Show>
      </div>
      <div class="row">
        <select aria-label={t("severity")} value={severity()} onChange={(e) => setSeverity(e.currentTarget.value)}>
          <For each={["minor", "serious", "grave"]}>{(s) => <option value={s}>{t(`severity-${s}`)}</option>}</For>
        </select>
        <select aria-label={t("owner")} value={owner()} onChange={(e) => setOwner(e.currentTarget.value)}>
          <For each={known.parties}>{(p) => <option value={p}>{p}</option>}</For>
        </select>
        <label>{t("due-in-hours")} <input size="4" value={hours()} onInput={(e) => setHours(e.currentTarget.value)} /></label>
        <button disabled={!(Number(hours()) > 0)} onClick={() => void triage()}>{t("case-triage")}</button>
        <Show when={chosen()}>
          {(key) => <span class="none">{t("chosen-alert", { alert: key() })}</span>}
        </Show>
      </div>
      <Show when={why()}><p class="failure" role="alert">{why()}</p></Show>
    </div>
  );
};

const Row = (props: { of: Case; open: boolean; toggle: () => void }) => {
  const c = () => props.of;
  return (
    <li class="case" classList={{ late: isOverdue(c()), resolved: c().status === "resolved" }} data-testid="case" data-status={c().status} data-case={c().case}>
      <button class="title" onClick={props.toggle} aria-expanded={props.open}>
        <span class={`severity ${c().severity}`}>{t(`severity-${c().severity}`)}</span>
        <span>{t(`case-kind-${c().kind}`)} {c().case}</span>
        <span class="state">{t(`case-${c().status}`)}</span>
        <span class="due">{isOverdue(c()) ? t("case-overdue") : t("due-at", { time: dayTime(c().due_ms) })}</span>
      </button>
      <Said words={c().words} />
      <Show when={props.open}>
        <p class="number">{t("case-of", { involved: c().involved.join(", "), owner: c().owner })}</p>
        <Show when={c().statements.length + c().subjects.length > 0}>
          <p class="number">{t("case-links", { links: [...c().statements, ...c().subjects].join(", ") })}</p>
        </Show>
        <For each={Object.entries(c().positions)}>
          {([party, remarks]) => (
            <For each={remarks}>
              {(r) => (
                <div class="position" style={{ "border-color": partyColour(known.parties, party) }}>
                  <span class="number">{party} {clockTime(r.time_ms)}</span> <Said words={r.words} />
                </div>
              )}
            </For>
          )}
        </For>
        <For each={Object.entries(c().resolved)}>{([party, r]) => <p class="number">{t("case-held-resolved", { party })} <Said words={r.words} /></p>}</For>
        <For each={Object.entries(c().raised)}>{([party, r]) => <p class="number">{t("case-raised-by", { party })} <Said words={r.words} /></p>}</For>
        <Steps of={c()} />
      </Show>
    </li>
  );
};

/** The statements that an alert rests on are what a case about it is linked to. */
const New = () => {
  const writer = useWriter([]);
  const [kind, setKind] = createSignal("incident");
  const [severity, setSeverity] = createSignal("serious");
  const [why, setWhy] = createSignal<string | null>(null);
  const submit = async (e: SubmitEvent) => {
    e.preventDefault();
    const alert = chosen() ? known.alerts[chosen() ?? ""] : undefined;
    const subjects = alert ? [alert.key.first, alert.key.second].map((s) => `${s.party}:${s.id}`) : [];
    const failed = await act({ do: "case-open", kind: kind(), severity: severity(), words: writer.words(), subjects: [...new Set(subjects)] });
    setWhy(failed);
    if (failed === null) writer.clear();
  };
  return (
    <form class="compose" onSubmit={submit}>
      <div class="row">
        <select aria-label={t("kind")} value={kind()} onChange={(e) => setKind(e.currentTarget.value)} data-testid="case-kind">
          <For each={["incident", "protest", "question"]}>{(k) => <option value={k}>{t(`case-kind-${k}`)}</option>}</For>
        </select>
        <select aria-label={t("severity")} value={severity()} onChange={(e) => setSeverity(e.currentTarget.value)}>
          <For each={["minor", "serious", "grave"]}>{(s) => <option value={s}>{t(`severity-${s}`)}</option>}</For>
        </select>
      </div>
      <writer.Fields />
      <div class="row">
        <Show when={why()}><span class="failure" role="alert">{why()}</span></Show>
        <span class="space" />
        <button class="main" disabled={!writer.complete()} data-testid="case-open">{t("case-open-new")}</button>
      </div>
    </form>
  );
};

export const Cases = () => {
  const [open, setOpen] = createSignal<string | null>(null);
  const sorted = createMemo(() => [...dealings.cases].sort(order));
  const count = (which: (c: Case) => boolean) => dealings.cases.filter(which).length;
  return (
    <div class="messages">
      <p class="index" data-testid="case-index">
        {t("case-index", { open: count((c) => c.status !== "resolved"), overdue: count(isOverdue), raised: count((c) => c.status === "raised") })}
      </p>
      <ol class="conversation">
        <For each={sorted().map((c) => c.case)} fallback={<li class="none">{t("no-cases")}</li>}>
          {(id) => (
            <Show when={sorted().find((c) => c.case === id)}>
              {(c) => <Row of={c()} open={open() === id} toggle={() => setOpen(open() === id ? null : id)} />}
            </Show>
          )}
        </For>
      </ol>
      <New />
    </div>
  );
};
