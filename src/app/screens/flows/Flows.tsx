/** The state machines of the scope, each as a diagram. */
import { createMemo, For, Show } from "solid-js"
import { overview } from "../../api/live.ts"
import { createPages } from "../../api/pages.ts"
import { Ago, Refusal, StateIcon } from "../../parts/Basics.tsx"
import { type Step, stepsOf } from "../../parts/flow.ts"
import { Diagram } from "../../parts/graph/Diagram.tsx"
import { number, plural, toneOf, words } from "../../parts/words.ts"
import { href, place } from "../../Router.ts"
import { defaultSteps } from "./default.ts"
import "./flows.css"

interface Shown {
  readonly name: string
  readonly description: string | null
  readonly states: ReadonlyArray<string>
  readonly steps: ReadonlyArray<Step>
  readonly updated_at: string | undefined
}

/** Wide enough for the longest name, up to a limit: in pixels. */
const sizeOf = (queues: ReadonlyArray<string>) => ({
  width: Math.min(320, Math.max(136, 60 + 8 * Math.max(0, ...queues.map(({ length }) => length)))),
  height: 44
})

const One = (props: { readonly flow: Shown }) => {
  const queues = createMemo(() => [
    ...new Set([...props.flow.states, ...props.flow.steps.flatMap(({ from, to }) => [from, to])])
  ])
  const edges = createMemo(() => {
    const byEnds = Map.groupBy(props.flow.steps, ({ from, to }) => `${from}\n${to}`)
    return [...byEnds.values()].map((steps) => ({
      from: steps[0]!.from,
      to: steps[0]!.to,
      kind: steps.every(({ ofChild }) => ofChild) ? "other" as const : "usual" as const
    }))
  })
  return (
    <section aria-label={`The flow ${props.flow.name}`}>
      <h2>{props.flow.name}</h2>
      <p class="quiet">
        {props.flow.description}
        <Show when={props.flow.updated_at}>
          {props.flow.description === null ? "Changed " : " Changed "}
          <Ago at={props.flow.updated_at} />.
        </Show>{" "}
        The numbers are those of all tasks of the scope, whatever their flow.
      </p>
      <Diagram
        label={`The steps of ${props.flow.name}`}
        nodes={queues()}
        edges={edges()}
        size={sizeOf(queues())}
        node={(queue) => (
          <div class="node" data-tone={toneOf(queue)}>
            <StateIcon tone={toneOf(queue)} />
            <strong title={queue}>{words(queue)}</strong>
            <Show when={(overview()?.queues[queue] ?? 0) > 0}>
              <span class="quiet">{plural(overview()!.queues[queue]!, "task")}</span>
            </Show>
          </div>
        )}
      />
      <details class="flows-steps">
        <summary>{number(props.flow.steps.length)} steps in words</summary>
        <ul>
          <For each={props.flow.steps}>
            {({ from, ofChild, to }) => (
              <li>
                {words(from)} → {words(to)}
                {ofChild ? " (tasks of projects)" : ""}
              </li>
            )}
          </For>
        </ul>
      </details>
    </section>
  )
}

const Flows = () => {
  const flows = createPages("GET /api/v1/flows", () => ({}), (page) => page.flows)
  const all = createMemo((): ReadonlyArray<Shown> =>
    [
      {
        name: "default",
        description: "The steps of a task whose flow is not registered. A person may force any other.",
        states: [],
        steps: defaultSteps.map(({ from, to }) => ({ from, to, ofChild: false })),
        updated_at: undefined
      },
      ...(flows.items() ?? []).map((flow) => ({
        name: flow.name,
        description: flow.description,
        states: JSON.parse(flow.states) as ReadonlyArray<string>,
        steps: stepsOf(flow),
        updated_at: flow.updated_at
      }))
    ].filter((flow, n, list) => list.findLastIndex(({ name }) => name === flow.name) === n)
  )
  const chosen = () => all().find(({ name }) => name === place().path[1]) ?? all().at(-1)
  return (
    <>
      <h1>Flows</h1>
      <Refusal sentence={flows.refusal()} />
      <Show when={flows.items() !== undefined}>
        <div class="flows">
          <nav aria-label="Flows">
            <ul>
              <For each={all()}>
                {({ name }) => (
                  <li>
                    <a href={href(["flows", name])} aria-current={name === chosen()?.name ? "page" : undefined}>
                      {name}
                    </a>
                  </li>
                )}
              </For>
            </ul>
            <Show when={flows.hasMore()}>
              <button type="button" class="button" onClick={flows.more}>Show more flows</button>
            </Show>
            <Show when={flows.items()?.length === 0}>
              <p class="quiet">
                None is registered here. An orchestrator registers its own: see{" "}
                <a href="../docs#flows.register">the API</a>.
              </p>
            </Show>
          </nav>
          <Show when={chosen()?.name} keyed>
            <One flow={chosen()!} />
          </Show>
        </div>
      </Show>
    </>
  )
}
export default Flows
