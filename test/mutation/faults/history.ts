/** Faults in what is written beside a change: its history, its version, and the counters. */
import type { Fault } from "../Fault.ts"

export const history: ReadonlyArray<Fault> = [
  {
    name: "history-outside-the-batch",
    breaks:
      "What happened is recorded in the batch in which it happens, so that no failure leaves one without the other.",
    file: "src/services/task/remove.ts",
    find: `      transition.record(change),
      transition.count(change),
      actions.withdraw(where),
      sql\`DELETE FROM tasks WHERE \${where} RETURNING *\`
    ]
`,
    replace: `      transition.count(change),
      actions.withdraw(where),
      sql\`DELETE FROM tasks WHERE \${where} RETURNING *\`
    ]
    yield* batch([transition.record(change)])
`
  },
  {
    name: "history-left-out",
    breaks: "Every change is recorded: also that of a title.",
    file: "src/services/task/patch.ts",
    find: "      transition.record({ ...change, where: may }),\n",
    replace: "      ...(protocol ? [transition.record({ ...change, where: may })] : []),\n"
  },
  {
    name: "dependency-change-without-version",
    breaks: "Every change of a task raises its version by one: also of what it waits for.",
    file: "src/services/dependency/change.ts",
    find: "UPDATE tasks SET version = version + 1, updated_at",
    replace: "UPDATE tasks SET updated_at"
  },
  {
    name: "hook-without-version",
    breaks: "Every change of a task raises its version by one: also the completion of a hook.",
    file: "src/services/task/hooks.ts",
    find: "UPDATE tasks SET version = version + 1, updated_at",
    replace: "UPDATE tasks SET updated_at"
  },
  {
    name: "claim-not-counted",
    breaks: "The counters equal what counting the rows would give: after a claim.",
    file: "src/services/task/claim.ts",
    find: "transition.count({ where: granted, to: sql`${target}` })",
    replace: "transition.count({ where: granted, to: sql`queue` })"
  },
  {
    name: "delete-not-counted",
    breaks: "The same after a deletion.",
    file: "src/services/task/remove.ts",
    find: "      transition.count(change),\n",
    replace: ""
  },
  {
    name: "cascade-counted-once",
    breaks: "The same after a failure that several tasks share.",
    file: "src/sql/task/QueueCounts.ts",
    find: "UNION ALL SELECT value ->> 0, value ->> 1 FROM json_each(deltas.steps))",
    replace: "UNION ALL SELECT DISTINCT value ->> 0, value ->> 1 FROM json_each(deltas.steps))"
  },
  {
    name: "redrive-keeps-budget",
    breaks: "A redrive gives a task its budgets back.",
    step: "moved",
    find: "attempt_count = 0, lease_losses = 0,",
    replace: "attempt_count = 0,"
  },
  {
    name: "emptied-queue-still-counted",
    breaks: "The counters name only queues that hold tasks: when the last one moves on.",
    file: "src/sql/task/QueueCounts.ts",
    find: "${from}, nullif(${countOf(from)} - 1, 0), ",
    replace: "${from}, ${countOf(from)} - 1, "
  },
  {
    name: "emptied-queue-still-counted-after-cascade",
    breaks: "The same after a change of several tasks.",
    file: "src/sql/task/QueueCounts.ts",
    find: "GROUP BY queue HAVING n <> 0",
    replace: "GROUP BY queue"
  }
]
