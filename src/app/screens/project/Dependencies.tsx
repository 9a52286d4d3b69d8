/** What waits for what in a project: as a diagram, and in words. */
import { createMemo, createSignal, For, Show } from "solid-js"
import { createQuery } from "../../api/query.ts"
import { Empty, Refusal, State, TaskLink } from "../../parts/Basics.tsx"
import { Diagram } from "../../parts/graph/Diagram.tsx"
import { TaskNode, TaskSize } from "../../parts/graph/TaskNode.tsx"
import { number, plural } from "../../parts/words.ts"
import { href } from "../../Router.ts"
import { criticalPath, heldUp } from "./waits.ts"

/** How many tasks are drawn: more are placed too slowly, and nobody finds anything among them. */
const MaxDrawn = 200

/** How many tasks a list has. */
const MaxListed = 20

const Dependencies = (props: { readonly id: string }) => {
  const graph = createQuery("GET /api/v1/projects/:id/graph", () => ({ params: { id: props.id } }))
  const [showsDone, setShowsDone] = createSignal(false)
  const nodes = createMemo(() => new Map((graph.data()?.nodes ?? []).map((node) => [node.task_id as string, node])))
  const all = createMemo(() =>
    (graph.data()?.edges ?? []).map(({ blocker_id, satisfied_at, task_id }) => ({
      from: blocker_id,
      to: task_id,
      isMet: satisfied_at !== null
    }))
  )
  const unmet = createMemo(() => all().filter(({ isMet }) => !isMet))
  const path = createMemo(() => criticalPath(unmet()))
  const holding = createMemo(() => [...heldUp(unmet())].toSorted(([a, m], [b, n]) => n - m || a.localeCompare(b)))
  const blocked = createMemo(() => [...Map.groupBy(unmet(), ({ to }) => to)])
  /** The drawn tasks: those of the critical path first, then those that hold up the most. */
  const drawn = createMemo(() => {
    const rank = new Map(holding())
    const connected = new Set((showsDone() ? all() : unmet()).flatMap(({ from, to }) => [from, to]))
    const main = new Set(path())
    return [...connected].toSorted((a, b) =>
      Number(main.has(b)) - Number(main.has(a)) || (rank.get(b) ?? 0) - (rank.get(a) ?? 0) || a.localeCompare(b)
    )
  })
  const edges = createMemo(() => {
    const steps = new Set(path().slice(1).map((id, n) => `${path()[n]}\n${id}`))
    return (showsDone() ? all() : unmet()).map(({ from, isMet, to }) => ({
      from,
      to,
      kind: isMet ? "past" as const : steps.has(`${from}\n${to}`) ? "main" as const : "usual" as const
    }))
  })
  const title = (id: string) => nodes().get(id)?.title
  return (
    <>
      <Refusal sentence={graph.refusal()} />
      <Show when={graph.data()}>
        {(found) => (
          <Show
            when={all().length > 0}
            fallback={
              <Empty title="No task of this project waits for another.">
                A task waits for others if it is created with <code>blocked_by</code>. See{" "}
                <a href={href(["projects", props.id])}>the board</a>.
              </Empty>
            }
          >
            <div class="waits">
              <Show when={found().truncated}>
                <p class="notice-line">
                  The project has more tasks or dependencies than the server shows in a graph: these are the most urgent
                  ones.
                </p>
              </Show>
              <p>
                <Show
                  when={path().length > 0}
                  fallback="Nothing waits any more: every dependency is met."
                >
                  <strong>{plural(path().length, "task")}</strong>{" "}
                  have to be done one after the other before all is done: the critical path. {number(blocked().length)}
                  {" "}
                  wait, and {number(holding().length)} hold up others.
                </Show>
              </p>
              <label class="check">
                <input
                  type="checkbox"
                  checked={showsDone()}
                  onInput={(event) => setShowsDone(event.currentTarget.checked)}
                />
                Show dependencies that are met
              </label>
              <Show when={drawn().length > 0}>
                <Diagram
                  label="What waits for what"
                  nodes={drawn().slice(0, MaxDrawn)}
                  edges={edges()}
                  size={TaskSize}
                  node={(id) => (
                    <TaskNode
                      id={id}
                      node={nodes().get(id)}
                      isMain={path().includes(id)}
                      more={nodes().get(id)?.of_project === false ? "other project" : undefined}
                    />
                  )}
                />
              </Show>
              <Show when={drawn().length > MaxDrawn}>
                <p class="quiet">
                  {number(MaxDrawn)} of {number(drawn().length)}{" "}
                  tasks are drawn: the critical path, and those that hold up the most.
                </p>
              </Show>
              <div class="waits-lists">
                <Show when={path().length > 0}>
                  <section aria-label="The critical path">
                    <h2>The critical path</h2>
                    <ol>
                      <For each={path()}>
                        {(id) => (
                          <li>
                            <TaskLink id={id} title={title(id)} /> <State state={nodes().get(id)?.queue ?? "missing"} />
                          </li>
                        )}
                      </For>
                    </ol>
                  </section>
                </Show>
                <Show when={holding().length > 0}>
                  <section aria-label="What holds up the most">
                    <h2>What holds up the most</h2>
                    <ul>
                      <For each={holding().slice(0, MaxListed)}>
                        {([id, count]) => (
                          <li>
                            <TaskLink id={id} title={title(id)} /> <State state={nodes().get(id)?.queue ?? "missing"} />
                            {" "}
                            <span class="quiet">{count === 1 ? "1 waits" : `${number(count)} wait`}</span>
                          </li>
                        )}
                      </For>
                    </ul>
                  </section>
                </Show>
                <Show when={blocked().length > 0}>
                  <section aria-label="What is blocked">
                    <h2>What is blocked, and by what</h2>
                    <ul>
                      <For each={blocked().slice(0, MaxListed)}>
                        {([id, by]) => (
                          <li>
                            <TaskLink id={id} title={title(id)} />{" "}
                            <span class="quiet">
                              by{" "}
                              <For each={by}>
                                {({ from }, n) => (
                                  <>
                                    {n() > 0 ? ", " : ""}
                                    <TaskLink id={from} title={title(from)} />
                                  </>
                                )}
                              </For>
                            </span>
                          </li>
                        )}
                      </For>
                    </ul>
                    <Show when={blocked().length > MaxListed}>
                      <p class="quiet">{number(blocked().length - MaxListed)} more wait. The diagram has them.</p>
                    </Show>
                  </section>
                </Show>
              </div>
            </div>
          </Show>
        )}
      </Show>
    </>
  )
}
export default Dependencies
