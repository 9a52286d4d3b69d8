/** The heartbeat of a machine and the renewals in it, in one batch. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OrchestratorId } from "../../domain/Identifier.ts"
import type { HeldLease } from "../../domain/lease/Renewal.ts"
import { OrchestratorNotFound, OrchestratorRow } from "../../domain/machine/Orchestrator.ts"
import type { Row } from "../../sql/Batch.ts"
import { ReadiesNothing } from "../../sql/engine/Engine.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import * as Renewal from "../../sql/lease/Renewal.ts"
import type { Reach } from "../../sql/Reach.ts"
import * as Revisions from "../../sql/Revisions.ts"
import { statement, type Values } from "../../sql/Statement.ts"
import * as Renewing from "../lease/renew.ts"

// A heartbeat without a scope is for every scope with a machine of this id. Each of them costs a written row.
const MaxScopes = 50

/** The machines of a heartbeat with a scope, and of one without. */
const machines = {
  scope: "id = :machine AND scope = :scope",
  everywhere: `id = :machine AND +scope IN (
    SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT ${MaxScopes})`
}

const made = (where: string) => ({
  statusRaised: Revisions.raiseMachines(`status = 'offline' AND ${where}`),
  // A separate statement: an update that names `status` would write its index entry every time.
  revived: statement(`UPDATE orchestrators SET status = 'active' WHERE status = 'offline' AND ${where}`),
  beat: statement(`UPDATE orchestrators SET last_heartbeat = :now WHERE ${where} RETURNING *`),
  answer: Idempotency.keeping({ row: columnsOf(OrchestratorRow), from: "orchestrators", where })
})

const statements = { scope: made(machines.scope), everywhere: made(machines.everywhere) }

const decode = Schema.decodeUnknownEffect(OrchestratorRow)

const heardAt = Effect.fnUntraced(function*(id: OrchestratorId, [row]: ReadonlyArray<Row>) {
  if (row === undefined) return yield* OrchestratorNotFound.of(id)
  return (yield* Effect.orDie(decode(row))).last_heartbeat
})

/** The steps of a heartbeat. The last one changes a row if and only if the machine is registered. */
const aliveSteps = (scope: Reach, values: Values) => {
  const { answer, beat, revived, statusRaised } = statements[scope === undefined ? "everywhere" : "scope"]
  return { answer, steps: { statusRaised: statusRaised(values), revived: revived(values), beat: beat(values) } }
}

const quietly = Effect.provideService(ReadiesNothing, true)

export const make = Effect.gen(function*() {
  const once = yield* Idempotency.make
  const renewing = yield* Renewing.make

  const heartbeat = Effect.fn("Orchestrators.heartbeat")(function*(id: OrchestratorId, scope: Reach) {
    const values = { machine: id, scope: scope ?? null, now: yield* Clock.currentTimeMillis }
    const { answer, steps } = aliveSteps(scope, values)
    const { answers, replay } = yield* quietly(once.batch(steps, { keep: "beat", answer, values }))
    return yield* heardAt(id, replay?.rows ?? answers.beat)
  })

  const renew = Effect.fn("Orchestrators.renew")(
    function*(id: OrchestratorId, scope: Reach, sent: ReadonlyArray<HeldLease>) {
      const leases = Renewing.distinct(sent)
      const now = yield* Clock.currentTimeMillis
      const { steps, values } = renewing("heartbeat", leases, scope, { machine: id, now })
      const { counted, leases: found, ...renewal } = steps
      const { answers, replay } = yield* quietly(once.batch(
        leases.length === 0
          ? { ...aliveSteps(scope, values).steps, leases: undefined, reattached: undefined }
          : { ...renewal, ...aliveSteps(scope, values).steps, counted, leases: found },
        { keep: "beat", answer: Renewal.answers.heartbeat, values }
      ))
      if (replay !== undefined) {
        const last_heartbeat = DateTime.makeUnsafe(replay.at)
        return { last_heartbeat, renewals: Renewing.renewalsOf(sent, yield* Renewing.read(replay.rows), now) }
      }
      const last_heartbeat = yield* heardAt(id, answers.beat)
      const held = yield* Renewing.read(answers.leases ?? [], answers.reattached)
      return { last_heartbeat, renewals: Renewing.renewalsOf(sent, held, now) }
    }
  )

  return { heartbeat, renew }
})
