/** The form of a new webhook. */
import { createSignal, For } from "solid-js"
import type { Answered } from "../../api/query.ts"
import { Confirm } from "../../parts/Dialog.tsx"
import { words } from "../../parts/words.ts"

/** The events that people wait for. The API knows more (`domain/feed/Event.ts`). */
const offered = [
  "submitted",
  "asked",
  "accepted",
  "rejected",
  "failed",
  "lease_expired",
  "deadline_exceeded",
  "cancelled"
]

export const Register = (props: {
  readonly onClose: () => void
  readonly send: (body: {
    readonly url: string
    readonly name?: string
    readonly types?: ReadonlyArray<string>
  }) => Promise<Answered<unknown>>
}) => {
  const [url, setUrl] = createSignal("")
  const [title, setTitle] = createSignal("")
  const [types, setTypes] = createSignal<ReadonlyArray<string>>([])
  return (
    <Confirm
      title="Register a webhook"
      does="Register it"
      onClose={props.onClose}
      send={() =>
        props.send({
          url: url().trim(),
          ...(title() === "" ? {} : { name: title() }),
          ...(types().length === 0 ? {} : { types: types() })
        })}
    >
      <label>
        Address
        <input
          type="url"
          required
          placeholder="https://"
          value={url()}
          onInput={(event) => setUrl(event.currentTarget.value)}
        />
      </label>
      <label>
        What it is for
        <input type="text" maxlength="200" value={title()} onInput={(event) => setTitle(event.currentTarget.value)} />
      </label>
      <fieldset class="events">
        <legend>Events; none chosen means all</legend>
        <For each={offered}>
          {(type) => (
            <label class="check">
              <input
                type="checkbox"
                checked={types().includes(type)}
                onInput={(event) =>
                  setTypes((before) =>
                    event.currentTarget.checked ? [...before, type] : before.filter((one) => one !== type)
                  )}
              />
              {words(type)}
            </label>
          )}
        </For>
      </fieldset>
    </Confirm>
  )
}
