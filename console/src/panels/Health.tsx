// How well the parties get on: the index of each day, and what it is made of.
import { createResource, For, onCleanup, Show } from "solid-js";
import { t } from "../phrases";
import type { Health as Known, HealthDay } from "../types";

const [W, H] = [360, 110];
/** The days that are drawn. */
const SHOWN = 60;

const ask = async (): Promise<Known> => (await (await fetch("/console/health")).json()) as Known;

const Plot = (props: { days: HealthDay[] }) => {
  const days = () => props.days.slice(-SHOWN);
  const x = (i: number) => 24 + (days().length < 2 ? 0 : ((W - 32) * i) / (days().length - 1));
  const y = (index: number) => 8 + (H - 24) * (1 - index / 100);
  return (
    <svg viewBox={`0 0 ${W} ${H}`} class="plot" role="img" aria-label={t("health-index")}>
      <For each={[0, 50, 100]}>
        {(v) => <><line x1="24" x2={W - 8} y1={y(v)} y2={y(v)} class="grid" /><text x="20" y={y(v) + 3} text-anchor="end">{v}</text></>}
      </For>
      <polyline points={days().map((d, i) => `${x(i)},${y(d.index)}`).join(" ")} class="curve" />
      <For each={days()}>{(d, i) => <circle cx={x(i())} cy={y(d.index)} r="2.5"><title>{d.date}: {d.index.toFixed(1)}</title></circle>}</For>
      <text x="24" y={H - 2}>{days()[0]?.date ?? ""}</text>
      <text x={W - 8} y={H - 2} text-anchor="end">{days().at(-1)?.date ?? ""}</text>
    </svg>
  );
};

export const Health = () => {
  const [health, { refetch }] = createResource(ask);
  const timer = setInterval(() => void refetch(), 5_000);
  onCleanup(() => clearInterval(timer));
  const today = () => health.latest?.days.at(-1);
  return (
    <Show when={today()} fallback={<p class="none">{t("health-none")}</p>}>
      {(day) => (
        <div class="health" data-testid="health">
          <p class="index">
            {t("health-today", { index: day().index.toFixed(1) })}{" "}
            <Show when={health.latest?.lowest_ever}><strong class="missed">{t("health-lowest")}</strong></Show>
          </p>
          <Plot days={health.latest?.days ?? []} />
          <table>
            <tbody>
              <For each={day().components}>
                {(c) => (
                  <tr>
                    <td>{t(`health-${c.name}`)}</td>
                    <td><meter min="0" max="1" value={c.score ?? 0} /></td>
                    <td class="number">{c.score === null ? t("health-unmeasured") : `${Math.round(c.score * 100)} %`}</td>
                    <td class="number">{t("health-weight", { weight: c.weight })}</td>
                  </tr>
                )}
              </For>
            </tbody>
          </table>
          <p class="number">
            {t("health-counts", { conflicts: day().conflicts, flights: day().flights, protests: day().protests_open, mean: day().mean_time_s?.toFixed(1) ?? "–" })}
          </p>
        </div>
      )}
    </Show>
  );
};
