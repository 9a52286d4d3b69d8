/** A dialog: the focus stays in it, Escape closes it, and the focus goes back to where it was. */
import * as Kobalte from "@kobalte/core/dialog"
import { createSignal, type JSX, Show } from "solid-js"
import type { Answered } from "../api/query.ts"
import { Button, Refusal } from "./Basics.tsx"

export const Dialog = (props: {
  readonly title: string
  readonly open: boolean
  /** Closes it; undefined if it cannot be closed. */
  readonly onClose: (() => void) | undefined
  readonly children: JSX.Element
}) => {
  const [content, setContent] = createSignal<HTMLElement>()
  return (
    <Kobalte.Root open={props.open} onOpenChange={(open) => open || props.onClose?.()}>
      <Kobalte.Portal>
        <Kobalte.Overlay class="overlay" />
        <div class="dialog-place">
          <Kobalte.Content
            class="dialog"
            ref={setContent}
            onOpenAutoFocus={(event: Event) => {
              // The dialog would focus its first button, which closes it: the first space of a text would press that.
              const field = content()?.querySelector<HTMLElement>("[autofocus]")
              if (field == null) return
              event.preventDefault()
              field.focus()
            }}
            onInteractOutside={(event: Event) => props.onClose === undefined && event.preventDefault()}
          >
            <header>
              <Kobalte.Title>{props.title}</Kobalte.Title>
              <Show when={props.onClose}>
                <Kobalte.CloseButton class="button" data-kind="plain" aria-label="Close">✕</Kobalte.CloseButton>
              </Show>
            </header>
            {props.children}
          </Kobalte.Content>
        </div>
      </Kobalte.Portal>
    </Kobalte.Root>
  )
}

/**
 * A dialog that asks for a text and does something with it. It closes when the server did it; otherwise the text stays,
 * and the sentence of the server is below it.
 */
export const Ask = (props: {
  readonly title: string
  readonly label: string
  readonly does: string
  readonly kind?: "primary" | "danger"
  readonly optional?: boolean
  readonly children?: JSX.Element
  readonly onClose: () => void
  readonly send: (text: string) => Promise<Answered<unknown>>
}) => {
  const [text, setText] = createSignal("")
  const [refused, setRefused] = createSignal<string>()
  const [busy, setBusy] = createSignal(false)
  const submit = async () => {
    if (busy() || (text().trim() === "" && props.optional !== true)) return
    setBusy(true)
    const outcome = await props.send(text().trim())
    setBusy(false)
    if ("refused" in outcome) setRefused(outcome.refused)
    else props.onClose()
  }
  return (
    <Dialog title={props.title} open onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        {props.children}
        <label>
          {props.label}
          <textarea
            rows="4"
            autofocus
            required={props.optional !== true}
            value={text()}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit()
            }}
          />
        </label>
        <Refusal sentence={refused()} />
        <footer>
          <span class="quiet">Ctrl + Enter sends</span>
          <Button onClick={() => props.onClose()}>Keep as it is</Button>
          <Button type="submit" kind={props.kind ?? "primary"} disabled={busy()}>{props.does}</Button>
        </footer>
      </form>
    </Dialog>
  )
}

/** A dialog that does something once it is confirmed. Its children may be fields of a form. */
export const Confirm = (props: {
  readonly title: string
  readonly does: string
  readonly kind?: "primary" | "danger"
  readonly children?: JSX.Element
  readonly onClose: () => void
  readonly send: () => Promise<Answered<unknown>>
}) => {
  const [refused, setRefused] = createSignal<string>()
  const [busy, setBusy] = createSignal(false)
  const submit = async () => {
    if (busy()) return
    setBusy(true)
    const outcome = await props.send()
    setBusy(false)
    if ("refused" in outcome) setRefused(outcome.refused)
    else props.onClose()
  }
  return (
    <Dialog title={props.title} open onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        {props.children}
        <Refusal sentence={refused()} />
        <footer>
          <Button onClick={() => props.onClose()}>Keep as it is</Button>
          <Button type="submit" kind={props.kind ?? "primary"} disabled={busy()}>{props.does}</Button>
        </footer>
      </form>
    </Dialog>
  )
}
