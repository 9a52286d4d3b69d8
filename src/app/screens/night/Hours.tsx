/** How many tasks became done in each of the last 24 hours. */
import { For, Show } from "solid-js"
import { overview } from "../../api/live.ts"
import { clock, plural } from "../../parts/words.ts"

const Width = 12
const Height = 56

export const Hours = () => {
  const hours = () => overview()?.lives.hours ?? []
  const most = () => Math.max(1, ...hours().map(({ done }) => done))
  const sum = () => hours().reduce((sum, { done }) => sum + done, 0)
  return (
    <>
      <svg
        class="hours"
        viewBox={`0 0 ${Width * 24} ${Height + 2}`}
        role="img"
        preserveAspectRatio="none"
        aria-label={`${plural(sum(), "task")} done in the last 24 hours, at most ${most()} in an hour`}
      >
        <For each={hours()}>
          {({ done, hour }, n) => {
            const height = () => done === 0 ? 1 : Math.max(3, done / most() * Height)
            return (
              <rect
                x={n() * Width + 1}
                width={Width - 2}
                y={Height - height() + 1}
                height={height()}
                classList={{ none: done === 0 }}
              >
                <title>{`${clock(hour)}: ${plural(done, "task")}`}</title>
              </rect>
            )
          }}
        </For>
      </svg>
      <p class="hours-ends quiet">
        <span>{hours()[0] === undefined ? "" : clock(hours()[0]!.hour)}</span>
        <span>now</span>
      </p>
      <Show when={overview()?.lives.exact === false}>
        <p class="quiet">Earlier hours have more: only the newest changes are counted.</p>
      </Show>
    </>
  )
}
