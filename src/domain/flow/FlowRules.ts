/**
 * What a registered flow means for the moves of its tasks. Worked out when the flow is registered and kept beside it, so
 * that a move looks up one row and asks no list.
 */
import type { QueueName } from "../Identifier.ts"

/** A step of a flow. Whatever else a client wrote into it is kept, and means nothing here. */
export interface Transition {
  readonly from: QueueName
  readonly to: QueueName
}

/** The rules for one kind of task. */
export interface Rules {
  /** The states there are. */
  readonly states: ReadonlyArray<QueueName>
  /** Where each queue leads: `{ claimed: { provisional: 1, incoming: 1 } }`. */
  readonly leads: Record<QueueName, Record<QueueName, 1>>
  /** Where a submitted result goes. */
  readonly submit: QueueName
  /** Where it goes instead when the task was claimed from a queue of the flow's own: `{ testing: "provisional" }`. */
  readonly onward: Record<QueueName, QueueName>
  /** Where it goes when the agent ran out of turns; null where the flow has no place for that. */
  readonly burnOut: QueueName | null
}

export interface FlowRules {
  /** For a task that stands alone. */
  readonly task: Rules
  /** For a task of a project: the flow's own steps and those of its `child_flow`. */
  readonly child: Rules
}

/** The queues of every flow. */
export const builtIn: ReadonlyArray<QueueName> = ["incoming", "claimed", "done", "failed", "cancelled"]

/** Queues that clients put tasks aside in, whatever flow they follow. */
export const aside: ReadonlyArray<QueueName> = [
  "needs_continuation",
  "requires-intervention",
  "breakdown",
  "escalated",
  "rejected",
  "recycled"
]

// To submit is to hand a result on. These are where work waits, ends or is given up; `done` is for accept.
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

/** A flow as far as the rules go. */
export interface Shape {
  readonly states: ReadonlyArray<QueueName>
  readonly transitions: ReadonlyArray<Transition>
}

/** The rules of a flow and, for the tasks of a project, of its child flow. */
export const rulesOf = (flow: Shape, child: Shape | undefined): FlowRules => ({
  task: rules(flow.states, flow.transitions),
  child: rules(
    [...flow.states, ...child?.states ?? []],
    [...child?.transitions ?? [], ...flow.transitions]
  )
})

/** Why a task that follows this flow cannot be in `queue`, if so. A flow that is not registered allows every queue. */
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

/** Tasks of one flow in one queue. */
export interface Held {
  readonly queue: QueueName
  /** Whether they belong to a project, and so follow the child flow as well. */
  readonly child: boolean
  readonly tasks: number
}

/** Where a task may stay for good: its work has ended there, or somebody has put it aside. */
const resting: ReadonlyArray<QueueName> = ["done", "failed", ...aside]

/** The queues of the default state machine, which holds where no flow is registered. */
const unregistered: ReadonlyArray<QueueName> = [...builtIn, "provisional", ...aside]

/** One sentence for each queue, however its tasks are divided. */
const sentences = (held: ReadonlyArray<Held>, why: (queue: QueueName) => string): ReadonlyArray<string> =>
  Array.from(Map.groupBy(held, ({ queue }) => queue), ([queue, parts]) => {
    const tasks = parts.reduce((sum, part) => sum + part.tasks, 0)
    return `${tasks === 1 ? "1 task of this flow is" : `${tasks} tasks of this flow are`} in "${queue}", ${why(queue)}`
  })

export interface Impact {
  /** The queues in which every task can go on, whichever flow it follows. */
  readonly unharmed: ReadonlyArray<QueueName>
  /** A sentence for every other queue that holds tasks which cannot. */
  readonly warnings: (held: ReadonlyArray<Held>) => ReadonlyArray<string>
}

/** A flow is registered, or registered anew. */
export const impactOfVersion = (states: ReadonlyArray<QueueName>, { child, task }: FlowRules): Impact => {
  const known = new Set([...builtIn, ...states])
  return {
    // The child's steps include the flow's own.
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

/** A flow is deleted. */
export const impactOfRemoval: Impact = {
  unharmed: unregistered,
  warnings: (held) => sentences(held, () => "which nothing leads out of without the flow.")
}
