// A text in the reader's language, with its original beside it where that differs; and the fields in which one is written.
import { createMemo, createSignal, For, Show } from "solid-js";
import { direction, language, type Phrase, phrases, phraseText, t, wordsIn } from "../phrases";
import type { Words } from "../types";

export const Said = (props: { words: Words }) => {
  const read = createMemo(() => wordsIn(props.words));
  return (
    <span class="words">
      <span dir={direction(read().language)} lang={read().language} data-testid="read">{read().text}</span>
      <Show when={read().original}>
        {(original) => (
          <span class="original" dir={direction(props.words.language)} lang={props.words.language} data-testid="original">{original()}</span>
        )}
      </Show>
    </span>
  );
};

const FREE = "";
/** An example of each kind of parameter. */
const hint: Record<string, string> = { time: "14:30Z", level: "FL120", callsign: "LIFT 7" };

/** Writes a text: a phrase of the catalogue with its parameters, or free text. */
export const useWriter = (kinds: Phrase["kind"][]) => {
  const [phrase, setPhrase] = createSignal(FREE);
  const [values, setValues] = createSignal<Record<string, string>>({});
  const [free, setFree] = createSignal("");
  const listed = () => phrases().filter((p) => kinds.includes(p.kind));
  const chosen = () => listed().find((p) => p.id === phrase());
  const parameters = (): Record<string, string> =>
    Object.fromEntries(Object.keys(chosen()?.parameters ?? {}).map((name) => [name, values()[name]?.trim() ?? ""]));
  const complete = () => (chosen() ? Object.values(parameters()).every((v) => v !== "") : free().trim() !== "");
  const words = (): Words => {
    const picked = chosen();
    if (!picked) return { phrase: null, parameters: {}, language: language(), text: free().trim() };
    const said = phraseText(picked.id, parameters());
    return { phrase: picked.id, parameters: parameters(), language: said.language, text: said.text };
  };
  const clear = () => {
    setPhrase(FREE);
    setValues({});
    setFree("");
  };
  /** With its parameters' names in place of their values. */
  const outline = (p: Phrase) => phraseText(p.id, Object.fromEntries(Object.keys(p.parameters).map((name) => [name, `‹${t(`parameter-${name}`)}›`]))).text;
  const Fields = () => (
    <div class="writer">
      <select aria-label={t("phrase")} value={phrase()} onChange={(e) => setPhrase(e.currentTarget.value)} data-testid="phrase">
        <option value={FREE}>{t("free-text")}</option>
        <optgroup label={t("safety-phrases")}>
          <For each={listed().filter((p) => p.safety)}>{(p) => <option value={p.id}>{outline(p)}</option>}</For>
        </optgroup>
        <optgroup label={t("other-phrases")}>
          <For each={listed().filter((p) => !p.safety)}>{(p) => <option value={p.id}>{outline(p)}</option>}</For>
        </optgroup>
      </select>
      <Show
        when={chosen()}
        fallback={
          <textarea aria-label={t("free-text")} rows="2" value={free()} onInput={(e) => setFree(e.currentTarget.value)} data-testid="free-text" dir="auto" />
        }
      >
        {(p) => (
          <div class="parameters">
            <For each={Object.entries(p().parameters)}>
              {([name, kind]) => (
                <label>
                  {t(`parameter-${name}`)}
                  <input
                    value={values()[name] ?? ""} placeholder={hint[kind] ?? ""} data-testid={`parameter-${name}`}
                    onInput={(e) => setValues({ ...values(), [name]: e.currentTarget.value })}
                  />
                </label>
              )}
            </For>
            <p class="preview" dir={direction(words().language)} data-testid="preview">{words().text}</p>
          </div>
        )}
      </Show>
    </div>
  );
  return { chosen, complete, words, clear, Fields };
};
