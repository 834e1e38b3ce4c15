// The officers' console.
import { For, Show } from "solid-js";
import { render } from "solid-js/web";
import { partyColour } from "./colours";
import { fit, Map } from "./map/Map";
import { follow, known, now, tracks } from "./node";
import { Alerts, awaitsUs } from "./panels/Alerts";
import { Deliveries } from "./panels/Deliveries";
import { Line } from "./panels/Line";
import { clockTime, language, languageName, LANGUAGES, setLanguage, t } from "./phrases";
import { setShowLabels, setShowPlans, setSound, showLabels, showPlans, sound } from "./settings";
import { tone } from "./sound";
import "./style.css";

/** Alerts that have sounded, each once a level. */
const sounded = new Set<string>();

const Header = () => (
  <header>
    <h1>{t("line")} <b>{known.line}</b></h1>
    <span class="own" style={{ color: partyColour(known.parties, known.party) }}>{t("party-is", { party: known.party })}</span>
    <Show when={known.officers[0]}>{(name) => <span class="officer">{t("officer", { name: name() })}</span>}</Show>
    <span class="count">
      {t("tracks-count", {
        own: tracks().filter((x) => x.party === known.party).length, others: tracks().filter((x) => x.party !== known.party).length,
      })}
    </span>
    <span class="space" />
    <button classList={{ on: showPlans() }} onClick={() => setShowPlans(!showPlans())}>{t("show-plans")}</button>
    <button classList={{ on: showLabels() }} onClick={() => setShowLabels(!showLabels())}>{t("show-labels")}</button>
    <button classList={{ on: sound() }} onClick={() => setSound(!sound())}>{t("sound")}</button>
    <button onClick={fit}>{t("fit")}</button>
    <select data-testid="language" value={language()} onChange={(e) => setLanguage(e.currentTarget.value)}>
      <For each={LANGUAGES}>{(l) => <option value={l}>{languageName(l)}</option>}</For>
    </select>
    <time class="clock">{clockTime(now())} {t("time-utc")}</time>
  </header>
);

const App = () => (
  <>
    <Header />
    <main>
      <div class="picture"><Map /></div>
      <aside>
        <Line />
        <Alerts />
        <Deliveries />
      </aside>
    </main>
  </>
);

follow((alert) => {
  const id = `${alert.key.id} ${alert.level} ${alert.raised_ms}`;
  if (awaitsUs(alert) && !alert.unrecorded && !sounded.has(id)) {
    sounded.add(id);
    tone(alert.level);
  }
});

render(() => <App />, document.getElementById("root")!);
