// A tone for alerts: two for a warning, one below it.
import { sound } from "./settings";
import type { Level } from "./types";

let context: AudioContext | null = null;

export const tone = (level: Level) => {
  if (!sound()) return;
  context ??= new AudioContext();
  const beeps = level === "warning" ? [0, 0.25] : [0];
  for (const at of beeps) {
    const [oscillator, gain] = [context.createOscillator(), context.createGain()];
    oscillator.frequency.value = level === "warning" ? 880 : 587;
    gain.gain.setValueAtTime(0.0001, context.currentTime + at);
    gain.gain.exponentialRampToValueAtTime(0.2, context.currentTime + at + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + at + 0.2);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(context.currentTime + at);
    oscillator.stop(context.currentTime + at + 0.22);
  }
};
