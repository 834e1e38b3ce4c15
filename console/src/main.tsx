// The officers' console.
import { createSignal, For, Match, Show, Switch } from "solid-js";
import { render } from "solid-js/web";
import { partyColour } from "./colours";
import { fit, Map } from "./map/Map";
import { follow, known, now, tracks } from "./node";
import { Alerts, awaitsUs } from "./panels/Alerts";
import { Cases } from "./panels/Cases";
import { Deliveries } from "./panels/Deliveries";
import { Health } from "./panels/Health";
import { Line } from "./panels/Line";
import { Messages } from "./panels/Messages";
import { Owed, ours } from "./panels/Owed";
import { SignIn } from "./panels/SignIn";
import { Votes } from "./panels/Votes";
import { clockTime, language, languageName, languages, loadCatalogue, setLanguage, t } from "./phrases";
import { whoIsSignedIn } from "./session";
import { setShowLabels, setShowPlans, setSound, showLabels, showPlans, sound } from "./settings";
import { tone } from "./sound";
import "./style.css";

/** Alerts that have sounded, each once a level. */
const sounded = new Set<string>();

const Header = () => (
  <header>
    <h1>{t("line")} <b>{known.line}</b></h1>
    <span class="own" style={{ color: partyColour(known.parties, known.party) }}>{t("party-is", { party: known.party })}</span>
    <SignIn />
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
      <For each={languages()}>{(l) => <option value={l}>{languageName(l)}</option>}</For>
    </select>
    <time class="clock">{clockTime(now())} {t("time-utc")}</time>
  </header>
);

const TABS = ["messages", "owed", "cases", "votes", "health", "deliveries"] as const;
const [tab, setTab] = createSignal<(typeof TABS)[number]>("messages");

const Dealings = () => (
  <section class="dealings">
    <nav role="tablist">
      <For each={TABS}>
        {(name) => (
          <button role="tab" aria-selected={tab() === name} classList={{ on: tab() === name }} onClick={() => setTab(name)} data-testid={`tab-${name}`}>
            {t(`tab-${name}`)}
            <Show when={name === "owed" && ours().length > 0}><span class="count" data-testid="owed-count">{ours().length}</span></Show>
          </button>
        )}
      </For>
    </nav>
    <Switch>
      <Match when={tab() === "messages"}><Messages /></Match>
      <Match when={tab() === "owed"}><Owed /></Match>
      <Match when={tab() === "cases"}><Cases /></Match>
      <Match when={tab() === "votes"}><Votes /></Match>
      <Match when={tab() === "health"}><Health /></Match>
      <Match when={tab() === "deliveries"}><Deliveries /></Match>
    </Switch>
  </section>
);

const App = () => (
  <>
    <Header />
    <main>
      <div class="picture"><Map /></div>
      <aside>
        <Line />
        <Alerts />
        <Dealings />
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

void loadCatalogue();
void whoIsSignedIn();
render(() => <App />, document.getElementById("root")!);
