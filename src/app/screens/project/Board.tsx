/** The board: a column for each queue. Only the cards that are seen are on the page. */
import { createVirtualizer } from "@tanstack/solid-virtual"
import { createEffect, createMemo, createSignal, For, on, onMount, Show } from "solid-js"
import type { Task } from "../../api/Contract.ts"
import { Ago, Refusal, State, StateIcon } from "../../parts/Basics.tsx"
import { useKeys } from "../../parts/keys.ts"
import { sorted } from "../../parts/Progress.tsx"
import { number, toneOf, words } from "../../parts/words.ts"
import { href } from "../../Router.ts"
import { createColumn } from "./column.ts"

/**
 * The height of a card with the space below it, in pixels. All are alike, so the scroll bar is right from the start.
 */
const CardHeight = 68

/** The columns that every project has, and the order of all. */
const always = ["incoming", "claimed", "provisional", "done"]

const Card = (props: { readonly task: Task; readonly wentTo: string | undefined }) => (
  <a class="board-card" href={href(["task", props.task.id])} classList={{ gone: props.wentTo !== undefined }}>
    <span class="board-title">{props.task.title}</span>
    <span class="quiet board-more">
      <Show
        when={props.wentTo === undefined}
        fallback={<State state={props.wentTo!} words={`now ${words(props.wentTo!)}`} />}
      >
        <span>{props.task.priority}</span>
        <Show when={props.task.blocked_by}>
          <span class="state" data-tone="waiting">
            <StateIcon tone="waiting" />blocked
          </span>
        </Show>
        <Show when={props.task.rejection_count > 0}>
          <span>rejected {number(props.task.rejection_count)}×</span>
        </Show>
        <Show when={props.task.claimed_by} fallback={<Ago at={props.task.updated_at} />}>
          <span>{props.task.claimed_by}</span>
        </Show>
      </Show>
    </span>
  </a>
)

const Column = (props: { readonly project: string; readonly queue: string; readonly count: number }) => {
  const [frame, setFrame] = createSignal<HTMLElement>()
  const [hovered, setHovered] = createSignal(false)
  const isRead = () => {
    const element = frame()
    return element !== undefined && (hovered() || element.scrollTop > 0 || element.contains(document.activeElement))
  }
  // The name of a column does not change as long as it is there.
  const column = createColumn(() => props.project, props.queue, { counted: () => props.count, isRead })
  const count = () => Math.max(column.total(), column.tasks().length)
  const virtual = createVirtualizer({
    get count() {
      return count()
    },
    getScrollElement: () => frame() ?? null,
    estimateSize: () => CardHeight,
    overscan: 8
  })
  createEffect(on(() => virtual.getVirtualItems().at(-1)?.index, (last) => {
    if (last !== undefined) column.need(last + 1)
  }))
  const title = () => words(props.queue)
  return (
    <section class="board-column" data-tone={toneOf(props.queue)} aria-label={title()}>
      <header>
        <h2>
          <StateIcon tone={toneOf(props.queue)} />
          {title()}
        </h2>
        <span class="number quiet">{number(column.total())}</span>
      </header>
      <Refusal sentence={column.refusal()} />
      <Show when={column.came() + column.left().size > 0}>
        <button
          type="button"
          class="news"
          onClick={() => {
            frame()?.scrollTo(0, 0)
            column.renew()
          }}
        >
          {[
            ...(column.came() > 0 ? [`${number(column.came())} new`] : []),
            ...(column.left().size > 0 ? [`${number(column.left().size)} gone`] : [])
          ].join(", ")}
        </button>
      </Show>
      <div
        class="board-scroll"
        // Before it is in the page, an element has no window, and the list would not learn its size.
        ref={(element) => onMount(() => setFrame(element))}
        tabindex={count() === 0 ? undefined : "0"}
        onPointerEnter={() => setHovered(true)}
        onPointerLeave={() => setHovered(false)}
      >
        <Show when={count() === 0}>
          <p class="quiet board-empty">No task is {title()}.</p>
        </Show>
        <ul style={{ height: `${virtual.getTotalSize()}px` }}>
          <For each={virtual.getVirtualItems()}>
            {(item) => (
              <li
                data-index={item.index}
                aria-setsize={count()}
                aria-posinset={item.index + 1}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <Show when={column.tasks()[item.index]} fallback={<div class="board-card" />}>
                  {(task) => <Card task={task()} wentTo={column.left().get(task().id)} />}
                </Show>
              </li>
            )}
          </For>
        </ul>
      </div>
    </section>
  )
}

export const Board = (props: { readonly id: string; readonly counts: Readonly<Record<string, number>> }) => {
  let board: HTMLElement | undefined
  const queues = createMemo(
    () => {
      const found = sorted({ ...Object.fromEntries(always.map((queue) => [queue, 1])), ...props.counts }).map((
        [queue]
      ) => queue)
      const all = new Set([...always.slice(0, 3), ...found.filter((queue) => queue !== "done"), "done"])
      return [...all]
    },
    undefined,
    { equals: (a, b) => a.join() === b.join() }
  )
  // A second key may come before the frame in which the focus moves.
  let going: { readonly at: number; readonly index: number } | undefined
  /** Moves the focus to another card: in the column by one, or to the column beside it. */
  const move = (down: number, across: number) => {
    const columns = [...board?.querySelectorAll<HTMLElement>(".board-column") ?? []]
    const at = going?.at ?? columns.findIndex((column) => column.contains(document.activeElement))
    const column = columns[Math.min(columns.length - 1, Math.max(0, at + across))]
    const frame = column?.querySelector<HTMLElement>(".board-scroll")
    if (frame == null) return
    const index = going?.index
      ?? Number(document.activeElement?.closest<HTMLElement>("[data-index]")?.dataset["index"] ?? -1)
    const next = across !== 0 || at < 0 ? Math.ceil(frame.scrollTop / CardHeight) : Math.max(0, index + down)
    const place = next * CardHeight
    if (place < frame.scrollTop) frame.scrollTop = place
    else if (place + CardHeight > frame.scrollTop + frame.clientHeight) {
      frame.scrollTop = place + CardHeight - frame.clientHeight
    }
    going = { at: columns.indexOf(column!), index: next }
    requestAnimationFrame(() => {
      going = undefined
      ;(frame.querySelector<HTMLElement>(`[data-index="${next}"] a`) ?? frame).focus({ preventScroll: true })
    })
    column?.scrollIntoView({ block: "nearest", inline: "nearest" })
  }
  useKeys([
    { key: "j", does: "Goes to the next card", run: () => move(1, 0) },
    { key: "k", does: "Goes to the card before", run: () => move(-1, 0) },
    { key: "l", does: "Goes to the next column", run: () => move(0, 1) },
    { key: "h", does: "Goes to the column before", run: () => move(0, -1) }
  ])
  return (
    <div class="board" ref={(element) => (board = element)}>
      <For each={queues()}>
        {(queue) => <Column project={props.id} queue={queue} count={props.counts[queue] ?? 0} />}
      </For>
    </div>
  )
}
