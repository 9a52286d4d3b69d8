/** Registering a machine, and giving its scope a first key, in one batch. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CurrentActor } from "../../domain/Actor.ts"
import { OrchestratorId, type ScopeName } from "../../domain/Identifier.ts"
import { OrchestratorRow, OrchestratorTaken, type Registration } from "../../domain/Orchestrator.ts"
import { Database } from "../../sql/Database.ts"
import { Keys } from "../Keys.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(OrchestratorRow))

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const keys = yield* Keys

  return Effect.fn("Orchestrators.register")(function*(scope: ScopeName, machine: Registration) {
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
      (yield* CurrentActor).name ?? id,
      sql`EXISTS (SELECT 1 FROM orchestrators WHERE id = ${id} AND scope = ${scope} ${same})`
    )
    const [before, rows, issued] = yield* batch([
      sql`SELECT id FROM orchestrators WHERE id = ${id} AND scope = ${scope}`,
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
        ON CONFLICT (id, scope) DO UPDATE SET cluster = excluded.cluster, machine_id = excluded.machine_id,
          hostname = excluded.hostname, repo_url = excluded.repo_url, version = excluded.version,
          capabilities = excluded.capabilities, max_agents = excluded.max_agents,
          max_claimed = excluded.max_claimed, last_heartbeat = excluded.last_heartbeat,
          status = iif(status = 'maintenance', status, 'active')
        WHERE 1 ${same}
        RETURNING *`,
      key.insert
    ])
    const [row] = yield* Effect.orDie(decodeRows(rows))
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
})
