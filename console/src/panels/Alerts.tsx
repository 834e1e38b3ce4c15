// The list of alerts, the most urgent first, with one key to acknowledge.
import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show } from "solid-js";
import { partyColour } from "../colours";
import { known, now, tracks } from "../node";
import { clockTime, t } from "../phrases";
import { acknowledge } from "../session";
import { chosen, setChosen } from "../settings";
import type { Alert, Subject } from "../types";

const RANK = { warning: 0, caution: 1, advisory: 2 } as const;
/** How many alerts are listed. */
const LISTED = 100;
/** Beyond this a time is shown as a time, not as a countdown, seconds. */
const COUNTDOWN_S = 600;

export const awaitsUs = (a: Alert): boolean => a.awaits.includes(known.party);

const order = (a: Alert): [number, number, number] => [
  awaitsUs(a) ? 0 : a.closed_ms === null ? 1 : 2, RANK[a.level], a.closed_ms === null ? (a.begins_ms ?? 0) : -a.closed_ms,
];

const sorted = (): Alert[] =>
  Object.values(known.alerts)
    .map((a) => ({ a, o: order(a) }))
    .sort((x, y) => x.o[0] - y.o[0] || x.o[1] - y.o[1] || x.o[2] - y.o[2])
    .slice(0, LISTED)
    .map(({ a }) => a);

const span = (ms: number): string => {
  const s = Math.max(0, Math.round(ms / 1000));
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
};

const nameOf = (s: Subject): string => tracks().find((track) => track.party === s.party && track.id === s.id)?.callsign || s.id;

const [failure, setFailure] = createSignal<string | null>(null);
const [busy, setBusy] = createSignal<string | null>(null);

const read = async (alert: Alert) => {
  setBusy(alert.key.id);
  setFailure(await acknowledge(alert));
  setBusy(null);
};

const Row = (props: { alert: Alert; first: boolean }) => {
  const a = () => props.alert;
  const begins = () => {
    const begin = a().begins_ms;
    if (a().closed_ms !== null) return t("over", { time: clockTime(a().closed_ms ?? 0) });
    if (begin === null || begin <= now()) return t("begins-now");
    return begin - now() < COUNTDOWN_S * 1000 ? t("begins-in", { time: span(begin - now()) }) : t("begins-at", { time: clockTime(begin) });
  };
  const distances = () => {
    const c = a().closest;
    if (!c) return "";
    const args = { nm: (c.horizontal_m / 1852).toFixed(1), ft: String(Math.round(c.vertical_m / 0.3048 / 10) * 10) };
    return t(a().key.kind === "nonconforming" ? "outside" : "closest", args);
  };
  const parties = () => [...new Set([a().key.first.party, a().key.second.party])];
  return (
    <li
      class={`alert ${a().level}`}
      classList={{ waits: awaitsUs(a()), closed: a().closed_ms !== null, chosen: chosen() === a().key.id }}
      data-testid="alert"
      data-id={a().key.id}
      data-kind={a().key.kind}
      data-level={a().level}
      data-awaits={a().awaits.join(" ")}
      onClick={() => setChosen(a().key.id)}
    >
      <div class="head">
        <span class="level">{t(`level-${a().level}`)}</span>
        <span class="when">{begins()}</span>
      </div>
      <div class="what">
        {t(`kind-${a().key.kind}`, {
          first: nameOf(a().key.first), firstParty: a().key.first.party, second: nameOf(a().key.second), secondParty: a().key.second.party,
        })}
      </div>
      <div class="far">{distances()}</div>
      <ul class="readers">
        <For each={parties()}>
          {(party) => (
            <li style={{ color: partyColour(known.parties, party) }} data-testid="reader">
              {(() => {
                const ack = a().acks[party];
                return ack && !a().awaits.includes(party)
                  ? `✓ ${t("read-by", { party, officer: ack.officer, time: clockTime(ack.time_ms) })}`
                  : t("not-read", { party });
              })()}
              <For each={a().missed.filter((m) => m.party === party).slice(-1)}>
                {(m) => <strong class="missed"> {t("missed", { party })} {t(`missed-${m.stage}`)}</strong>}
              </For>
              <Show when={a().unreported.includes(party)}><strong class="missed"> {t("unreported", { party })}</strong></Show>
            </li>
          )}
        </For>
      </ul>
      <Show when={awaitsUs(a())}>
        <div class="act">
          <span class="due" classList={{ late: a().due_ms < now() }}>
            {a().unrecorded ? t("unrecorded")
              : a().due_ms < now() ? t("overdue", { time: span(now() - a().due_ms) })
              : t("due-in", { time: span(a().due_ms - now()) })}
          </span>
          <button data-testid="acknowledge" disabled={busy() === a().key.id} onClick={(e) => { e.stopPropagation(); void read(a()); }}>
            {busy() === a().key.id ? t("acknowledging") : t("acknowledge")}
            <Show when={props.first}><kbd>{t("acknowledge-key")}</kbd></Show>
          </button>
        </div>
      </Show>
    </li>
  );
};

export const Alerts = () => {
  const sortedAlerts = createMemo(sorted);
  const waiting = () => sortedAlerts().filter(awaitsUs);
  let list: HTMLOListElement | undefined;
  // The gravest alert that waits is always in sight.
  createEffect(on(() => waiting()[0]?.key.id, () => list?.scrollTo({ top: 0 })));
  const onKey = (e: KeyboardEvent) => {
    const typing = e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement || e.target instanceof HTMLTextAreaElement;
    const top = waiting()[0];
    if (e.code !== "Space" || typing || e.repeat || !top || busy()) return;
    e.preventDefault();
    void read(top);
  };
  onMount(() => {
    window.addEventListener("keydown", onKey);
    onCleanup(() => window.removeEventListener("keydown", onKey));
  });
  return (
    <section class="alerts">
      <h2>
        {t("alerts")}
        <Show when={waiting().length > 0}>
          <span class="count" data-testid="waiting">{t("waiting", { count: waiting().length })}</span>
        </Show>
      </h2>
      <Show when={failure()}><p class="failure" role="alert">{failure()}</p></Show>
      <Show when={sortedAlerts().length > 0} fallback={<p class="none">{t("alerts-none")}</p>}>
        <ol ref={list} aria-live="assertive">
          <For each={sortedAlerts()}>{(alert) => <Row alert={alert} first={alert.key.id === waiting()[0]?.key.id} />}</For>
        </ol>
      </Show>
    </section>
  );
};
