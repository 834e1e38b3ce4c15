// Who is signed in at this console, and what they do: signed by the node with the key that their PIN has unlocked.
import { createSignal } from "solid-js";
import type { Alert, Person } from "./types";

export const [person, setPerson] = createSignal<Person | null>(null);
/** Asks the header to show the sign-in with the PIN in focus. */
export const [wantsPin, setWantsPin] = createSignal(0);

const post = async (path: string, body: unknown): Promise<{ ok: true; value: unknown } | { ok: false; why: string }> => {
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    const value = (await answer.json()) as { error?: string };
    if (answer.status === 401 && path !== "/console/sign-in") {
      setPerson(null);
      setWantsPin((n) => n + 1);
    }
    return answer.ok ? { ok: true, value } : { ok: false, why: value.error ?? answer.statusText };
  } catch (e) {
    return { ok: false, why: String(e) };
  }
};

/** What went wrong, in the node's words; nothing when it was done. */
const done = async (path: string, body: unknown): Promise<string | null> => {
  const answer = await post(path, body);
  return answer.ok ? null : answer.why;
};

export const signIn = async (holder: string, pin: string): Promise<string | null> => {
  const answer = await post("/console/sign-in", { holder, pin });
  if (!answer.ok) return answer.why;
  setPerson(answer.value as Person);
  return null;
};

export const signOut = async () => {
  setPerson(null);
  await post("/console/sign-out", {});
};

export const whoIsSignedIn = async () => {
  const answer = await fetch("/console/session").catch(() => null);
  if (answer?.ok) setPerson((await answer.json()) as Person | null);
};

export const acknowledge = (alert: Alert) => done("/console/acknowledge", { id: alert.key.id });
export const act = (deed: Record<string, unknown>) => done("/console/act", deed);
