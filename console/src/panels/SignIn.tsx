// Who is on watch at this console. Without a person signed in, everything is shown and nothing is said.
import { createEffect, createSignal, For, on, Show } from "solid-js";
import { known } from "../node";
import { t } from "../phrases";
import { person, signIn, signOut, wantsPin } from "../session";

export const SignIn = () => {
  const [holder, setHolder] = createSignal<string | null>(null);
  const [pin, setPin] = createSignal("");
  const [why, setWhy] = createSignal<string | null>(null);
  const [busy, setBusy] = createSignal(false);
  let field: HTMLInputElement | undefined;
  createEffect(on(wantsPin, (n) => n > 0 && field?.focus()));
  const chosen = () => holder() ?? known.persons[0]?.holder ?? "";
  const submit = async (e: SubmitEvent) => {
    e.preventDefault();
    setBusy(true);
    setWhy(await signIn(chosen(), pin()));
    setPin("");
    setBusy(false);
  };
  return (
    <Show
      when={person()}
      fallback={
        <form class="sign-in" onSubmit={submit} data-testid="sign-in">
          <select aria-label={t("person")} value={chosen()} onChange={(e) => setHolder(e.currentTarget.value)} data-testid="holder">
            <For each={known.persons}>{(p) => <option value={p.holder}>{p.name}, {t(`role-${p.role}`)}</option>}</For>
          </select>
          <input
            ref={field} type="password" inputmode="numeric" autocomplete="off" placeholder={t("pin")} aria-label={t("pin")} size="8"
            value={pin()} onInput={(e) => setPin(e.currentTarget.value)} data-testid="pin"
          />
          <button disabled={busy() || pin() === ""} data-testid="sign-in-button">{t("sign-in")}</button>
          <Show when={why()}><span class="failure" role="alert">{why()}</span></Show>
        </form>
      }
    >
      {(p) => (
        <span class="officer" data-testid="signed-in">
          {p().name}, {t(`role-${p().role}`)} <button onClick={() => void signOut()} data-testid="sign-out">{t("sign-out")}</button>
        </span>
      )}
    </Show>
  );
};
