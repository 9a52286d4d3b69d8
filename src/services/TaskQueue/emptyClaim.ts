/** Why a claim got nothing: asked in a second round trip, which a claim that finds work does not pay for. */
import * as Effect from "effect/Effect"
import { aside, builtIn, invalidQueue } from "../../domain/FlowRules.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { InvalidTask } from "../../domain/InvalidTask.ts"
import type { Claim } from "../../domain/MoveInput.ts"
import { AtCapacity, NoTasksAvailable } from "../../domain/TaskErrors.ts"
import { claimOf, moves } from "../../domain/TaskState.ts"
import { Database } from "../../sql/Database.ts"
import * as Ready from "../../sql/Ready.ts"
import { decodeCounts, decodeRules } from "./rows.ts"

// What an empty-handed orchestrator is told to wait, in seconds: its usual tick is longer, an idle retry loop is not.
const RetryAfterSeconds = 15

interface Attempt {
  readonly scope: ScopeName
  readonly claim: Claim
  /** The scope the machine has to belong to, if any. */
  readonly reach: ScopeName | undefined
  /** The queue that was looked into. */
  readonly queue: string
  readonly roles: ReadonlyArray<string>
}

// How many of the tasks that cannot be claimed are looked at.
const Sample = 20

const why = (queue: string, passedOver: boolean, waiting: number, blocked: number) =>
  passedOver
    ? {
      reason: "role_mismatch" as const,
      error: `Tasks in ${queue} are ready, but none of the roles or types of this claim. Ask for others, or later.`
    }
    : blocked > 0
    ? { reason: "blocked" as const, error: `What is in ${queue} waits for other tasks. Ask again later.` }
    : waiting > 0
    ? { reason: "held" as const, error: `What is in ${queue} is held by others. Ask again later.` }
    : {
      reason: "none_ready" as const,
      error: `No task is in ${queue} now. Ask again later, or check the name of the queue.`
    }

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const { held, ready } = Ready.make(sql)

  /** Fails with the reason, or answers the queue that the claim's first role claims from, when that is another one. */
  return Effect.fnUntraced(function*({ claim, queue, reach, roles, scope }: Attempt) {
    const { orchestrator_id } = claim
    const itself = sql`id = ${orchestrator_id} ${reach === undefined ? sql`` : sql`AND scope = ${reach}`}
      ORDER BY scope = ${scope} DESC, last_heartbeat DESC LIMIT 1`
    // Few are looked at, however many wait: what holds for those says enough.
    const waiting =
      sql`tasks INDEXED BY tasks_held WHERE scope = ${scope} AND queue = ${queue} AND ${held} LIMIT ${Sample}`
    const [machines = [], counted = [], known = [], [state] = [], flows = []] = yield* batch([
      sql`
        SELECT status, coalesce(${claim.max_claimed ?? null}, max_claimed) AS maximum,
          (SELECT count(*) FROM tasks
            WHERE orchestrator_id = orchestrators.id AND queue = 'claimed' AND scope = ${scope}) AS held
        FROM orchestrators WHERE ${itself}`,
      sql`SELECT counts FROM queue_counts WHERE scope = ${scope}`,
      sql`
        SELECT name, claims_from FROM roles
        WHERE scope = (SELECT scope FROM orchestrators WHERE ${itself}) ORDER BY name`,
      sql`
        SELECT
          EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_ready WHERE scope = ${scope} AND queue = ${queue}
            AND ${ready}) AS ready,
          count(*) AS waiting, count(blocked_by) AS blocked
        FROM (SELECT blocked_by FROM ${waiting})`,
      ...(builtIn.includes(queue) || aside.includes(queue)
        ? []
        : [sql`SELECT name, rules FROM flows WHERE scope = ${scope}`])
    ])
    const [machine] = machines
    if (machine === undefined) return yield* InvalidTask.unknownOrchestrator(orchestrator_id)
    const names = known.map(({ name }) => String(name))
    const stranger = names.length === 0 ? undefined : roles.find((role) => !names.includes(role))
    if (stranger !== undefined) return yield* InvalidTask.role(stranger, names, "role_filter")
    const elsewhere = claim.queue ? undefined : known.find(({ name }) => name === roles[0])?.claims_from
    if (elsewhere !== undefined && elsewhere !== queue) return String(elsewhere)

    const counts = decodeCounts(counted[0]?.counts)
    const rules = flows.map(({ name, rules }) => ({ name: String(name), rules: decodeRules(rules) }))
    const usual = rules.find(({ name }) => name === "default")?.rules
    const unheardOf = !(queue in counts) &&
      rules.every(({ name, rules }) =>
        invalidQueue(queue, name, rules?.task) !== undefined && invalidQueue(queue, name, rules?.child) !== undefined
      )
    if (usual !== undefined && unheardOf) {
      return yield* InvalidTask.queue(invalidQueue(queue, "default", usual.task) ?? `Invalid queue "${queue}".`)
    }
    const maintenance = machine.status === "maintenance"
    const [maximum, holds] = [machine.maximum, Number(machine.held)]
    if (!maintenance && claimOf(queue) === moves.claim && typeof maximum === "number" && holds >= maximum) {
      return yield* AtCapacity.of(orchestrator_id, holds, maximum, RetryAfterSeconds)
    }
    // A task that is ready for a claim without filters has come up just now.
    const filtered = roles.length > 0 || (claim.type_filter?.length ?? 0) > 0
    const passedOver = filtered && Number(state?.ready) === 1
    return yield* new NoTasksAvailable({
      message: "No tasks available",
      ...(maintenance
        ? {
          reason: "maintenance" as const,
          error: `Orchestrator ${orchestrator_id} is in maintenance and gets no work until that is lifted.`
        }
        : why(queue, passedOver, Number(state?.waiting), Number(state?.blocked))),
      counts,
      retry_after_seconds: RetryAfterSeconds
    })
  })
})
