// What persons have said, owe and decide, kept up to date by the node's stream.
import { createStore, produce, reconcile } from "solid-js/store";
import type { Dealings, Obligation, Spoken } from "./types";

/** How many of each are kept. */
const KEPT = 500;

export const [dealings, setDealings] = createStore<Dealings>({
  spoken: [], obligations: [], cases: [], ballots: [], standings: { suspended: {}, members: [], withheld: 0 }, speech: { state: "free", why: null },
});

export const takeDealings = (news: Dealings) => setDealings(reconcile(news));

const put = <T>(list: T[], name: (item: T) => string, item: T) => {
  const at = list.findIndex((known) => name(known) === name(item));
  if (at >= 0) list[at] = item;
  else list.push(item);
  if (list.length > KEPT) list.shift();
};

export const takeSpoken = (s: Spoken) => setDealings(produce((d) => put(d.spoken, (x) => x.statement, s)));
export const takeOwed = (o: Obligation) => setDealings(produce((d) => put(d.obligations, (x) => x.id, o)));

let asked = false;
/** A case, a vote, a member, a rulebook, a suspension: more than one thing on screen follows from it. */
export const dealingsChanged = () => {
  if (asked) return;
  asked = true;
  setTimeout(async () => {
    asked = false;
    const answer = await fetch("/console/dealings").catch(() => null);
    if (answer?.ok) takeDealings((await answer.json()) as Dealings);
  }, 100);
};

export const spokenOf = (statement: string): Spoken | undefined => dealings.spoken.find((s) => s.statement === statement);
