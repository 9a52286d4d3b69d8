/** What waits for the viewer, one after the other: a list, and beside it what is chosen. */
import { createEffect, createMemo, createSignal, For, Show } from "solid-js"
import { scope } from "../../api/session.ts"
import { createSteady } from "../../api/steady.ts"
import { announce } from "../../parts/announce.ts"
import { Ago, Button, Empty, Refusal, StateIcon } from "../../parts/Basics.tsx"
import { useKeys } from "../../parts/keys.ts"
import { go, href, place } from "../../Router.ts"
import "./inbox.css"
import { Question } from "./Question.tsx"
import { Review } from "./Review.tsx"
import { createWaiting, keyOf, MaxRead, type Waiting } from "./waiting.ts"

const titleOf = (waiting: Waiting) => waiting.kind === "task" ? waiting.task.title : waiting.message.content
const authorOf = (waiting: Waiting) =>
  waiting.kind === "task" ? waiting.task.submitted_by ?? "unknown" : waiting.message.from_actor

const Inbox = () => {
  const { all, hasMore, refusal } = createWaiting()
  const steady = createSteady(all, keyOf, { about: scope, appends: true })
  /** What became of entries that this page settled. */
  const [settled, setSettled] = createSignal<Record<string, string>>({})
  const [list, setList] = createSignal<HTMLUListElement>()

  const chosen = createMemo(() => {
    const [, kind, id] = place().path
    return kind === undefined || id === undefined ? undefined : `${kind}/${id}`
  })
  const isOpen = (entry: { readonly id: string; readonly gone: boolean }) =>
    !entry.gone && settled()[entry.id] === undefined
  const open = createMemo(() => steady.shown().filter(isOpen))
  const entry = createMemo(() => steady.shown().find(({ id }) => id === chosen()))

  const choose = (key: string | undefined, { focus = true, replace = false } = {}) => {
    const [kind, ...rest] = key?.split("/") ?? []
    go(href(key === undefined ? ["inbox"] : ["inbox", kind!, rest.join("/")]), { replace })
    if (!focus) return
    queueMicrotask(() => {
      const link = list()?.querySelector<HTMLElement>("a[aria-current]")
      link?.focus({ preventScroll: true })
      link?.scrollIntoView({ block: "nearest" })
    })
  }
  const isWide = () => matchMedia("(min-width: 56rem)").matches
  // On a wide screen something is always open, so the keys have what they mean.
  createEffect(() => {
    if (chosen() === undefined && isWide() && open()[0] !== undefined) {
      choose(open()[0]!.id, { focus: false, replace: true })
    }
  })

  const move = (by: 1 | -1) => {
    const entries = steady.shown()
    const at = entries.findIndex(({ id }) => id === chosen())
    const found = by > 0
      ? entries.slice(at + 1).find(isOpen)
      : entries.slice(0, Math.max(at, 0)).findLast(isOpen)
    if (found !== undefined) choose(found.id, { replace: chosen() !== undefined })
  }
  useKeys([
    { key: "j", does: "Goes to what waits next", run: () => move(1) },
    { key: "k", does: "Goes back to the one before", run: () => move(-1) }
  ])

  /** Says what became of an entry, and goes on with the next one by itself. */
  const settle = (key: string, what: string) => {
    const entries = steady.shown()
    setSettled((before) => ({ ...before, [key]: what }))
    const at = entries.findIndex(({ id }) => id === key)
    const next = [...entries.slice(at + 1), ...entries.slice(0, at)].find(isOpen)
    announce(`${what}. ${next === undefined ? "Nothing else waits." : `Next: ${titleOf(next.item)}`}`)
    if (chosen() === key) choose(next?.id, { replace: true })
  }
  const countOfSettled = () => steady.shown().length - open().length
  const clear = () => {
    setSettled({})
    steady.renew()
  }

  return (
    <>
      <h1 class="unseen">Inbox</h1>
      <div class="inbox" classList={{ chosen: chosen() !== undefined }}>
        <section class="inbox-list" aria-label="What waits">
          <header>
            <h2>What waits</h2>
            <span class="quiet">{open().length === 0 ? "" : `${open().length}, the oldest first`}</span>
            <Show when={countOfSettled() > 0}>
              <Button kind="plain" onClick={clear}>Clear {countOfSettled()} settled</Button>
            </Show>
          </header>
          <Refusal sentence={refusal()} />
          <Show when={hasMore()}>
            <p class="quiet">More than {MaxRead} wait. The others come when these are settled.</p>
          </Show>
          <Show
            when={steady.shown().length > 0}
            fallback={
              <Show when={all() !== undefined}>
                <Empty title="Nothing waits for you.">
                  Results and questions appear here by themselves. See <a href={href(["now"])}>what is under way</a>, or
                  {" "}
                  <a href={href(["night"])}>what happened</a>.
                </Empty>
              </Show>
            }
          >
            <ul ref={setList}>
              <For each={steady.shown()}>
                {(one) => {
                  const isSettled = () => !isOpen(one)
                  return (
                    <li>
                      <a
                        href={href(["inbox", one.item.kind, one.item.id])}
                        aria-current={one.id === chosen() ? "true" : undefined}
                        classList={{ settled: isSettled() }}
                      >
                        <StateIcon tone={isSettled() ? "done" : one.item.kind === "task" ? "review" : "waiting"} />
                        <span class="inbox-title">
                          <span class="unseen">{one.item.kind === "task" ? "Result: " : "Question: "}</span>
                          {titleOf(one.item)}
                        </span>
                        <span class="quiet inbox-more">
                          {settled()[one.id] ?? (one.gone ? "Settled by somebody else" : `${authorOf(one.item)} · `)}
                          <Show when={!isSettled()}>
                            <Ago at={one.item.at} />
                          </Show>
                        </span>
                      </a>
                    </li>
                  )
                }}
              </For>
            </ul>
          </Show>
        </section>
        <section class="inbox-detail" aria-label="What is chosen">
          <Show when={chosen()} keyed>
            {(key) => (
              <>
                <p class="inbox-back">
                  <a href={href(["inbox"])}>← What waits</a>
                </p>
                <Show
                  when={place().path[1] === "task"}
                  fallback={
                    <Question
                      id={place().path[2]!}
                      settled={settled()[key]}
                      gone={entry()?.gone ?? false}
                      onSettled={(what) => settle(key, what)}
                    />
                  }
                >
                  <Review
                    id={place().path[2]!}
                    settled={settled()[key]}
                    gone={entry()?.gone ?? false}
                    onSettled={(what) => settle(key, what)}
                  />
                </Show>
              </>
            )}
          </Show>
        </section>
      </div>
    </>
  )
}
export default Inbox
