// What the console knows, kept up to date by the node's stream.
import { batch, createSignal } from "solid-js";
import { createStore, produce, reconcile } from "solid-js/store";
import { dealingsChanged, takeDealings, takeOwed, takeSpoken } from "./dealings";
import type { Alert, Delivery, Detection, Obligation, Peer, Person, Plans, Rulebook, Spoken, State, Track, Tracks } from "./types";
import { trackOf } from "./types";

/** The newest own statements that are listed. */
const DELIVERIES_KEPT = 200;
/** Without anything from the node for so long, the console says so. */
const SILENT_MS = 5_000;

export interface Known {
  ready: boolean;
  line: string;
  party: string;
  parties: string[];
  persons: Person[];
  rulebook: Rulebook | null;
  receiptSeconds: number;
  rulebookHash: string;
  peers: Record<string, Peer>;
  alerts: Record<string, Alert>;
  deliveries: Delivery[];
}

export const [known, setKnown] = createStore<Known>({
  ready: false, line: "", party: "", parties: [], persons: [], rulebook: null, receiptSeconds: 5, rulebookHash: "", peers: {}, alerts: {}, deliveries: [],
});
export const [plans, setPlans] = createSignal<Plans>({ flights: [], restrictions: [] });
export const [tracks, setTracks] = createSignal<Track[]>([]);
export const [trouble, setTrouble] = createSignal<string | null>(null);
export const [refusals, setRefusals] = createSignal<{ party: string; why: string; at: number }[]>([]);
export const [connected, setConnected] = createSignal(false);

// The node's clock, and how fast it runs, so that countdowns are right between its messages.
let clock = { node: Date.now(), local: performance.now(), speed: 1 };
export const nodeNow = (): number => clock.node + (performance.now() - clock.local) * clock.speed;
export const [now, setNow] = createSignal(Date.now());
const setClock = (node: number, speed = clock.speed) => {
  clock = { node, local: performance.now(), speed };
};

const byId = (alerts: Alert[]) => Object.fromEntries(alerts.map((a) => [a.key.id, a]));

const takeTracks = (news: Tracks) => {
  setClock(news.now_ms);
  setTracks(news.tracks.map(trackOf));
};

const takeState = (state: State) =>
  batch(() => {
    setClock(state.now_ms, state.speed);
    setKnown({
      ready: true,
      line: state.line,
      party: state.party,
      parties: state.parties,
      persons: state.persons,
      rulebook: state.rulebook,
      receiptSeconds: state.rulebook.deadlines.receipt_s ?? 5,
      rulebookHash: state.rulebook_hash,
    });
    setKnown("peers", reconcile(Object.fromEntries(state.peers.map((p) => [p.party, p]))));
    setKnown("alerts", reconcile(byId(state.alerts)));
    setKnown("deliveries", reconcile(state.deliveries, { key: "number" }));
    setTrouble(state.trouble);
    setPlans(state.plans);
    takeTracks(state.tracks);
    takeDealings(state.dealings);
  });

/** A conflict that the node has just seen: on screen before it is recorded. */
const takeDetection = (d: Detection) => {
  const open = known.alerts[d.key.id];
  const graver = !open || open.closed_ms !== null || (open.level !== d.level && d.level === "warning");
  if (!graver) return;
  const parties = [...new Set([d.key.first.party, d.key.second.party])];
  setKnown("alerts", d.key.id, {
    ...d, raised_ms: d.detected_ms, due_ms: d.begins_ms, asserted_by: [known.party], awaits: parties, acks: {}, missed: [], unreported: [], closed_ms: null, unrecorded: true,
  });
};

const takeDelivery = (d: Delivery) =>
  setKnown("deliveries", produce((list) => {
    const at = list.findIndex((known) => known.number === d.number);
    if (at >= 0) list[at] = d;
    else {
      const before = list.findIndex((known) => known.number < d.number);
      list.splice(before < 0 ? list.length : before, 0, d);
      list.length = Math.min(list.length, DELIVERIES_KEPT);
    }
  }));

let plansAsked = false;
const refreshPlans = () => {
  if (plansAsked) return;
  plansAsked = true;
  setTimeout(async () => {
    plansAsked = false;
    const answer = await fetch("/console/plans");
    if (answer.ok) setPlans((await answer.json()) as Plans);
  }, 150);
};

/** Follows the node's stream for good. */
export const follow = (onAlert: (alert: Alert) => void) => {
  let heard = performance.now();
  const source = new EventSource("/console/stream");
  const on = <T>(name: string, take: (data: T) => void) =>
    source.addEventListener(name, (event) => {
      heard = performance.now();
      setConnected(true);
      take(JSON.parse((event as MessageEvent<string>).data) as T);
    });
  on<State>("state", takeState);
  on<Tracks>("tracks", takeTracks);
  on<Peer>("peer", (p) => setKnown("peers", p.party, reconcile(p)));
  on<Delivery>("delivery", takeDelivery);
  on<unknown>("plans-changed", refreshPlans);
  on<Spoken>("spoken", takeSpoken);
  on<Obligation>("owed", takeOwed);
  on<unknown>("dealings-changed", dealingsChanged);
  on<{ why: string | null }>("trouble", ({ why }) => setTrouble(why));
  on<{ party: string; why: string }>("refused", (r) =>
    setRefusals((list) => [{ ...r, at: nodeNow() }, ...list].slice(0, 20)));
  on<Detection>("detected", (d) => {
    takeDetection(d);
    const alert = known.alerts[d.key.id];
    if (alert) onAlert(alert);
  });
  on<Alert>("alert", (a) => {
    setKnown("alerts", a.key.id, reconcile(a));
    onAlert(a);
  });
  source.onerror = () => setConnected(false);
  setInterval(() => {
    setNow(nodeNow());
    if (performance.now() - heard > SILENT_MS) setConnected(false);
  }, 250);
};
