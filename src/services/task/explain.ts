/** Explains why nobody has a task. One batch reads the facts; `domain/task/explain/Explanation.ts` judges them. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { TaskId } from "../../domain/Identifier.ts"
import type { Stopping } from "../../domain/record/Breaker.ts"
import type { Cap } from "../../domain/record/Usage.ts"
import { MaxRecord } from "../../domain/Size.ts"
import { type AskedClaim, explanationOf } from "../../domain/task/explain/Explanation.ts"
import { MaxAhead } from "../../domain/task/explain/Reason.ts"
import { InvalidTask, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import { listed } from "../../sql/dependency/Dependency.ts"
import * as Claimant from "../../sql/lease/Claimant.ts"
import * as Parked from "../../sql/lease/Parked.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import * as Breakers from "../../sql/record/Breakers.ts"
import { statement, type Values, variants } from "../../sql/Statement.ts"
import { ready } from "../../sql/task/Places.ts"
import { decodeEdges } from "../dependency/read.ts"
import { Settings } from "../Settings.ts"
import { firstTask } from "./rows.ts"

// How many machines of the scope are read. If there are more, an active one may be missed.
const Sample = 20

const itself = `id = :id AND ${inScope}`

/** The scope of the task. */
const scope = `(SELECT scope FROM tasks WHERE ${itself})`

const one = statement(`
  SELECT *, iif(bytes > ${MaxRecord}, bytes, NULL) AS oversize,
    (SELECT iif(capped_until > :now, cap, NULL) FROM caps WHERE caps.id = tasks.id) AS cap, ${
  Breakers.stopping("tasks")
} AS breaker
  FROM tasks WHERE ${itself}`)

/**
 * Which tasks compete with this one: those of its own role, of every role, or of `:roles`. `indexed` means that the
 * index of roles has all of `:roles`, `listed` that it does not.
 */
type Lanes = "own" | "any" | "indexed" | "listed"

/** How many tasks a claim takes before `own`: ready tasks, and tasks that the claim itself makes ready. */
const countAhead = (index: string, lane: string) => {
  const first = `${lane} AND (priority_rank, created_at, id) < (own.priority_rank, own.created_at, own.id)`
  return `(SELECT count(*) FROM (
    SELECT 1 FROM tasks INDEXED BY ${index} WHERE scope = own.scope AND queue = own.place AND ${ready} ${first}
    UNION ALL
    SELECT 1 FROM tasks INDEXED BY tasks_backing_off WHERE scope = own.scope AND available_at IS NOT NULL
      AND available_at <= :now AND claimed_by IS NULL AND queue = own.place AND blocked_by IS NULL ${first}
    UNION ALL
    SELECT 1 FROM expiring WHERE scope = own.scope AND lease_expires_at <= :now
      AND (queue <> 'claimed' OR NOT :backs_off) AND to_queue = own.place AND blocked_by IS NULL ${first}
    LIMIT ${MaxAhead}))`
}

const anyLane = countAhead("tasks_ready", "")
const listedLane = "AND lane IN (SELECT value FROM json_each(:roles))"

/**
 * How many tasks a claim takes before this one. A held or finished task has no place in the order. A task with an
 * expired lease has the place that it gets when the lease is taken back.
 */
const ahead = variants((lanes: Lanes) =>
  statement(`
    SELECT ${
    lanes === "own"
      ? `iif(own.lane = '', ${anyLane}, ${countAhead("tasks_ready_for", "AND role IS NOT NULL AND lane = own.lane")})`
      : lanes === "any"
      ? anyLane
      : lanes === "indexed"
      ? countAhead("tasks_ready_for", `AND role IS NOT NULL ${listedLane}`)
      : countAhead("tasks_ready", listedLane)
  } AS ahead
    FROM (
      SELECT id, scope, lane, priority_rank, created_at, CASE
        WHEN queue IN ('done', 'failed', 'cancelled') OR lease_expires_at > :now THEN NULL
        WHEN claimed_by IS NULL THEN queue
        ELSE (SELECT to_queue FROM expiring WHERE expiring.id = tasks.id AND to_queue NOT IN ('failed', 'cancelled'))
      END AS place
      FROM tasks WHERE ${itself}) AS own`)
)

/**
 * The machine that claims and the roles of its scope; without a machine, the roles of the task's scope and its active
 * machines.
 */
const asks = {
  machine: statement(Claimant.machine(scope, "AND lease_expires_at > :now")),
  roles: statement(`SELECT name FROM roles WHERE scope = ${Claimant.home(scope)} ORDER BY name`)
}
const anyone = {
  machine: statement(`
    SELECT count(*) AS seen, coalesce(max(status = 'active' AND last_heartbeat >= :heard_since), 0) AS active
    FROM (SELECT status, last_heartbeat FROM orchestrators WHERE scope = ${scope} LIMIT ${Sample})`),
  roles: statement(`SELECT name FROM roles WHERE scope = ${scope} ORDER BY name`)
}

const lanesOf = (roles: ReadonlyArray<string> | undefined): Lanes =>
  roles === undefined ? "own" : roles.length === 0 ? "any" : roles.includes("") ? "listed" : "indexed"

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const settings = yield* Settings
  const { backoff, orchestratorTimeoutSeconds } = settings

  return Effect.fn("TaskQueue.explain")(function*(id: TaskId, asked: AskedClaim, reach: Reach) {
    const now = yield* Clock.currentTimeMillis
    const { scope: own } = yield* CurrentActor
    const heardSince = now - orchestratorTimeoutSeconds * 1000
    const { any_role, max_claimed, orchestrator_id, queue } = asked
    const roles = any_role === true ? [] : asked.role
    const values: Values = {
      id,
      scope: reach ?? null,
      now,
      roles: JSON.stringify(roles ?? []),
      backs_off: Number(backoff.baseSeconds > 0),
      machine: orchestrator_id ?? null,
      reach: own ?? null,
      max_claimed: max_claimed ?? null,
      heard_since: heardSince,
      account: asked.account ?? null
    }
    const claimant = orchestrator_id === undefined ? anyone : asks
    const { ahead: [place], dependencies, known, machine: [found], parked: [parked], tasks } = yield* batch({
      tasks: one(values),
      dependencies: listed(values),
      ahead: ahead(lanesOf(roles))(values),
      known: claimant.roles(values),
      machine: claimant.machine(values),
      parked: asked.account === undefined ? undefined : Parked.untilForTask(values)
    })
    const task = (yield* firstTask(tasks)) ?? (yield* TaskNotFound.of(id))
    if (orchestrator_id !== undefined && found === undefined) {
      return yield* InvalidTask.unknownOrchestrator(orchestrator_id)
    }
    return explanationOf({
      task,
      // A task that is not blocked waits for nothing, even if it has dependencies.
      blockers: task.blocked_by === null ? [] : (yield* Effect.orDie(decodeEdges(dependencies)))
        .filter(({ satisfied_at }) => satisfied_at === null)
        .map(({ blocker_id, on_failure, queue }) => ({ task_id: blocker_id, on_failure, queue })),
      roles: known.map(({ name }) => String(name)),
      asked: { queue, roles, account: asked.account },
      oversize: typeof tasks[0]?.oversize === "number" ? tasks[0].oversize : undefined,
      cap: tasks[0]?.cap == null ? undefined : tasks[0].cap as Cap,
      breaker: tasks[0]?.breaker == null ? undefined : JSON.parse(String(tasks[0].breaker)) as Stopping,
      parked: parked === undefined ? undefined : Number(parked.until),
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
