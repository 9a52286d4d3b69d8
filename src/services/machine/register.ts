/** Registering a machine, and giving its scope a first key, in one batch. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Fragment } from "effect/sql/Statement"
import { CurrentActor } from "../../domain/access/Caller.ts"
import { OrchestratorId, type ScopeName } from "../../domain/Identifier.ts"
import { OrchestratorRow, OrchestratorTaken, type Registration } from "../../domain/machine/Orchestrator.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { Keys } from "../access/Keys.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(OrchestratorRow))
const decodeKept = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  created: Schema.BooleanFromBit,
  registered_at: OrchestratorRow.fields.registered_at,
  status: OrchestratorRow.fields.status,
  salt: Schema.NullOr(Schema.String)
})))

export const make = Effect.gen(function*() {
  const { sql } = yield* Database
  const once = yield* Idempotency.make
  const keys = yield* Keys

  return Effect.fn("Orchestrators.register")(function*(scope: ScopeName, machine: Registration) {
    const now = yield* Clock.currentTimeMillis
    const { cluster, machine_id } = machine
    const id = OrchestratorId.make(machine.id || `${cluster}-${machine_id}`)
    // Ids are joined with a dash that names may hold too: `k-a` + `b` and `k` + `a-b` are two machines. Whoever chose
    // an id means the machine that goes by it, and what it is called otherwise may change.
    const theSame = (known: Fragment) =>
      machine.id ? sql`1` : sql`${known}.cluster = ${cluster} AND ${known}.machine_id = ${machine_id}`
    const same = theSame(sql`orchestrators`)
    const key = yield* keys.first(
      scope,
      `registration of ${id}`,
      (yield* CurrentActor).name ?? id,
      sql`EXISTS (SELECT 1 FROM orchestrators WHERE id = ${id} AND scope = ${scope} AND ${same})`
    )
    const { answers: [before, rows, issued], replay } = yield* once.batch([
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
        WHERE ${same}
        RETURNING *`,
      key.insert
    ], {
      // Before the machine is there, as long as one can tell whether it was, and whether its scope had a key.
      after: 0,
      row: {
        created: sql`known.id IS NULL`,
        registered_at: sql`coalesce(known.registered_at, ${now})`,
        status: sql`iif(known.status = 'maintenance', known.status, 'active')`,
        salt: sql`iif(EXISTS (SELECT 1 FROM api_keys WHERE api_keys.scope = ${scope}), NULL, ${key.salt})`
      },
      from: sql`(SELECT 1) LEFT JOIN orchestrators AS known ON known.id = ${id} AND known.scope = ${scope}
        WHERE known.id IS NULL OR ${theSame(sql`known`)}`
    })
    if (replay !== undefined) {
      const { created, registered_at, salt, status } = (yield* Effect.orDie(decodeKept(replay.rows)))[0]!
      const api_key = salt === null ? {} : { api_key: yield* keys.again(salt) }
      return { created, registered: { orchestrator_id: id, registered_at, status, ...api_key } }
    }
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
