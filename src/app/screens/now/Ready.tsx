/** The tasks that nobody has claimed yet, the oldest first, and why. */
import { createMemo, createSignal, For, Show } from "solid-js"
import type { Task } from "../../api/Contract.ts"
import { createQuery } from "../../api/query.ts"
import { scope } from "../../api/session.ts"
import { createSteady } from "../../api/steady.ts"
import { Ago, Button, Empty, Refusal, StateIcon, TaskLink } from "../../parts/Basics.tsx"
import { plural, type Tone } from "../../parts/words.ts"

/** How many are read. The server has no more in a page. */
const MaxRead = 500
const Step = 50

/** What the row of the task alone says. `explain` knows more. */
const stateOf = (task: Task): { readonly tone: Tone; readonly says: string } =>
  task.waiting_for_reply != null
    ? { tone: "waiting", says: "waits for a reply" }
    : task.blocked_by !== null
    ? { tone: "waiting", says: `waits for ${plural(task.blocked_by.split(",").length, "task")}` }
    : task.available_at !== null && Date.parse(task.available_at) > Date.now()
    ? { tone: "waiting", says: "backs off" }
    : { tone: "ready", says: "ready" }

const Why = (props: { readonly id: string }) => {
  const explanation = createQuery("GET /api/v1/tasks/:id/explain", () => ({ params: { id: props.id } }))
  return (
    <>
      <Refusal sentence={explanation.refusal()} />
      <Show when={explanation.data()}>
        {(found) => (
          <ul class="why" role="status">
            <For each={found().reasons}>
              {(reason) => (
                <li>
                  <StateIcon tone={reason.blocking ? "waiting" : "ready"} />
                  {reason.message}
                </li>
              )}
            </For>
          </ul>
        )}
      </Show>
    </>
  )
}

export const Ready = () => {
  const tasks = createQuery("GET /api/v1/tasks", () => ({
    query: { queue: "incoming", content: "false" as const, limit: String(MaxRead) }
  }))
  const sorted = createMemo(() =>
    tasks.data()?.tasks.toSorted((a, b) => a.created_at.localeCompare(b.created_at) || a.id.localeCompare(b.id))
  )
  const steady = createSteady(sorted, ({ id }) => id, { about: scope, appends: true })
  const [open, setOpen] = createSignal<ReadonlySet<string>>(new Set())
  const [most, setMost] = createSignal(Step)
  const toggle = (id: string) =>
    setOpen((before) => before.has(id) ? new Set([...before].filter((one) => one !== id)) : new Set([...before, id]))
  return (
    <section class="ready" aria-labelledby="ready">
      <header>
        <h2 id="ready">Nobody has it yet</h2>
        <Show when={steady.shown().length > 0}>
          <span class="quiet">
            the oldest first{tasks.data()?.next_cursor == null ? "" : `, of the newest ${MaxRead}`}
          </span>
        </Show>
        <Show when={steady.gone() > 0}>
          <Button kind="plain" onClick={() => steady.renew()}>
            {plural(steady.gone(), "task")} taken since: tidy up
          </Button>
        </Show>
      </header>
      <Refusal sentence={tasks.refusal()} />
      <Show
        when={steady.shown().length > 0}
        fallback={
          <Show when={tasks.data()}>
            <Empty title="Everything is taken.">
              Create tasks with <code>POST /api/v1/tasks</code> (<a href="../docs#tasks.create">how</a>).
            </Empty>
          </Show>
        }
      >
        <ul>
          <For each={steady.shown().slice(0, most())}>
            {({ gone, id, item }) => (
              <li data-row={id} classList={{ gone }}>
                <span class="number priority">{item.priority}</span>
                <span class="state" data-tone={gone ? "held" : stateOf(item).tone}>
                  <StateIcon tone={gone ? "held" : stateOf(item).tone} />
                  {gone ? "taken" : stateOf(item).says}
                </span>
                <TaskLink id={id} title={item.title} />
                <span class="quiet">
                  <Ago at={item.created_at} />
                </span>
                <Button kind="plain" aria-expanded={open().has(id)} onClick={() => toggle(id)}>
                  Why?<span class="unseen">{item.title}</span>
                </Button>
                <Show when={open().has(id)}>
                  <Why id={id} />
                </Show>
              </li>
            )}
          </For>
        </ul>
        <Show when={steady.shown().length > most()}>
          <button type="button" class="news" onClick={() => setMost((n) => n + Step)}>
            {steady.shown().length - most()} more
          </button>
        </Show>
      </Show>
    </section>
  )
}
