/** Explaining why nobody has a task: the facts are read in one batch, and `domain/task/Explanation.ts` says what they mean. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { TaskId } from "../../domain/Identifier.ts"
import { type AskedClaim, explanationOf } from "../../domain/task/Explanation.ts"
import { InvalidTask, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Edges from "../../sql/dependency/Edges.ts"
import * as Claimant from "../../sql/lease/Claimant.ts"
import { type Reach, within } from "../../sql/Reach.ts"
import * as Ahead from "../../sql/task/Ahead.ts"
import * as Oversized from "../../sql/task/Oversized.ts"
import { decodeEdges } from "../dependency/read.ts"
import { Settings } from "../Settings.ts"
import { firstTask } from "./rows.ts"

// Machines of the scope that are looked at. Where there are more, one that is active may be among those.
const Sample = 20

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const settings = yield* Settings
  const { orchestratorTimeoutSeconds } = settings
  const { home, machine } = Claimant.make(sql)
  const edges = Edges.make(sql)
  const ahead = Ahead.make(sql, settings)
  const { oversized, size } = Oversized.make(sql)

  return Effect.fn("TaskQueue.explain")(function*(id: TaskId, asked: AskedClaim, reach: Reach) {
    const now = yield* Clock.currentTimeMillis
    const { scope: own } = yield* CurrentActor
    const heardSince = now - orchestratorTimeoutSeconds * 1000
    const self = sql`id = ${id} AND ${within(sql, reach)}`
    const scope = sql`(SELECT scope FROM tasks WHERE ${self})`
    const { any_role, max_claimed, orchestrator_id, queue } = asked
    const roles = any_role === true ? [] : asked.role
    const asking = orchestrator_id === undefined ? undefined : { orchestrator_id, reach: own, scope, max_claimed }
    const [tasks, waitsFor = [], [place] = [], known = [], [found] = []] = yield* batch([
      sql`SELECT *, iif(${oversized}, ${size}, NULL) AS oversize FROM tasks WHERE ${self}`,
      edges.listed(id),
      ahead(self, roles, now),
      sql`SELECT name FROM roles WHERE scope = ${asking === undefined ? scope : home(asking)} ORDER BY name`,
      asking === undefined
        ? sql`
          SELECT count(*) AS seen, coalesce(max(status = 'active' AND last_heartbeat >= ${heardSince}), 0) AS active
          FROM (SELECT status, last_heartbeat FROM orchestrators WHERE scope = ${scope} LIMIT ${Sample})`
        : machine(asking, sql`AND lease_expires_at > ${now}`)
    ])
    const task = (yield* firstTask(tasks)) ?? (yield* TaskNotFound.of(id))
    if (orchestrator_id !== undefined && found === undefined) {
      return yield* InvalidTask.unknownOrchestrator(orchestrator_id)
    }
    return explanationOf({
      task,
      // A row that is not blocked waits for nothing, whatever edges it has.
      blockers: task.blocked_by === null ? [] : (yield* Effect.orDie(decodeEdges(waitsFor)))
        .filter(({ satisfied_at }) => satisfied_at === null)
        .map(({ blocker_id, on_failure, queue }) => ({ task_id: blocker_id, on_failure, queue })),
      roles: known.map(({ name }) => String(name)),
      asked: { queue, roles },
      oversize: typeof tasks?.[0]?.oversize === "number" ? tasks[0].oversize : undefined,
      ahead: Number(place?.ahead),
      machine: orchestrator_id === undefined ? undefined : {
        id: orchestrator_id,
        maintenance: found?.status === "maintenance",
        offline: found?.status === "offline" || Number(found?.last_heartbeat) < heardSince,
        claimed: Number(found?.held),
        max_claimed: typeof found?.maximum === "number" ? found.maximum : null
      },
      anyActive: Number(found?.active) === 1 || Number(found?.seen) === Sample,
      now,
      policy: settings
    })
  })
})
