// Everything that is shown in the officer's language, from Fluent files: those of the console, and those of the node's phrase
// catalogue, which may add to them. A further language is a further file.
import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import { createSignal } from "solid-js";
import type { Words } from "./types";

const files = import.meta.glob<string>("./locales/*.ftl", { query: "?raw", import: "default", eager: true });
/** Scripts that run from right to left. */
const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"];
export const direction = (l: string): "rtl" | "ltr" => (RIGHT_TO_LEFT.includes(l.slice(0, 2)) ? "rtl" : "ltr");

const bundles: Record<string, FluentBundle> = {};
/** Languages that the console itself speaks; in others it has the phrases only. */
const spoken = new Set<string>();

const add = (language: string, source: string) => {
  const bundle = (bundles[language] ??= new FluentBundle(language, { useIsolating: false }));
  const errors = bundle.addResource(new FluentResource(source), { allowOverrides: true });
  if (errors.length > 0) throw new Error(`${language}: ${errors.map(String).join("; ")}`);
  if (bundle.hasMessage("alerts")) spoken.add(language);
};
for (const [path, text] of Object.entries(files)) add(path.replace(/^.*\/(.+)\.ftl$/, "$1"), text);

export interface Phrase { id: string; kind: "message" | "request" | "reason"; safety: boolean; parameters: Record<string, string> }

export const [languages, setLanguages] = createSignal<string[]>(Object.keys(bundles).sort());
export const [phrases, setPhrases] = createSignal<Phrase[]>([]);

/** The node's catalogue, as it has it now. */
export const loadCatalogue = async () => {
  const answer = await fetch("/console/phrases");
  if (!answer.ok) return;
  const catalogue = (await answer.json()) as { phrases: Phrase[]; languages: Record<string, string> };
  for (const [language, source] of Object.entries(catalogue.languages)) add(language, source);
  setPhrases(catalogue.phrases);
  setLanguages(Object.keys(bundles).sort());
  choose(localStorage.getItem("language"));
};

const preferred = navigator.language.slice(0, 2);
export const [language, setLanguageSignal] = createSignal<string>("en");

const choose = (wanted: string | null) => {
  const first = [wanted, preferred].find((l): l is string => l !== null && l in bundles) ?? "en";
  setLanguageSignal(first);
  const shown = spoken.has(first) ? first : "en";
  document.documentElement.lang = shown;
  document.documentElement.dir = direction(shown);
};
choose(localStorage.getItem("language"));

export const setLanguage = (to: string) => {
  localStorage.setItem("language", to);
  choose(to);
};

const say = (l: string, id: string, args?: Record<string, FluentVariable>): string | undefined => {
  const bundle = bundles[l];
  const message = bundle?.getMessage(id);
  return bundle && message?.value ? bundle.formatPattern(message.value, args ?? null) : undefined;
};

/** The phrase of that name in the language chosen, in English where it has none, else its name. */
export const t = (id: string, args?: Record<string, FluentVariable>): string =>
  say(language(), id, args) ?? say("en", id, args) ?? id;

/** A language's name in itself. */
export const languageName = (l: string): string => say(l, "language-name") ?? l;

/** A phrase of the catalogue in the language chosen, if it has it, else in English. */
export const phraseText = (id: string, args: Record<string, string>): { text: string; language: string } => {
  for (const l of [language(), "en"]) {
    const text = say(l, id, args);
    if (text !== undefined) return { text, language: l };
  }
  return { text: id, language: "en" };
};

/** What is read: in the reader's language where it is a phrase, and the original beside it where that differs. */
export const wordsIn = (words: Words): { text: string; language: string; original: string | null } => {
  if (words.phrase === null || !phrases().some((p) => p.id === words.phrase)) {
    return { text: words.text, language: words.language, original: null };
  }
  const read = phraseText(words.phrase, words.parameters);
  return { ...read, original: read.text === words.text ? null : words.text };
};

export const clockTime = (ms: number): string => new Date(ms).toISOString().slice(11, 19);
export const dayTime = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
