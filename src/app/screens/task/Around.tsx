/** The tasks around the task: what it waits for, and what waits for it. */
import { createMemo, For, Show } from "solid-js"
import { createQuery } from "../../api/query.ts"
import { State, TaskLink } from "../../parts/Basics.tsx"
import { Diagram } from "../../parts/graph/Diagram.tsx"
import { TaskNode, TaskSize } from "../../parts/graph/TaskNode.tsx"

/** How many tasks are drawn. The server answers with the nearest ones first. */
const MaxDrawn = 80

export const Around = (props: { readonly id: string; readonly version: number }) => {
  const graph = createQuery(
    "GET /api/v1/tasks/:id/graph",
    () => ({ params: { id: props.id }, query: { depth: "10" } }),
    () => props.version
  )
  const nodes = createMemo(() => (graph.data()?.nodes ?? []).slice(0, MaxDrawn))
  const byId = createMemo(() => new Map(nodes().map((node) => [node.task_id, node])))
  const edges = () =>
    (graph.data()?.edges ?? []).map(({ blocker_id, satisfied_at, task_id }) => ({
      from: blocker_id,
      to: task_id,
      kind: satisfied_at === null ? "usual" as const : "past" as const
    }))
  const unmet = () =>
    (graph.data()?.edges ?? []).filter(({ satisfied_at, task_id }) => task_id === props.id && satisfied_at === null)
  const dependents = () => (graph.data()?.edges ?? []).filter(({ blocker_id }) => blocker_id === props.id)
  return (
    <Show when={nodes().length > 1}>
      <section aria-label="Dependencies">
        <h2>Dependencies</h2>
        <p class="quiet">
          <Show when={unmet().length > 0} fallback="It waits for nothing.">
            It waits for{" "}
            <For each={unmet()}>
              {({ blocker_id }, n) => (
                <>
                  {n() > 0 ? ", " : ""}
                  <TaskLink id={blocker_id} title={byId().get(blocker_id)?.title} />{" "}
                  <State state={byId().get(blocker_id)?.queue ?? "missing"} />
                </>
              )}
            </For>
          </Show>{" "}
          <Show when={dependents().length > 0}>
            {dependents().length === 1 ? "1 task depends on it." : `${dependents().length} tasks depend on it.`}
          </Show>
        </p>
        <Diagram
          label="What it waits for, and what waits for it"
          nodes={nodes().map(({ task_id }) => task_id)}
          edges={edges()}
          size={TaskSize}
          middle={props.id}
          node={(id) => <TaskNode id={id} node={byId().get(id)} isHere={id === props.id} />}
        />
        <Show when={graph.data()?.truncated === true || (graph.data()?.nodes.length ?? 0) > MaxDrawn}>
          <p class="quiet">The {nodes().length} nearest tasks are drawn. There are more.</p>
        </Show>
      </section>
    </Show>
  )
}
