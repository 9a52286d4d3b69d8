/** What stands around every screen. */
import * as Menu from "@kobalte/core/dropdown-menu"
import { createEffect, createSignal, For, Show } from "solid-js"
import { answeredAt, connection } from "../api/live.ts"
import { chooseScope, isAdministrator, key, name, scope, scopes, signIn, signOut, who } from "../api/session.ts"
import { Ago, Button, Refusal } from "./Basics.tsx"
import { Dialog } from "./Dialog.tsx"
import { activeKeys, keysAreOff, turnKeys } from "./keys.ts"
import { createMenu } from "./menu.ts"

/** Whether what the page shows is what the server has. */
export const Connection = () => {
  const at = () => answeredAt() === undefined ? undefined : new Date(answeredAt()!).toISOString()
  return (
    <span class="connection" data-is={connection()}>
      <Show when={connection() === "live"}>live</Show>
      <Show when={connection() === "loading"}>loading</Show>
      <Show when={connection() === "stale"}>
        as of <Ago at={at()} />
      </Show>
      <Show when={connection() === "offline"}>
        offline<Show when={at()}>
          {", as of "}
          <Ago at={at()} />
        </Show>
      </Show>
    </span>
  )
}

/** The scope. The administrator may choose another one. */
export const Scopes = () => {
  const [found, setFound] = createSignal<ReadonlyArray<string>>([])
  const [refused, setRefused] = createSignal<string>()
  const { open, setOpen } = createMenu()
  const load = (opens: boolean) => {
    setOpen(opens)
    if (opens) scopes().then(setFound, (error: Error) => setRefused(error.message))
  }
  return (
    <Show when={isAdministrator()} fallback={<span class="scope" title="The scope of the key">{scope()}</span>}>
      <Menu.Root open={open()} onOpenChange={load}>
        <Menu.Trigger class="button scope" data-kind="plain">
          <span class="unseen">Scope:</span>
          <span class="scope-name">{scope()}</span>
          <span aria-hidden="true">▾</span>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Content class="menu" aria-label="Scopes">
            <For each={[...new Set([scope(), ...found()])]}>
              {(one) => (
                <Menu.Item class="menu-item" onSelect={() => chooseScope(one)}>
                  {one}
                  <Show when={one === scope()}>
                    <span aria-hidden="true">✓</span>
                  </Show>
                </Menu.Item>
              )}
            </For>
            <Refusal sentence={refused()} />
          </Menu.Content>
        </Menu.Portal>
      </Menu.Root>
    </Show>
  )
}

const KeptTheme = "octopoid.theme"

export const Theme = () => {
  const [theme, setTheme] = createSignal(localStorage.getItem(KeptTheme) ?? "")
  createEffect(() => {
    document.documentElement.dataset["theme"] = theme()
    if (theme() === "") localStorage.removeItem(KeptTheme)
    else localStorage.setItem(KeptTheme, theme())
  })
  const isDark = () => theme() === "" ? matchMedia("(prefers-color-scheme: dark)").matches : theme() === "dark"
  return (
    <Button
      kind="plain"
      aria-label={isDark() ? "Light colours" : "Dark colours"}
      onClick={() => setTheme(isDark() ? "light" : "dark")}
    >
      <span aria-hidden="true">{isDark() ? "☀" : "☾"}</span>
    </Button>
  )
}

/** Who looks, and what they may do. */
export const Caller = (props: { readonly onChange: () => void; readonly onHelp: () => void }) => {
  const rights = () => {
    const known = who()
    return known.kind !== "known"
      ? "no key"
      : known.isOpen
      ? "open server"
      : known.scope === undefined
      ? "administrator"
      : known.rank === "manage"
      ? name()
      : `${known.rank} only`
  }
  const { open, setOpen } = createMenu()
  return (
    <Menu.Root open={open()} onOpenChange={setOpen}>
      <Menu.Trigger class="button" data-kind="plain">
        {rights()} <span aria-hidden="true">▾</span>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Content class="menu" aria-label="Key and help">
          <Menu.Item class="menu-item" onSelect={() => props.onChange()}>Key and name …</Menu.Item>
          <Show when={key() !== undefined}>
            <Menu.Item class="menu-item" onSelect={() => void signOut()}>Forget the key</Menu.Item>
          </Show>
          <Menu.Item class="menu-item" onSelect={() => props.onHelp()}>
            Keys of the keyboard <kbd>?</kbd>
          </Menu.Item>
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  )
}

export const KeyDialog = (props: { readonly open: boolean; readonly onClose: () => void }) => {
  const [given, setGiven] = createSignal("")
  const [own, setOwn] = createSignal(name())
  const [keep, setKeep] = createSignal(false)
  const [busy, setBusy] = createSignal(false)
  const needed = () => {
    const known = who()
    return known.kind === "keyNeeded" ? known.sentence : undefined
  }
  const submit = async () => {
    setBusy(true)
    const pasted = given().trim() || (needed() === undefined ? key() : undefined)
    await signIn({
      key: pasted,
      name: own().trim() || "human",
      keep: keep() || (pasted === key() && localStorage.getItem("octopoid.key") !== null)
    })
    setBusy(false)
    if (who().kind !== "known") return
    setGiven("")
    props.onClose()
  }
  return (
    <Dialog title="Key and name" open={props.open} onClose={needed() === undefined ? props.onClose : undefined}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <Refusal sentence={needed()} />
        <label>
          API key
          <input
            type="password"
            autocomplete="off"
            value={given()}
            onInput={(event) => setGiven(event.currentTarget.value)}
            placeholder={key() === undefined ? "oct_…" : "the present one"}
          />
        </label>
        <p class="quiet">
          The administrator issues keys. A key of the rank <code>read</code>{" "}
          sees everything of its scope and changes nothing.
        </p>
        <label>
          Your name, for the histories of tasks
          <input type="text" maxlength="100" value={own()} onInput={(event) => setOwn(event.currentTarget.value)} />
        </label>
        <label class="check">
          <input type="checkbox" checked={keep()} onInput={(event) => setKeep(event.currentTarget.checked)} />
          Keep the key in this browser. Otherwise it is gone when the page is closed or loaded again.
        </label>
        <footer>
          <Button type="submit" kind="primary" disabled={busy()}>Use it</Button>
        </footer>
      </form>
    </Dialog>
  )
}

export const Help = (props: { readonly open: boolean; readonly onClose: () => void }) => (
  <Dialog title="Keys of the keyboard" open={props.open} onClose={props.onClose}>
    <dl class="keys">
      <For each={activeKeys()}>
        {({ does, key }) => (
          <div>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        )}
      </For>
    </dl>
    <label class="check">
      <input
        type="checkbox"
        checked={!keysAreOff()}
        onInput={(event) =>
          turnKeys(event.currentTarget.checked)}
      />
      Single keys do something
    </label>
  </Dialog>
)
