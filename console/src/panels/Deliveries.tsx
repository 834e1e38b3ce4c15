// How far the own statements have come.
import { For, Show } from "solid-js";
import { known, now, refusals } from "../node";
import { clockTime, t } from "../phrases";
import type { Delivery, DeliveryState } from "../types";

/** How many are listed. */
const LISTED = 60;
const STATES: DeliveryState[] = ["queued", "sent", "delivered", "read", "answered", "expired", "escalated"];

const stateOf = (d: Delivery, party: string): DeliveryState => d.reached[party]?.at(-1)?.[0] ?? "queued";
const isLate = (d: Delivery, party: string): boolean =>
  STATES.indexOf(stateOf(d, party)) < 2 && now() - d.queued_ms > known.receiptSeconds * 1000;

export const Deliveries = () => (
  <section class="deliveries">
        <ol>
      <For each={known.deliveries.slice(0, LISTED)}>
        {(d) => (
          <li data-testid="delivery" data-kind={d.kind}>
            <span class="number">#{d.number}</span>
            <span class="said" title={d.about}>{t(`said-${d.kind}`)} <em>{d.about.split("/").slice(-2).join(" · ")}</em></span>
            <span class="time">{clockTime(d.queued_ms)}</span>
            <For each={Object.keys(known.peers)}>
              {(party) => (
                <span class={`to ${stateOf(d, party)}`} classList={{ late: isLate(d, party) }} data-state={stateOf(d, party)}>
                  {isLate(d, party) ? `${t(`delivery-${stateOf(d, party)}`)}, ${t("delivery-late")}` : t(`delivery-${stateOf(d, party)}`)}
                </span>
              )}
            </For>
          </li>
        )}
      </For>
    </ol>
    <Show when={refusals().length > 0}>
      <h2>{t("refusals")}</h2>
      <ol>
        <For each={refusals()}>{(r) => <li class="refusal"><span class="time">{clockTime(r.at)}</span> {r.party}: {r.why}</li>}</For>
      </ol>
    </Show>
  </section>
);
