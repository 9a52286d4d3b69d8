/** Faults in what stops work: terminal failures, and caps on review rounds. */
import type { Fault } from "../Fault.ts"

export const stops: ReadonlyArray<Fault> = [
  {
    name: "terminal-redriven",
    breaks: "A failure that no retry mends is redriven only by a request that says so.",
    symbol: "Move.redrivable",
    find: "AND (:terminal OR NOT terminal OR queue <> 'failed')",
    replace: "AND (:terminal OR NOT terminal OR queue = 'failed')"
  },
  {
    name: "terminal-stays",
    breaks: "A task that leaves `failed` by a PATCH is no terminal failure any more.",
    symbol: "TaskPatch.endColumns",
    find: "queue !== \"failed\" ? { terminal: 0 } : {}",
    replace: "queue !== \"failed\" ? {} : {}"
  },
  {
    name: "review-rounds-ignored",
    breaks: "The cap of a project on review rounds fails a task, if it is shorter than the limit of the task.",
    symbol: "Move.byProject",
    find: "coalesce(${own} > rounds, rounds IS NOT NULL)",
    replace: "coalesce(${own} < rounds, rounds IS NOT NULL)"
  }
]
