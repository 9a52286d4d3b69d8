/** Faults in what a call states about the task it is made for: the token of its lease, and its version. */
import type { Fault } from "../Fault.ts"

export const fencing: ReadonlyArray<Fault> = [
  {
    name: "no-fence",
    breaks: "A call that carries another token than the lease's changes nothing.",
    file: "src/sql/lease/Fence.ts",
    find: "sql`AND coalesce(fencing_token, lapsed_token) = ${token}`",
    replace: "sql``"
  },
  {
    name: "fence-passes-older",
    breaks: "A call that carries an older token changes nothing.",
    file: "src/sql/lease/Fence.ts",
    find: "coalesce(fencing_token, lapsed_token) = ${token}",
    replace: "coalesce(fencing_token, lapsed_token) >= ${token}"
  },
  {
    name: "patch-passes-older",
    breaks: "So does no PATCH, and no change of what a task waits for.",
    symbol: "fenceProblem",
    find: ": token === (fencing_token ?? lapsed_token)",
    replace: ": token <= (fencing_token ?? lapsed_token ?? 0)"
  },
  {
    name: "renewal-ignores-token",
    breaks: "Only the holder renews a lease, by its token.",
    step: "renewed",
    find: "+claimed_by IS NOT NULL AND fencing_token = asked.value ->> 1",
    replace: "+claimed_by IS NOT NULL"
  },
  {
    name: "reattach-without-token",
    breaks: "Only the last holder gets a lease back that ran out.",
    file: "src/sql/lease/Renewal.ts",
    find: "tasks.lapsed_token = asked.token AND",
    replace: "tasks.lapsed_token IS NOT NULL AND"
  },
  {
    name: "lapse-outlives-move",
    breaks: "Once somebody moved the task, its last holder may not come back to it.",
    file: "src/sql/task/Ending.ts",
    find: "          lapsed_token = NULL, ${noLease},\n          ${destinationIsDone",
    replace: "          ${noLease},\n          ${destinationIsDone"
  },
  {
    name: "lapse-outlives-cancel",
    breaks: "Once the task was cancelled, its last holder may not come back to it.",
    file: "src/services/task/move.ts",
    find: "available_at = NULL, lapsed_token = NULL, failure_reason",
    replace: "available_at = NULL, failure_reason"
  },
  {
    name: "token-not-raised",
    breaks: "The token rises with every grant.",
    step: "granted",
    find: "grants = max(grants, coalesce((SELECT token FROM fencing_floor WHERE id = 1), 0)) + 1",
    replace: "grants = max(grants, 1)"
  },
  {
    name: "token-forgets-deleted",
    breaks: "It goes on rising when a task is created again under the id of a deleted one.",
    file: "src/services/task/create.ts",
    find: "coalesce((SELECT grants FROM (${before})), 0)",
    replace: "0"
  },
  {
    name: "expected-version-ignored",
    breaks: "A move that states another version than the task's is refused.",
    file: "src/services/task/move.ts",
    find:
      "${typeof version === \"number\" ? sql`AND version = ${version}` : sql``} ${fence(fencing_token, move.afterLapse)}",
    replace: "${fence(fencing_token, move.afterLapse)}"
  },
  {
    name: "patch-passes-older-version",
    breaks: "A PATCH that states an older version than the task's is refused.",
    symbol: "expectationProblem",
    find: "typeof version === \"number\" && version !== task.version",
    replace: "typeof version === \"number\" && version > task.version"
  }
]
