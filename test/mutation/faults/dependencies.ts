/** Faults in what tasks wait for. */
import type { Fault } from "../Fault.ts"

export const dependencies: ReadonlyArray<Fault> = [
  {
    name: "blocked-handed-out",
    breaks: "A task that waits for another is never handed out.",
    file: "src/sql/lease/Claim.ts",
    find: "SELECT id FROM tasks INDEXED BY ${index} WHERE ${ready} AND lane = ${roles[0]} ${order}",
    replace:
      "SELECT id FROM tasks WHERE scope = ${scope} AND queue = ${queue} AND claimed_by IS NULL AND lane = ${roles[0]} ${order}"
  },
  {
    name: "accept-unblocks-nobody",
    breaks: "When its last blocker is accepted, a task may be claimed.",
    file: "src/services/task/move.ts",
    find: "...cascade.settle(cascade.of(id, now), now)",
    replace: "...(move === moves.accept ? [] : cascade.settle(cascade.of(id, now), now))"
  },
  {
    name: "force-unblocks-nobody",
    breaks: "So it may when an administrator says that the blocker is done.",
    file: "src/services/task/patch.ts",
    find: "const settle = fall.length === 0 ?",
    replace: "const settle = fall.length === 0 || forcedBy !== undefined ?"
  },
  {
    name: "delete-unblocks-nobody",
    breaks: "So it may when the blocker is deleted.",
    file: "src/services/task/remove.ts",
    find: "      ...releases,\n",
    replace: ""
  },
  {
    name: "reopened-blocker-ignored",
    breaks: "When a blocker that was done is brought back, the task waits again.",
    file: "src/sql/legacy/Cascade.ts",
    find: "iif(satisfied_at IS NULL, ${now}, NULL)",
    replace: "coalesce(satisfied_at, ${now})"
  },
  {
    name: "cancelled-blocker-ignored",
    breaks: "A blocker that is cancelled has failed, for whoever fails with it.",
    file: "src/sql/dependency/Dependency.ts",
    find: "export const lost = [\"failed\", \"cancelled\"]",
    replace: "export const lost = [\"failed\"]"
  },
  {
    name: "freed-task-does-not-fall",
    breaks: "A task that comes back from its holder fails if what it waits for failed meanwhile.",
    file: "src/services/lease/failFreed.ts",
    find: "if (blocked.length === 0) return false",
    replace: "if (blocked.length < 2) return false"
  },
  {
    name: "failure-stops-at-the-first",
    breaks: "The tasks that wait for those that failed with a task fail as well.",
    file: "src/sql/legacy/Cascade.ts",
    find: "UNION SELECT edge.task_id FROM ${onwards})`",
    replace: ")`"
  },
  {
    name: "failed-with-another-keeps-waiting",
    breaks: "A task that skips a blocker waits no longer when that fails with its own blocker.",
    file: "src/sql/legacy/Cascade.ts",
    find: "AND edge.on_failure <> 'wait')`",
    replace: "AND edge.on_failure = 'fail')`"
  },
  {
    name: "refused-failure-fails-others",
    breaks: "A move that is refused fails no other task, also where one was redriven since the first failure.",
    file: "src/sql/legacy/Cascade.ts",
    find: "made === undefined ? sql`` : Edges.onlyIf(sql, made)",
    replace: "sql``"
  },
  {
    name: "cycle-let-in",
    breaks: "No task waits for itself, over any number of others.",
    file: "src/sql/dependency/Cycles.ts",
    find: "(:added = '[]' OR NOT EXISTS",
    replace: "(json_array_length(:added) < 2 OR NOT EXISTS"
  }
]
