/** Registers a machine and issues the first key of its scope, in one batch. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CurrentActor } from "../../domain/access/Caller.ts"
import { OrchestratorId, type ScopeName } from "../../domain/Identifier.ts"
import { OrchestratorRow, OrchestratorTaken, type Registration } from "../../domain/machine/Orchestrator.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { statement } from "../../sql/Statement.ts"
import { Keys } from "../access/Keys.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(OrchestratorRow))
const decodeKept = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  created: Schema.BooleanFromBit,
  registered_at: OrchestratorRow.fields.registered_at,
  status: OrchestratorRow.fields.status,
  salt: Schema.NullOr(Schema.String)
})))

/**
 * Whether the machine with this id is the machine that registers. A caller that chose the id is that machine, and may
 * change its other names. An id that is joined from two names may belong to two machines: `k-a` + `b` and `k` + `a-b`.
 */
const isSame = "(:chosen OR cluster = :cluster AND machine_id = :machine_id)"

const byId = statement("SELECT id FROM orchestrators WHERE id = :id AND scope = :scope")

const insert = statement(`
  INSERT INTO orchestrators (id, scope, cluster, machine_id, hostname, repo_url, version, capabilities,
    max_agents, max_claimed, status, registered_at, last_heartbeat)
  VALUES (:id, :scope, :cluster, :machine_id, :hostname, :repo_url, :version, :capabilities,
    :max_agents, :max_claimed, 'active', :now, :now)
  ON CONFLICT (id, scope) DO UPDATE SET cluster = excluded.cluster, machine_id = excluded.machine_id,
    hostname = excluded.hostname, repo_url = excluded.repo_url, version = excluded.version,
    capabilities = excluded.capabilities, max_agents = excluded.max_agents,
    max_claimed = excluded.max_claimed, last_heartbeat = excluded.last_heartbeat,
    status = iif(status = 'maintenance', status, 'active')
  WHERE ${isSame}
  RETURNING *`)

// A machine is new, or was offline.
const raised = statement(`
  INSERT INTO queue_counts (scope, counts, machines_revision) SELECT :scope, '{}', 1 WHERE NOT EXISTS (
    SELECT 1 FROM orchestrators WHERE id = :id AND scope = :scope AND (status <> 'offline' OR NOT ${isSame}))
  ON CONFLICT (scope) DO UPDATE SET machines_revision = machines_revision + 1`)

const insertFirstKey = statement(`
  INSERT INTO api_keys (hash, id, scope, name, starts_with, created_by, created_at)
  SELECT :hash, :key_id, :scope, :name, :starts_with, :created_by, :created_at
  WHERE EXISTS (SELECT 1 FROM orchestrators WHERE id = :id AND scope = :scope AND ${isSame})
    AND NOT EXISTS (SELECT 1 FROM api_keys WHERE scope = :scope)
  RETURNING id`)

// The answer is kept before the machine is inserted, while the database still shows whether the machine and a key of
// the scope existed.
const registered = Idempotency.keeping({
  row: {
    created: "known.id IS NULL",
    registered_at: "coalesce(known.registered_at, :now)",
    status: "iif(known.status = 'maintenance', known.status, 'active')",
    salt: "iif(EXISTS (SELECT 1 FROM api_keys WHERE api_keys.scope = :scope), NULL, :salt)"
  },
  from: "(SELECT 1) LEFT JOIN orchestrators AS known ON known.id = :id AND known.scope = :scope",
  where: `(known.id IS NULL OR ${isSame})`,
  provenBy: "where"
})

export const make = Effect.gen(function*() {
  const once = yield* Idempotency.make
  const keys = yield* Keys

  return Effect.fn("Orchestrators.register")(function*(scope: ScopeName, machine: Registration) {
    const now = yield* Clock.currentTimeMillis
    const { cluster, machine_id } = machine
    const id = OrchestratorId.make(machine.id || `${cluster}-${machine_id}`)
    const { api_key, columns: { id: key_id, ...key }, salt } = yield* keys.first(
      scope,
      `registration of ${id}`,
      (yield* CurrentActor).name ?? id
    )
    const values = {
      ...key,
      key_id,
      salt,
      id,
      scope,
      chosen: Number(Boolean(machine.id)),
      cluster,
      machine_id,
      hostname: machine.hostname ?? null,
      repo_url: machine.repo_url || null,
      version: machine.version ?? null,
      capabilities: machine.capabilities ?? null,
      max_agents: machine.max_agents ?? null,
      max_claimed: machine.max_claimed ?? null,
      now
    }
    const { answers: { before, inserted, issued }, replay } = yield* once.batch(
      { before: byId(values), raised: raised(values), inserted: insert(values), issued: insertFirstKey(values) },
      { keep: "before", answer: registered, values }
    )
    if (replay !== undefined) {
      const { created, registered_at, salt, status } = (yield* Effect.orDie(decodeKept(replay.rows)))[0]!
      const api_key = salt === null ? {} : { api_key: yield* keys.again(salt) }
      return { created, registered: { orchestrator_id: id, registered_at, status, ...api_key } }
    }
    const [row] = yield* Effect.orDie(decodeRows(inserted))
    if (row === undefined) return yield* OrchestratorTaken.of(id)
    const created = before.length === 0
    const hasKey = issued.length === 1
    yield* Effect.logInfo("orchestrator registered").pipe(
      Effect.annotateLogs({ orchestrator_id: id, scope, created, key_issued: hasKey })
    )
    return {
      created,
      registered: {
        orchestrator_id: id,
        registered_at: row.registered_at,
        status: row.status,
        ...(hasKey ? { api_key } : {})
      }
    }
  })
})
