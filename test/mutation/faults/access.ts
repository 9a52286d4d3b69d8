/** Faults in who gets what: the order of claims, the ways to `done`, scopes, and repeated requests. */
import type { Fault } from "../Fault.ts"

export const access: ReadonlyArray<Fault> = [
  {
    name: "age-ignored",
    breaks: "Of tasks of the same priority the oldest is claimed first.",
    file: "src/sql/lease/Claim.ts",
    find: "sql`ORDER BY priority_rank, created_at, id LIMIT 1`",
    replace: "sql`ORDER BY priority_rank, id LIMIT 1`"
  },
  {
    name: "priority-as-text",
    breaks: "P10 comes after P2.",
    symbol: "Priority.rank",
    find: ": Number(number)",
    replace: ": Number(number[0])"
  },
  {
    name: "roles-out-of-order",
    breaks: "A claim for several roles gets the first task of all of them.",
    file: "src/sql/lease/Claim.ts",
    find: "ORDER BY ${first} best.priority_rank, best.created_at, best.id LIMIT 1",
    replace: "ORDER BY ${first} best.id LIMIT 1"
  },
  {
    name: "capacity-ignored",
    breaks: "A machine is given no more tasks than it may hold.",
    file: "src/sql/lease/Entitled.ts",
    find: "${reviews ? sql`` : sql`AND ${hasRoom(scope, claim)}`}",
    replace: ""
  },
  {
    name: "maintenance-ignored",
    breaks: "A machine that is in maintenance is given nothing.",
    file: "src/sql/lease/Entitled.ts",
    find: " AND status <> 'maintenance'",
    replace: ""
  },
  {
    name: "done-by-patch",
    breaks: "`done` is reached by accept or by an administrator, not by a PATCH.",
    symbol: "TaskPatch.plan",
    find: "task.queue !== \"done\" && !forced) return InvalidTask.doneByPatch()",
    replace: "task.queue !== \"provisional\" && !forced) return InvalidTask.doneByPatch()"
  },
  {
    name: "claim-across-scopes",
    breaks: "A claim gets no task of another scope.",
    file: "src/sql/lease/Claim.ts",
    find: "scope = ${scope} AND queue = ${queue} AND ${claimable}",
    replace: "queue = ${queue} AND ${claimable}"
  },
  {
    name: "read-across-scopes",
    breaks: "A task of another scope is not found by its id.",
    file: "src/services/task/read.ts",
    find: "FROM tasks WHERE id = :id AND ${inScope}`",
    replace: "FROM tasks WHERE id = :id`"
  },
  {
    name: "list-across-scopes",
    breaks: "A list shows no task of another scope.",
    file: "src/sql/task/Places.ts",
    find: "scope = \":scope\"): string =>",
    replace: "scope = \"tasks.scope\"): string =>"
  },
  {
    name: "history-across-scopes",
    breaks: "Nor is the history of one.",
    file: "src/services/task/read.ts",
    find: "history WHERE task_id = :id AND ${inScope}`",
    replace: "history WHERE task_id = :id`"
  },
  {
    name: "poll-across-scopes",
    breaks: "A scheduler is shown no task of another scope.",
    file: "src/services/machine/Scheduler.ts",
    find: "queue: \"'provisional'\", scope })",
    replace: "queue: \"'provisional'\", scope: \"tasks.scope\" })"
  },
  {
    name: "reaper-across-scopes",
    breaks: "A claim takes back nothing of another scope.",
    file: "src/sql/lease/Expiry.ts",
    find: "${scope === undefined ? scopes : sql`= ${scope}`}",
    replace: "${scopes}"
  },
  {
    name: "key-not-kept",
    breaks: "A request that is repeated under its idempotency key has its effect once.",
    file: "src/sql/Idempotency.ts",
    find: "${where} HAVING count(*) > 0`),",
    replace: "${where} HAVING count(*) > 1`),"
  },
  {
    name: "key-for-any-body",
    breaks: "A key is refused for another request than the one it was sent with.",
    file: "src/sql/Idempotency.ts",
    find: "if (row.fingerprint !== key.fingerprint) return",
    replace: "if (row.fingerprint === undefined) return"
  },
  {
    name: "key-kept-by-refusal",
    breaks: "A refused create keeps nothing under its key, whoever made a task of that name in the same millisecond.",
    file: "src/services/task/create.ts",
    find: "from: sql`${made} AND changes() > 0`",
    replace: "from: sql`tasks WHERE ${self}`"
  },
  {
    name: "reviews-fill-machine",
    breaks: "What a machine reviews does not count against the tasks it may hold.",
    file: "src/sql/lease/Entitled.ts",
    find: "      AND queue = 'claimed' AND orchestrator_id",
    replace: "      AND orchestrator_id"
  },
  {
    name: "claim-wakes-others",
    breaks: "A claim is a sign of life for the machine of its own scope only.",
    file: "src/sql/lease/Entitled.ts",
    find: "own: sql`id = ${orchestrator_id} AND scope = ${scope}`",
    replace: "own: sql`id = ${orchestrator_id}`"
  },
  {
    name: "heartbeat-tells-one-scope",
    breaks: "A heartbeat that renews leases of several scopes changes what is told of each.",
    file: "src/services/lease/renew.ts",
    find: "scope IN (SELECT tasks.scope ${",
    replace: "scope IN (SELECT min(tasks.scope) ${"
  }
]

/** Faults in what a key may do, and for how long. */
export const keys: ReadonlyArray<Fault> = [
  {
    name: "refused-for-ever",
    breaks: "A token that was refused is looked up again after a minute.",
    file: "src/services/access/Access.ts",
    find: "if (age >= 0 && age < BlockMillis) return true",
    replace: "if (at !== undefined && age >= 0) return true"
  },
  {
    name: "ended-key-goes-on",
    breaks: "A key that ended in one isolate is refused by the others at that instant.",
    file: "src/services/access/KnownKeys.ts",
    find: "AND (expires_at IS NULL OR expires_at > :now))`",
    replace: "OR :now > 0)`"
  },
  {
    name: "keys-share-idempotency",
    breaks: "Two keys of a scope are two callers, whose idempotency keys are their own.",
    file: "src/http/request/Idempotency.ts",
    find: "hash(caller.kind, caller.scope, caller.id, key)",
    replace: "hash(caller.kind, caller.scope, key)"
  },
  {
    name: "rows-told-to-keys",
    breaks: "A key's caller does not learn how many rows were read.",
    symbol: "identify",
    find: "showsRows.value = kind !== \"key\"",
    replace: "showsRows.value = kind !== undefined"
  },
  {
    name: "import-across-scopes",
    breaks: "A scope's export file writes nothing into another scope.",
    file: "scripts/data/dump/check.ts",
    find: "if (scope !== null && record.scope !== scope) {",
    replace: "if (scope !== null && kind === \"tasks\" && record.scope !== scope) {"
  }
]
