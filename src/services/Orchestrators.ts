/** Orchestrators: who they are, and whether they are alive. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { OrchestratorId, ScopeName } from "../domain/Identifier.ts"
import {
  type Orchestrator,
  type OrchestratorFilter,
  OrchestratorNotFound,
  OrchestratorRow,
  type OrchestratorTaken,
  type Registered,
  type Registration
} from "../domain/Orchestrator.ts"
import { ScopeRequired } from "../domain/ScopeRequired.ts"
import { Database } from "../sql/Database.ts"
import * as Idempotency from "../sql/Idempotency.ts"
import { columnsOf } from "../sql/JsonRow.ts"
import { onlyOne, type Reach, within } from "../sql/Reach.ts"
import { Keys } from "./Keys.ts"
import * as Register from "./Orchestrators/register.ts"
import { Settings } from "./Settings.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(OrchestratorRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

export class Orchestrators extends Context.Service<Orchestrators, {
  /** Makes the machine known, or renews what is known of it. `created` says which. A scope without a key gets one. */
  readonly register: (
    scope: ScopeName,
    registration: Registration
  ) => Effect.Effect<{ readonly created: boolean; readonly registered: Registered }, OrchestratorTaken>
  /** A sign of life. One that was offline is active again; maintenance stays. */
  readonly heartbeat: (id: OrchestratorId, scope: Reach) => Effect.Effect<DateTime.Utc, OrchestratorNotFound>
  /** The scope's machines, the one heard of last first. */
  readonly list: (scope: ScopeName, filter: OrchestratorFilter) => Effect.Effect<ReadonlyArray<Orchestrator>>
  readonly get: (id: OrchestratorId, scope: Reach) => Effect.Effect<Orchestrator, OrchestratorNotFound>
  readonly setStatus: (
    id: OrchestratorId,
    status: Orchestrator["status"],
    scope: Reach
  ) => Effect.Effect<Orchestrator, OrchestratorNotFound | ScopeRequired>
  /** Forgets the machine, and frees its id. What it holds goes back when the leases run out. */
  readonly remove: (id: OrchestratorId, scope: Reach) => Effect.Effect<void, OrchestratorNotFound | ScopeRequired>
  /** Marks as offline whoever has been silent for too long, and answers how many that were. */
  readonly sweep: Effect.Effect<number>
}>()("octopoid-server/services/Orchestrators") {
  static readonly layer = Layer.effect(
    Orchestrators,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const once = yield* Idempotency.make
      const row = columnsOf(sql, OrchestratorRow)
      const register = yield* Register.make
      const { orchestratorTimeoutSeconds } = yield* Settings

      const first = Effect.fnUntraced(function*(id: OrchestratorId, rows: ReadonlyArray<unknown> | undefined) {
        return (yield* decode(rows ?? []))[0] ?? (yield* OrchestratorNotFound.of(id))
      })

      const heartbeat = Effect.fn("Orchestrators.heartbeat")(function*(id: OrchestratorId, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const { answers: [, rows], replay } = yield* once.batch([
          // Apart, because to name `status` in an update is to write its index entry again.
          sql`UPDATE orchestrators SET status = 'active' WHERE id = ${id} AND status = 'offline' AND ${
            within(sql, scope)
          }`,
          sql`UPDATE orchestrators SET last_heartbeat = ${now} WHERE id = ${id} AND ${within(sql, scope)} RETURNING *`
        ], { after: 1, row, from: sql`orchestrators WHERE id = ${id} AND ${within(sql, scope)}` })
        return (yield* first(id, replay?.rows ?? rows)).last_heartbeat
      })

      const list = Effect.fn("Orchestrators.list")(function*(scope: ScopeName, filter: OrchestratorFilter) {
        const [rows] = yield* batch([sql`
          SELECT * FROM orchestrators WHERE scope = ${scope}
            ${filter.cluster ? sql`AND cluster = ${filter.cluster}` : sql``}
            ${
          filter.status === undefined || filter.status.length === 0
            ? sql``
            : sql`AND status IN (SELECT value FROM json_each(${JSON.stringify(filter.status)}))`
        }
          ORDER BY last_heartbeat DESC, id`])
        return yield* decode(rows)
      })

      const get = Effect.fn("Orchestrators.get")(function*(id: OrchestratorId, scope: Reach) {
        const [rows] = yield* batch([
          sql`SELECT * FROM orchestrators WHERE id = ${id} AND ${
            within(sql, scope)
          } ORDER BY last_heartbeat DESC, scope LIMIT 1`
        ])
        return yield* first(id, rows)
      })

      const setStatus = Effect.fn("Orchestrators.setStatus")(
        function*(id: OrchestratorId, status: Orchestrator["status"], scope: Reach) {
          const [rows = [], named = []] = yield* batch([
            sql`UPDATE orchestrators SET status = ${status} WHERE ${
              onlyOne(sql, "orchestrators", sql`id = ${id}`, scope)
            } RETURNING *`,
            sql`SELECT 1 FROM orchestrators WHERE id = ${id} AND ${within(sql, scope)}`
          ])
          if (named.length > 1) return yield* ScopeRequired.several("orchestrator", id)
          const orchestrator = yield* first(id, rows)
          yield* Effect.logInfo("orchestrator status set").pipe(Effect.annotateLogs({ orchestrator_id: id, status }))
          return orchestrator
        }
      )

      const remove = Effect.fn("Orchestrators.remove")(function*(id: OrchestratorId, scope: Reach) {
        const [deleted = [], left = []] = yield* batch([
          sql`DELETE FROM orchestrators WHERE ${onlyOne(sql, "orchestrators", sql`id = ${id}`, scope)} RETURNING id`,
          sql`SELECT 1 FROM orchestrators WHERE id = ${id} AND ${within(sql, scope)}`
        ])
        if (left.length > 1) return yield* ScopeRequired.several("orchestrator", id)
        if (deleted.length === 0) return yield* OrchestratorNotFound.of(id)
        yield* Effect.logInfo("orchestrator removed").pipe(Effect.annotateLogs({ orchestrator_id: id }))
      })

      const sweep = Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const [rows = []] = yield* batch([sql`
          UPDATE orchestrators SET status = 'offline'
          WHERE status = 'active' AND last_heartbeat < ${now - orchestratorTimeoutSeconds * 1000} RETURNING *`])
        for (const { id, scope } of yield* decode(rows)) {
          yield* Effect.logInfo("orchestrator offline").pipe(Effect.annotateLogs({ orchestrator_id: id, scope }))
        }
        return rows.length
      }).pipe(Effect.withSpan("Orchestrators.sweep"))

      return Orchestrators.of({ register, heartbeat, list, get, setStatus, remove, sweep })
    })
  ).pipe(Layer.provide(Keys.layer))
}
