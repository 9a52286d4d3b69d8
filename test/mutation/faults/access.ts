/** Faults in who gets what: the order of claims, the ways to `done`, scopes, and repeated requests. */
import type { Fault } from "../Fault.ts"

export const access: ReadonlyArray<Fault> = [
  {
    name: "age-ignored",
    breaks: "A claim gets the oldest task of a priority first.",
    symbol: "Claim.order",
    find: "priority_rank, created_at, id LIMIT 1",
    replace: "priority_rank, id LIMIT 1"
  },
  {
    name: "priority-as-text",
    breaks: "A claim gets P2 before P10.",
    symbol: "Priority.rank",
    find: ": Number(number)",
    replace: ": Number(number[0])"
  },
  {
    name: "roles-out-of-order",
    breaks: "A claim for several roles gets the most urgent task of all of these roles.",
    symbol: "Claim.nextTask",
    find: "ORDER BY ${first} best.priority_rank, best.created_at, best.id LIMIT 1",
    replace: "ORDER BY ${first} best.id LIMIT 1"
  },
  {
    name: "capacity-ignored",
    breaks: "A machine gets no more tasks than it may hold.",
    symbol: "Claim.make",
    find: " AND ${hasRoom}",
    replace: ""
  },
  {
    name: "maintenance-ignored",
    breaks: "A machine in maintenance gets no task.",
    step: "recorded",
    find: " AND status <> 'maintenance'",
    replace: ""
  },
  {
    name: "done-by-patch",
    breaks: "A task reaches `done` by accept or by an administrator, not by a PATCH.",
    symbol: "PatchPlan.plan",
    find: "task.queue !== \"done\" && !forced) return InvalidTask.doneByPatch()",
    replace: "task.queue !== \"provisional\" && !forced) return InvalidTask.doneByPatch()"
  },
  {
    name: "ranks-ignored",
    breaks: "A key does no more than its rank may.",
    symbol: "Rank.reaches",
    find: "ranks.indexOf(rank) >= ranks.indexOf(needed)",
    replace: "ranks.indexOf(rank) >= 0 && ranks.includes(needed)"
  },
  {
    name: "rank-lost-by-rotation",
    breaks: "A rotated key keeps its rank.",
    step: "inserted",
    find: "SELECT :hash, :id, scope, name, rank,",
    replace: "SELECT :hash, :id, scope, name, 'manage',"
  },
  {
    name: "claim-across-scopes",
    breaks: "A claim gets no task of another scope.",
    symbol: "Claim.nextTask",
    find: "scope = :scope AND queue = :queue",
    replace: "queue = :queue"
  },
  {
    name: "read-across-scopes",
    breaks: "A caller of one scope does not find a task of another scope by its id.",
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
    breaks: "A caller of one scope does not read the history of a task of another scope.",
    file: "src/services/task/read.ts",
    find: "history WHERE task_id = :id AND ${inScope}`",
    replace: "history WHERE task_id = :id`"
  },
  {
    name: "poll-across-scopes",
    breaks: "A poll of a scheduler shows no task of another scope.",
    file: "src/services/machine/Scheduler.ts",
    find: "queue: \"'provisional'\", scope })",
    replace: "queue: \"'provisional'\", scope: \"tasks.scope\" })"
  },
  {
    name: "reaper-across-scopes",
    breaks: "A claim takes back no lease of another scope.",
    symbol: "Expiry.within",
    find: "scoped ? \"scope = :scope\" : ",
    replace: ""
  },
  {
    name: "key-not-kept",
    breaks: "A repeated request under the same idempotency key has its effect once.",
    file: "src/sql/Idempotency.ts",
    find: "${where} HAVING count(*) > 0`),",
    replace: "${where} HAVING count(*) > 1`),"
  },
  {
    name: "key-for-any-body",
    breaks: "The server refuses an idempotency key with another request than its first.",
    file: "src/sql/Idempotency.ts",
    find: "if (row.fingerprint !== key.fingerprint) return",
    replace: "if (row.fingerprint === undefined) return"
  },
  {
    name: "key-kept-by-refusal",
    breaks:
      "A refused create keeps nothing under its key, even if another caller creates a task of that name in the same millisecond.",
    symbol: "create.created",
    find: "where: \"id = :id AND scope = :scope\" })",
    replace: "where: \"id = :id AND scope = :scope\", provenBy: \"where\" })"
  },
  {
    name: "key-kept-without-proof",
    breaks: "A refused request keeps nothing under its key.",
    symbol: "Idempotency.hadEffect",
    find: "`changes() > 0 AND ${where}`",
    replace: "where"
  },
  {
    name: "reviews-fill-machine",
    breaks: "The reviews of a machine do not count towards the tasks that it may hold.",
    symbol: "Claim.hasRoom",
    find:
      "  OR coalesce((SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = :scope), 0) < coalesce(:max_claimed, max_claimed)\n  OR (SELECT count(*) FROM (\n    SELECT 1 FROM tasks INDEXED BY tasks_leased WHERE claimed_by IS NOT NULL AND scope = :scope AND queue = 'claimed'\n",
    replace:
      "  OR (SELECT count(*) FROM (\n    SELECT 1 FROM tasks INDEXED BY tasks_leased WHERE claimed_by IS NOT NULL AND scope = :scope\n"
  },
  {
    name: "claim-wakes-others",
    breaks: "A claim updates the heartbeat of the machine in its own scope only.",
    step: "seen",
    find: "WHERE id = :machine AND scope = :scope AND",
    replace: "WHERE id = :machine AND"
  },
  {
    name: "heartbeat-tells-one-scope",
    breaks: "A heartbeat that renews leases of several scopes raises the revision of each scope.",
    file: "src/sql/lease/Renewal.ts",
    find: "scope IN (SELECT tasks.scope ${",
    replace: "scope IN (SELECT min(tasks.scope) ${"
  }
]

/** Faults in what a key may do, and for how long. */
export const keys: ReadonlyArray<Fault> = [
  {
    name: "refused-for-ever",
    breaks: "The server looks a refused token up again after a minute.",
    file: "src/services/access/Access.ts",
    find: "if (age >= 0 && age < BlockMillis) return true",
    replace: "if (at !== undefined && age >= 0) return true"
  },
  {
    name: "ended-key-goes-on",
    breaks: "A key that ended in one isolate ends in the others at the same instant.",
    file: "src/services/access/KnownKeys.ts",
    find: "AND (expires_at IS NULL OR expires_at > :now))`",
    replace: "OR :now > 0)`"
  },
  {
    name: "keys-share-idempotency",
    breaks: "Two keys of a scope are two callers, and each has its own idempotency keys.",
    file: "src/http/request/Idempotency.ts",
    find: "hash(caller.kind, caller.scope, caller.id, key)",
    replace: "hash(caller.kind, caller.scope, key)"
  },
  {
    name: "rows-told-to-keys",
    breaks: "A caller with a key does not learn how many rows the server read.",
    symbol: "access/Authorization.identify",
    find: "showsRows.value = kind !== \"key\"",
    replace: "showsRows.value = kind !== undefined"
  },
  {
    name: "import-across-scopes",
    breaks: "The export file of a scope writes nothing into another scope.",
    file: "src/cli/transfer/check.ts",
    find: "if (scope !== null && record.scope !== scope) {",
    replace: "if (scope !== null && kind === \"tasks\" && record.scope !== scope) {"
  }
]
