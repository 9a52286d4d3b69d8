/** How many tasks are where, as a bar and in words. */
import { createMemo, For, Show } from "solid-js"
import { number, toneOf, words } from "./words.ts"

/** The order of queues, from finished work to work that is left. Queues of flows come between. */
const first = ["done", "provisional", "claimed"]
const last = ["incoming", "needs_continuation", "requires-intervention", "failed", "cancelled"]
const rankOf = (queue: string) =>
  first.includes(queue) ? first.indexOf(queue) : last.includes(queue) ? 100 + last.indexOf(queue) : 50

export const sorted = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).filter(([, count]) => count > 0).toSorted(([a], [b]) =>
    rankOf(a) - rankOf(b) || a.localeCompare(b)
  )

export const Progress = (props: { readonly counts: Readonly<Record<string, number>>; readonly bare?: boolean }) => {
  const parts = createMemo(() => sorted(props.counts))
  const total = () => parts().reduce((sum, [, count]) => sum + count, 0)
  const share = () => total() === 0 ? 0 : Math.floor(100 * (props.counts["done"] ?? 0) / total())
  return (
    <div class="progress">
      <div class="progress-bar" aria-hidden="true">
        <For each={parts()}>
          {([queue, count]) => <span data-tone={toneOf(queue)} style={{ "flex-grow": String(count) }} />}
        </For>
      </div>
      <p class="progress-words">
        <strong class="number">{share()} %</strong>{" "}
        <span class="quiet">
          {number(props.counts["done"] ?? 0)} of {number(total())} done
        </span>
        <Show when={props.bare !== true}>
          <For each={parts().filter(([queue]) => queue !== "done")}>
            {([queue, count]) => (
              <span class="progress-part" data-tone={toneOf(queue)}>
                {number(count)} {words(queue)}
              </span>
            )}
          </For>
        </Show>
      </p>
    </div>
  )
}
