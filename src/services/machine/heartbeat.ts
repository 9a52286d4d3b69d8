/** A machine's sign of life, and the leases that go along with it, in one batch. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OrchestratorId } from "../../domain/Identifier.ts"
import type { HeldLease } from "../../domain/lease/Renewal.ts"
import { OrchestratorNotFound, OrchestratorRow } from "../../domain/machine/Orchestrator.ts"
import { Database, type Row } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import { type Reach, within } from "../../sql/Reach.ts"
import { renewalsOf } from "../lease/answer.ts"
import * as Renewing from "../lease/renew.ts"
import * as Replaying from "../lease/replay.ts"

// A heartbeat that names no scope is for every scope that has a machine of the id. Each of them is a row to write.
const MaxScopes = 50

const decode = Schema.decodeUnknownEffect(OrchestratorRow)

export const make = Effect.gen(function*() {
  const { sql } = yield* Database
  const once = yield* Idempotency.make
  const renewing = yield* Renewing.make
  const { keep, recall } = yield* Replaying.make

  const reached = (id: OrchestratorId, scope: Reach) =>
    scope === undefined
      ? sql`id = ${id} AND +scope IN (
          SELECT scope FROM orchestrators WHERE id = ${id} ORDER BY last_heartbeat DESC, scope LIMIT ${MaxScopes})`
      : sql`id = ${id} AND ${within(sql, scope)}`

  const alive = (id: OrchestratorId, scope: Reach, now: number) => [
    // Apart, because to name `status` in an update is to write its index entry again.
    sql`UPDATE orchestrators SET status = 'active' WHERE status = 'offline' AND ${reached(id, scope)}`,
    sql`UPDATE orchestrators SET last_heartbeat = ${now} WHERE ${reached(id, scope)} RETURNING *`
  ]

  const heardAt = Effect.fnUntraced(function*(id: OrchestratorId, rows: ReadonlyArray<Row> | undefined) {
    const [row] = rows ?? []
    if (row === undefined) return yield* OrchestratorNotFound.of(id)
    return (yield* Effect.orDie(decode(row))).last_heartbeat
  })

  const heartbeat = Effect.fn("Orchestrators.heartbeat")(function*(id: OrchestratorId, scope: Reach) {
    const { answers: [, rows], replay } = yield* once.batch(alive(id, scope, yield* Clock.currentTimeMillis), {
      after: 1,
      row: columnsOf(sql, OrchestratorRow),
      from: sql`orchestrators WHERE ${reached(id, scope)}`
    })
    return yield* heardAt(id, replay?.rows ?? rows)
  })

  const renew = Effect.fn("Orchestrators.renew")(
    function*(id: OrchestratorId, scope: Reach, sent: ReadonlyArray<HeldLease>) {
      const leases = Renewing.distinct(sent)
      const now = yield* Clock.currentTimeMillis
      // A machine that is not known is told so, and then nothing has happened.
      const known = sql`EXISTS (SELECT 1 FROM orchestrators WHERE id = ${id} AND ${within(sql, scope)})`
      const beat = alive(id, scope, now)
      const steps = [...beat, ...renewing.plan(leases, now, scope, known)]
      const kept = keep(leases, { after: steps.length - 1, happened: known, now, scope })
      const { answers, replay } = yield* once.batch(steps, kept)
      if (replay !== undefined) {
        const last_heartbeat = DateTime.makeUnsafe(replay.at)
        return { last_heartbeat, renewals: renewalsOf(sent, yield* recall(replay), now) }
      }
      const last_heartbeat = yield* heardAt(id, answers[1])
      const outcome = yield* renewing.read(answers.slice(beat.length))
      return { last_heartbeat, renewals: renewalsOf(sent, outcome, now) }
    }
  )

  return { heartbeat, renew }
})
