/** Breakers: reads them, sets them and closes them. What opens them is in `sql/record/Breakers.ts`. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CurrentActor } from "../../domain/access/Caller.ts"
import { ProjectId, type ScopeName, TaskId } from "../../domain/Identifier.ts"
import {
  type Breaker,
  type BreakerClosing,
  type BreakerList,
  BreakerNotFound,
  type BreakerSettings,
  DefaultWaitSeconds,
  DefaultWindowSeconds,
  MaxBreakers
} from "../../domain/record/Breaker.ts"
import { ProjectNotFound } from "../../domain/record/Project.ts"
import type { Row } from "../../sql/Batch.ts"
import { Database } from "../../sql/Database.ts"
import * as Feed from "../../sql/Feed.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import * as Breakers from "../../sql/record/Breakers.ts"
import * as ByProject from "../../sql/record/ByProject.ts"
import { statement, type Values } from "../../sql/Statement.ts"

const columns = {
  project_id: "breakers.project_id",
  threshold: "threshold",
  window_millis: "window_millis",
  wait_millis: "wait_millis",
  opened_at: "breakers.opened_at",
  reason: "breakers.reason",
  tripped_by: "breakers.tripped_by",
  probes: "probes",
  retry_at: "breakers.retry_at",
  canary: "iif(half_open, breakers.canary_task, NULL)"
}
const shown = Object.entries(columns).map(([name, value]) => `${value} AS ${name}`).join(", ")
const from = "breakers LEFT JOIN open_breakers USING (scope, project_id)"

const listed = statement(`
  SELECT ${shown} FROM ${from} WHERE scope = :scope ORDER BY project_id LIMIT ${MaxBreakers}`)

const one = "scope = :scope AND project_id = :project_key"
const byKey = statement(`SELECT ${shown} FROM ${from} WHERE ${one}`)
const project = statement("SELECT id FROM projects WHERE id = :project_key AND scope = :scope")

const known = "(:project_key = '' OR EXISTS (SELECT 1 FROM projects WHERE id = :project_key AND scope = :scope))"

const set = statement(`
  INSERT INTO breakers (scope, project_id, threshold, window_millis, wait_millis)
  SELECT :scope, :project_key, :threshold, :window_millis, :wait_millis WHERE ${known}
  ON CONFLICT (scope, project_id) DO UPDATE SET threshold = excluded.threshold, window_millis = excluded.window_millis,
    wait_millis = excluded.wait_millis`)

const removed = statement(`DELETE FROM breakers WHERE ${one}`)

const counted = Feed.counted("= :scope")

const closedBreaker = Idempotency.keeping({ row: columns, from, where: one, provenBy: "where" })

const time = (value: unknown) => value == null ? null : DateTime.makeUnsafe(Number(value))
const task = (value: unknown) => value == null ? null : TaskId.make(String(value))

const decoded = (scope: ScopeName, row: Row): Breaker => {
  return {
    scope,
    project_id: row.project_id === "" ? null : ProjectId.make(String(row.project_id)),
    threshold: row.threshold === null ? null : Number(row.threshold),
    window_seconds: Number(row.window_millis) / 1000,
    wait_seconds: Number(row.wait_millis) / 1000,
    state: row.opened_at === null ? "closed" : row.canary === null ? "open" : "half_open",
    opened_at: time(row.opened_at),
    reason: row.reason === null ? null : String(row.reason),
    tripped_by: task(row.tripped_by),
    failed_canaries: Number(row.probes),
    next_canary_at: time(row.retry_at),
    canary_task_id: task(row.canary)
  }
}

/** The row of a breaker that is off. */
const off = (values: Values): Row => ({
  project_id: values.project_key,
  threshold: null,
  window_millis: values.window_millis,
  wait_millis: values.wait_millis,
  opened_at: null,
  reason: null,
  tripped_by: null,
  probes: 0,
  retry_at: null,
  canary: null
})

export class BreakerSwitches extends Context.Service<BreakerSwitches, {
  /** The breakers of the scope that are on. */
  readonly list: (scope: ScopeName) => Effect.Effect<BreakerList>
  /** Sets the breaker of the scope or of a project. An open breaker stays open, unless it is turned off. */
  readonly set: (scope: ScopeName, settings: BreakerSettings) => Effect.Effect<Breaker, ProjectNotFound>
  /** Closes the breaker. Its failures are forgotten. */
  readonly close: (scope: ScopeName, closing: BreakerClosing) => Effect.Effect<Breaker, BreakerNotFound>
}>()("octopoid-server/services/BreakerSwitches") {
  static readonly layer = Layer.effect(
    BreakerSwitches,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const once = yield* Idempotency.make

      const list = Effect.fn("BreakerSwitches.list")(function*(scope: ScopeName) {
        const { found } = yield* batch({ found: listed({ scope }) })
        return { scope, breakers: found.map((row) => decoded(scope, row)) }
      })

      const change = Effect.fn("BreakerSwitches.set")(function*(
        scope: ScopeName,
        { project_id, threshold, wait_seconds, window_seconds }: BreakerSettings
      ) {
        const isOff = threshold == null
        const values = {
          scope,
          project_key: project_id ?? "",
          threshold: threshold ?? null,
          window_millis: (window_seconds ?? DefaultWindowSeconds) * 1000,
          wait_millis: (wait_seconds ?? DefaultWaitSeconds) * 1000,
          now: yield* Clock.currentTimeMillis,
          actor: (yield* CurrentActor).name,
          excerpt: "The breaker was turned off."
        }
        const { found, projects } = yield* batch({
          projects: project_id == null ? undefined : project(values),
          announced: isOff ? Breakers.byHand.announced(values) : undefined,
          set: (isOff ? removed : set)(values),
          byProject: isOff || project_id == null ? undefined : ByProject.ofScope.map((each) => each(values)),
          counted: isOff ? counted(values) : undefined,
          found: byKey(values)
        })
        if (project_id != null && projects.length === 0) return yield* ProjectNotFound.of(project_id)
        return decoded(scope, found[0] ?? off(values))
      })

      const close = Effect.fn("BreakerSwitches.close")(function*(
        scope: ScopeName,
        { closed_by, project_id, reason }: BreakerClosing
      ) {
        const values = {
          scope,
          project_key: project_id ?? "",
          now: yield* Clock.currentTimeMillis,
          actor: closed_by || (yield* CurrentActor).name,
          excerpt: reason ?? null
        }
        const { answers, replay } = yield* once.batch({
          announced: Breakers.byHand.announced(values),
          closed: Breakers.byHand.applied(values),
          counted: counted(values),
          found: byKey(values)
        }, { keep: "found", answer: closedBreaker, values })
        const [row] = replay?.rows ?? answers.found
        return row === undefined ? yield* BreakerNotFound.of(scope, project_id ?? null) : decoded(scope, row)
      })

      return BreakerSwitches.of({ list, set: change, close })
    })
  )
}
