/** Faults in who gets what: the order of claims, the ways to `done`, scopes, and repeated requests. */
import type { Fault } from "../Fault.ts"

export const access: ReadonlyArray<Fault> = [
  {
    name: "age-ignored",
    breaks: "Of tasks of the same priority the oldest is claimed first.",
    file: "src/sql/NextTask.ts",
    find: "sql`ORDER BY priority_rank, created_at, id LIMIT 1`",
    replace: "sql`ORDER BY priority_rank, id LIMIT 1`"
  },
  {
    name: "priority-as-text",
    breaks: "P10 comes after P2.",
    file: "src/domain/Priority.ts",
    find: ": Number(number)",
    replace: ": Number(number[0])"
  },
  {
    name: "roles-out-of-order",
    breaks: "A claim for several roles gets the first task of all of them.",
    file: "src/sql/NextTask.ts",
    find: "ORDER BY ${first} best.priority_rank, best.created_at, best.id LIMIT 1",
    replace: "ORDER BY ${first} best.id LIMIT 1"
  },
  {
    name: "capacity-ignored",
    breaks: "A machine is given no more tasks than it may hold.",
    file: "src/sql/Entitled.ts",
    find: "${reviews ? sql`` : sql`AND ${hasRoom(scope, claim)}`}",
    replace: ""
  },
  {
    name: "maintenance-ignored",
    breaks: "A machine that is in maintenance is given nothing.",
    file: "src/sql/Entitled.ts",
    find: "AND ${own} AND status <> 'maintenance'",
    replace: "AND ${own}"
  },
  {
    name: "done-by-patch",
    breaks: "`done` is reached by accept or by an administrator, not by a PATCH.",
    file: "src/domain/TaskPatch.ts",
    find: "task.queue !== \"done\" && !forced) return InvalidTask.doneByPatch()",
    replace: "task.queue !== \"provisional\" && !forced) return InvalidTask.doneByPatch()"
  },
  {
    name: "claim-across-scopes",
    breaks: "A claim gets no task of another scope.",
    file: "src/sql/NextTask.ts",
    find: "scope = ${scope} AND queue = ${queue} AND ${claimable}",
    replace: "queue = ${queue} AND ${claimable}"
  },
  {
    name: "read-across-scopes",
    breaks: "A task of another scope is not found by its id.",
    file: "src/services/TaskQueue/read.ts",
    find: "FROM tasks WHERE id = ${id} AND ${within(sql, scope)}`])",
    replace: "FROM tasks WHERE id = ${id}`])"
  },
  {
    name: "list-across-scopes",
    breaks: "A list shows no task of another scope.",
    file: "src/services/TaskQueue/read.ts",
    find: "const among = { scope: sql`${scope}`,",
    replace: "const among = { scope: sql`tasks.scope`,"
  },
  {
    name: "history-across-scopes",
    breaks: "Nor is the history of one.",
    file: "src/services/TaskQueue/read.ts",
    find: "const all = sql`task_id = ${id} AND ${within(sql, scope)}`",
    replace: "const all = sql`task_id = ${id}`"
  },
  {
    name: "poll-across-scopes",
    breaks: "A scheduler is shown no task of another scope.",
    file: "src/services/Scheduler.ts",
    find: "${all({ scope, queue: sql`'provisional'` },",
    replace: "${all({ scope: sql`tasks.scope`, queue: sql`'provisional'` },"
  },
  {
    name: "reaper-across-scopes",
    breaks: "A claim takes back nothing of another scope.",
    file: "src/sql/Expiry.ts",
    find: "${scope === undefined ? scopes : sql`= ${scope}`}",
    replace: "${scopes}"
  },
  {
    name: "key-not-kept",
    breaks: "A request that is repeated under its idempotency key has its effect once.",
    file: "src/sql/Idempotency.ts",
    find: "FROM ${kept.from} HAVING count(*) > 0`",
    replace: "FROM ${kept.from} HAVING count(*) > 1`"
  },
  {
    name: "key-for-any-body",
    breaks: "A key is refused for another request than the one it was sent with.",
    file: "src/sql/Idempotency.ts",
    find: "if (row.fingerprint !== key.fingerprint) return",
    replace: "if (row.fingerprint === undefined) return"
  }
]
