/**
 * What a registered flow means for the moves of its tasks. The server computes the rules when a flow is registered and
 * stores them with it, so that a move reads one row.
 */
import type { QueueName } from "../Identifier.ts"

/** A step of a flow. Other fields that a client sent are stored, but have no meaning here. */
export interface Transition {
  readonly from: QueueName
  readonly to: QueueName
}

/** The rules for one kind of task. */
export interface Rules {
  /** The states of the flow. */
  readonly states: ReadonlyArray<QueueName>
  /** The queues that each queue leads to: `{ claimed: { provisional: 1, incoming: 1 } }`. */
  readonly leads: Record<QueueName, Record<QueueName, 1>>
  /** The queue of a submitted result. */
  readonly submit: QueueName
  /** The queue of the result if the task was claimed from a queue that the flow added: `{ testing: "provisional" }`. */
  readonly onward: Record<QueueName, QueueName>
  /** The queue for a burnout, or null if the flow has none. */
  readonly burnOut: QueueName | null
}

export interface FlowRules {
  /** For a task without a project. */
  readonly task: Rules
  /** For a task of a project: the flow's own steps and those of its `child_flow`. */
  readonly child: Rules
}

/** The queues that every flow has. */
export const builtIn: ReadonlyArray<QueueName> = ["incoming", "claimed", "done", "failed", "cancelled"]

/** Queues in which clients put tasks aside, in any flow. */
export const aside: ReadonlyArray<QueueName> = [
  "needs_continuation",
  "requires-intervention",
  "breakdown",
  "escalated",
  "rejected",
  "recycled"
]

// A submit hands a result on, and these queues are no place for a result. Only an accept leads to `done`.
const notHandedOn: ReadonlySet<QueueName> = new Set([...builtIn, ...aside])

const rules = (states: ReadonlyArray<QueueName>, transitions: ReadonlyArray<Transition>): Rules => {
  const targets = Map.groupBy(transitions, ({ from }) => from)
  const leads = Object.fromEntries(
    Array.from(targets, ([from, steps]) => [from, Object.fromEntries(steps.map(({ to }) => [to, 1 as const]))])
  )
  const handedOn = (from: QueueName): QueueName | undefined => {
    const targets = Object.keys(leads[from] ?? {}).filter((queue) => queue !== from && !notHandedOn.has(queue))
    return targets.includes("provisional") ? "provisional" : targets[0]
  }
  const pipeline = Object.keys(leads).filter((queue) => queue !== "provisional" && !notHandedOn.has(queue))
  return {
    states: [...new Set(states)],
    leads,
    submit: handedOn("claimed") ?? "provisional",
    onward: Object.fromEntries(pipeline.flatMap((from) => {
      const to = handedOn(from)
      return to === undefined ? [] : [[from, to]]
    })),
    burnOut: states.includes("needs_continuation") ? "needs_continuation" : null
  }
}

/** The part of a flow that determines its rules. */
export interface Shape {
  readonly states: ReadonlyArray<QueueName>
  readonly transitions: ReadonlyArray<Transition>
}

/** The rules of a flow and of its child flow, which tasks of a project follow. */
export const rulesOf = (flow: Shape, child: Shape | undefined): FlowRules => ({
  task: rules(flow.states, flow.transitions),
  child: rules(
    [...flow.states, ...child?.states ?? []],
    [...child?.transitions ?? [], ...flow.transitions]
  )
})

/**
 * Why a task of this flow cannot be in `queue`. Undefined if it can: a flow that is not registered allows every queue.
 */
export const invalidQueue = (
  queue: QueueName,
  flow: string,
  rules: Rules | undefined
): string | undefined =>
  rules === undefined || builtIn.includes(queue) || aside.includes(queue) || rules.states.includes(queue)
    ? undefined
    : `Invalid queue "${queue}". Valid queues for flow "${flow}": ${
      [...new Set([...builtIn, ...rules.states])].join(", ")
    }`

/** The number of tasks of one flow in one queue. */
export interface Held {
  readonly queue: QueueName
  /** Whether they belong to a project, and so follow the child flow too. */
  readonly child: boolean
  readonly tasks: number
}

/** Queues in which a task may stay: its work has ended, or someone has put it aside. */
const resting: ReadonlyArray<QueueName> = ["done", "failed", ...aside]

/** The queues of the default state machine, which applies if no flow is registered. */
const unregistered: ReadonlyArray<QueueName> = [...builtIn, "provisional", ...aside]

/** One sentence for each queue, for all its tasks together. */
const sentences = (held: ReadonlyArray<Held>, why: (queue: QueueName) => string): ReadonlyArray<string> =>
  Array.from(Map.groupBy(held, ({ queue }) => queue), ([queue, parts]) => {
    const tasks = parts.reduce((sum, part) => sum + part.tasks, 0)
    return `${tasks === 1 ? "1 task of this flow is" : `${tasks} tasks of this flow are`} in "${queue}", ${why(queue)}`
  })

export interface Impact {
  /** The queues that every task can leave, whichever flow it follows. */
  readonly unharmed: ReadonlyArray<QueueName>
  /** A sentence for each queue that holds tasks which cannot leave it. */
  readonly warnings: (held: ReadonlyArray<Held>) => ReadonlyArray<string>
}

/** A new flow, or a new version of one. */
export const impactOfVersion = (states: ReadonlyArray<QueueName>, { child, task }: FlowRules): Impact => {
  const known = new Set([...builtIn, ...states])
  return {
    // The steps of the child include those of the flow itself.
    unharmed: [...resting, ...Object.keys(task.leads)],
    warnings: (held) =>
      sentences(
        held.filter(({ child: ofProject, queue }) => !(ofProject && Object.hasOwn(child.leads, queue))),
        (queue) =>
          known.has(queue)
            ? "which the new version does not lead out of."
            : "which the new version does not have."
      )
  }
}

/** The flow is deleted. */
export const impactOfRemoval: Impact = {
  unharmed: unregistered,
  warnings: (held) => sentences(held, () => "which nothing leads out of without the flow.")
}
