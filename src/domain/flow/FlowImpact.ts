/** What a new version of a flow, or its end, means for the tasks that follow it: which of them cannot go on. */
import type { QueueName } from "../Identifier.ts"
import { aside, builtIn, type FlowRules } from "./FlowRules.ts"

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
export const ofVersion = (states: ReadonlyArray<QueueName>, { child, task }: FlowRules): Impact => {
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
export const ofRemoval: Impact = {
  unharmed: unregistered,
  warnings: (held) => sentences(held, () => "which nothing leads out of without the flow.")
}
