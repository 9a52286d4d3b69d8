/** Answers whether a fencing token may still push. It reads one row: the task, by its id. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { TaskId } from "../../domain/Identifier.ts"
import { pushOf, PushRow } from "../../domain/lease/Push.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import { statement } from "../../sql/Statement.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(PushRow))

const pushing = statement(`
  SELECT id, queue, claimed_by, fencing_token, lapsed_token, setbacks, lease_expires_at, deadline_at,
    cancel_requested_at, lease_losses, grants, loss_limit
  FROM tasks WHERE id = :id AND ${inScope}`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  return Effect.fn("Leases.mayPush")(function*(id: TaskId, token: number, scope: Reach) {
    const now = yield* Clock.currentTimeMillis
    const { found } = yield* batch({ found: pushing({ id, scope: scope ?? null }) })
    const [task] = yield* Effect.orDie(decodeRows(found))
    return pushOf(task ?? (yield* TaskNotFound.of(id)), token, now)
  })
})
