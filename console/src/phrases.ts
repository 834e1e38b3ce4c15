// Phrases in the officer's language, from Fluent files: a further language is a further file.
import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import { createSignal } from "solid-js";

const files = import.meta.glob<string>("./locales/*.ftl", { query: "?raw", import: "default", eager: true });
const SOURCES = Object.fromEntries(
  Object.entries(files).map(([path, text]) => [path.replace(/^.*\/(.+)\.ftl$/, "$1"), text]),
);
export type Language = string;
export const LANGUAGES: Language[] = Object.keys(SOURCES).sort();
/** Scripts that run from right to left. */
const RIGHT_TO_LEFT = ["ar", "fa", "he", "ur"];

const bundles = Object.fromEntries(
  LANGUAGES.map((language) => {
    const bundle = new FluentBundle(language, { useIsolating: false });
    const errors = bundle.addResource(new FluentResource(SOURCES[language] ?? ""));
    if (errors.length > 0) throw new Error(`${language}: ${errors.map(String).join("; ")}`);
    return [language, bundle];
  }),
) as Record<Language, FluentBundle>;

const preferred = navigator.language.slice(0, 2);
const first = [localStorage.getItem("language"), preferred].find((l) => l !== null && LANGUAGES.includes(l)) ?? "en";

export const [language, setLanguageSignal] = createSignal<Language>(first);

export const setLanguage = (to: Language) => {
  localStorage.setItem("language", to);
  setLanguageSignal(to);
  mark(to);
};

const mark = (l: Language) => {
  document.documentElement.lang = l;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(l) ? "rtl" : "ltr";
};
mark(first);

/** The phrase of that name in the language chosen, in English where it has none, else its name. */
export const t = (id: string, args?: Record<string, FluentVariable>): string => {
  for (const l of [language(), "en"]) {
    const bundle = bundles[l];
    const message = bundle?.getMessage(id);
    if (bundle && message?.value) return bundle.formatPattern(message.value, args ?? null);
  }
  return id;
};

/** A language's name in itself. */
export const languageName = (l: Language): string => {
  const value = bundles[l]?.getMessage("language-name")?.value;
  return typeof value === "string" ? value : l;
};

export const clockTime = (ms: number): string => new Date(ms).toISOString().slice(11, 19);
