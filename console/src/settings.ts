// What an officer has chosen to see and hear.
import { createSignal } from "solid-js";

export const [showPlans, setShowPlans] = createSignal(false);
export const [showLabels, setShowLabels] = createSignal(true);
export const [sound, setSound] = createSignal(true);
export const [chosen, setChosen] = createSignal<string | null>(null);
