/** Orchestrators: who they are, and whether they are alive. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { OrchestratorId, type ScopeName } from "../domain/Identifier.ts"
import {
  type Orchestrator,
  type OrchestratorFilter,
  OrchestratorNotFound,
  OrchestratorRow,
  OrchestratorTaken,
  type Registered,
  type Registration
} from "../domain/Orchestrator.ts"
import { Database } from "../sql/Database.ts"
import { Keys } from "./Keys.ts"
import { Settings } from "./Settings.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(OrchestratorRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

type Reach = ScopeName | undefined

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
  ) => Effect.Effect<Orchestrator, OrchestratorNotFound>
  /** Marks as offline whoever has been silent for too long, and answers how many that were. */
  readonly sweep: Effect.Effect<number>
}>()("octopoid-server/services/Orchestrators") {
  static readonly layer = Layer.effect(
    Orchestrators,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const keys = yield* Keys
      const { orchestratorTimeoutSeconds } = yield* Settings
      const inScope = (scope: Reach) => scope === undefined ? sql`` : sql`AND scope = ${scope}`

      const first = Effect.fnUntraced(function*(id: OrchestratorId, rows: ReadonlyArray<unknown> | undefined) {
        return (yield* decode(rows ?? []))[0] ?? (yield* OrchestratorNotFound.of(id))
      })

      const register = Effect.fn("Orchestrators.register")(function*(scope: ScopeName, machine: Registration) {
        const now = yield* Clock.currentTimeMillis
        const { cluster, machine_id } = machine
        const id = OrchestratorId.make(machine.id || `${cluster}-${machine_id}`)
        // Ids are joined with a dash that names may hold too: `k-a` + `b` and `k` + `a-b` are two machines. Whoever chose
        // an id means the machine that goes by it, and what it is called otherwise may change.
        const same = machine.id
          ? sql``
          : sql`AND orchestrators.cluster = ${cluster} AND orchestrators.machine_id = ${machine_id}`
        const key = yield* keys.first(
          scope,
          `registration of ${id}`,
          id,
          sql`EXISTS (SELECT 1 FROM orchestrators WHERE id = ${id} AND scope = ${scope} ${same})`
        )
        const [before, rows, issued] = yield* batch([
          sql`SELECT id FROM orchestrators WHERE id = ${id}`,
          sql`
            INSERT INTO orchestrators ${
            sql.insert({
              id,
              scope,
              cluster,
              machine_id,
              hostname: machine.hostname ?? null,
              repo_url: machine.repo_url || null,
              version: machine.version ?? null,
              capabilities: machine.capabilities ?? null,
              max_agents: machine.max_agents ?? null,
              max_claimed: machine.max_claimed ?? null,
              status: "active",
              registered_at: now,
              last_heartbeat: now
            })
          }
            ON CONFLICT (id) DO UPDATE SET cluster = excluded.cluster, machine_id = excluded.machine_id,
              hostname = excluded.hostname, repo_url = excluded.repo_url, version = excluded.version,
              capabilities = excluded.capabilities, max_agents = excluded.max_agents,
              max_claimed = excluded.max_claimed, last_heartbeat = excluded.last_heartbeat, status = iif(status = 'maintenance', status, 'active')
            WHERE scope = excluded.scope ${same}
            RETURNING *`,
          key.insert
        ])
        const [row] = yield* decode(rows)
        if (row === undefined) return yield* OrchestratorTaken.of(id)
        const created = before?.length === 0
        const hasKey = issued?.length === 1
        yield* Effect.logInfo("orchestrator registered").pipe(
          Effect.annotateLogs({ orchestrator_id: id, scope, created, key_issued: hasKey })
        )
        return {
          created,
          registered: {
            orchestrator_id: id,
            registered_at: row.registered_at,
            status: row.status,
            ...(hasKey ? { api_key: key.api_key } : {})
          }
        }
      })

      const heartbeat = Effect.fn("Orchestrators.heartbeat")(function*(id: OrchestratorId, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const [, rows] = yield* batch([
          // Apart, because to name `status` in an update is to write its index entry again.
          sql`UPDATE orchestrators SET status = 'active' WHERE id = ${id} AND status = 'offline' ${inScope(scope)}`,
          sql`UPDATE orchestrators SET last_heartbeat = ${now} WHERE id = ${id} ${inScope(scope)} RETURNING *`
        ])
        return (yield* first(id, rows)).last_heartbeat
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
        const [rows] = yield* batch([sql`SELECT * FROM orchestrators WHERE id = ${id} ${inScope(scope)}`])
        return yield* first(id, rows)
      })

      const setStatus = Effect.fn("Orchestrators.setStatus")(
        function*(id: OrchestratorId, status: Orchestrator["status"], scope: Reach) {
          const [rows] = yield* batch([
            sql`UPDATE orchestrators SET status = ${status} WHERE id = ${id} ${inScope(scope)} RETURNING *`
          ])
          const orchestrator = yield* first(id, rows)
          yield* Effect.logInfo("orchestrator status set").pipe(Effect.annotateLogs({ orchestrator_id: id, status }))
          return orchestrator
        }
      )

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

      return Orchestrators.of({ register, heartbeat, list, get, setStatus, sweep })
    })
  ).pipe(Layer.provide(Keys.layer))
}
