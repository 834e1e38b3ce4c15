// The state of the line to each peer, in words and colour.
import { For, Show } from "solid-js";
import { partyColour } from "../colours";
import { dealings } from "../dealings";
import { connected, known, trouble } from "../node";
import { clockTime, t } from "../phrases";
import type { Peer } from "../types";
import { Said } from "./Said";

/** As the node judges it: see crates/hotline-line/src/peer.rs. */
const CLOCK_TOLERANCE_MS = 2_000;

const detail = (p: Peer): string => {
  if (p.disputed !== null) return t("peer-disputed", { number: p.disputed });
  if (!p.member) return t("peer-gone");
  if (p.last_answer_ms === null) return t("peer-never");
  if (p.state === "degraded" && !p.same_rulebook) return t("peer-rulebook");
  if (p.state === "degraded" && Math.abs(p.clock_ahead_ms ?? 0) > CLOCK_TOLERANCE_MS) {
    return t("peer-clock", { seconds: ((p.clock_ahead_ms ?? 0) / 1000).toFixed(1) });
  }
  if (p.state === "suspended") return t("peer-suspended");
  if (p.waits_for !== null) return t("peer-waits", { statement: p.waits_for });
  if (p.state !== "normal") return t("peer-silent", { time: clockTime(p.last_answer_ms) });
  return t("peer-detail", { ms: p.round_trip_ms ?? "?", receipted: p.receipted, held: p.held });
};

export const Line = () => (
  <section class="line">
    <For each={Object.values(known.peers)}>
      {(peer) => (
        <div class={`peer ${peer.state}`} data-testid="peer" data-state={peer.state}>
          <span class="dot" style={{ background: partyColour(known.parties, peer.party) }} />
          <strong>{peer.party}</strong>
          <span class="state">{t(`state-${peer.state}`)}</span>
          <span class="detail">
            {detail(peer)}
            <For each={Object.entries(peer.offences)}>{([what, n]) => <strong class="missed"> {t(`offence-${what}`, { count: n })}</strong>}</For>
          </span>
        </div>
      )}
    </For>
    <Show when={!connected()}><div class="banner" role="alert">{t("console-silent")}</div></Show>
    <Show when={dealings.speech.why}>{(why) => <div class="banner" role="alert" data-testid="speech">{t("speech", { why: why() })}</div>}</Show>
    <For each={Object.entries(dealings.standings.suspended)}>
      {([party, s]) => (
        <div class="notice" role="status" data-testid="suspended">
          {t("suspended-by", { party, time: clockTime(s.since_ms) })} <Said words={s.words} />
          <Show when={party === known.party && dealings.standings.withheld > 0}> {t("notices-withheld", { count: dealings.standings.withheld })}</Show>
        </div>
      )}
    </For>
    <Show when={trouble()}>{(why) => <div class="banner" role="alert" data-testid="trouble">{t("trouble", { why: why() })}</div>}</Show>
  </section>
);
