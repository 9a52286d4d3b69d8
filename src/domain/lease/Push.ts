/** Whether the holder of a fencing token may still push its work, for hooks of git. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { describe, IntegerParameter, TimeColumn } from "../Encoding.ts"
import { TaskId } from "../Identifier.ts"
import { TaskRow } from "../task/Task.ts"
import { lossOf } from "./Renewal.ts"

export const pushParameters = {
  token: IntegerParameter.pipe(describe("The token of the lease, from the answer to the claim."))
}

export const Push = Schema.Struct({
  task_id: TaskId,
  token: Schema.Int.pipe(describe("The token that was asked about.")),
  may_push: Schema.Boolean.pipe(
    describe(
      "Whether the token is that of the present lease, or of a lease that expired since when nobody was granted the task and nobody moved it."
    )
  ),
  reason: Schema.String.pipe(describe("Why: one plain sentence, for the person or agent that pushes.")),
  // A server of release 2.0.0 does not send it.
  latest_token: Schema.optionalKey(
    Schema.Int.pipe(
      describe(
        "The token of the latest lease of the task, which may have ended. If it is the one that was asked about, nobody else has held the task since: a check that runs some time after a push asks for this."
      )
    )
  )
}).annotate({ identifier: "Push" })
export type Push = typeof Push.Type

const {
  cancel_requested_at,
  claimed_by,
  fencing_token,
  grants,
  id,
  lapsed_token,
  lease_losses,
  queue,
  setbacks
} = TaskRow.fields

/** What the answer is made from: columns of the task. */
export const PushRow = Schema.Struct({
  id,
  queue,
  claimed_by,
  fencing_token,
  lapsed_token,
  setbacks,
  lease_expires_at: Schema.NullOr(TimeColumn),
  deadline_at: Schema.NullOr(TimeColumn),
  cancel_requested_at,
  lease_losses,
  grants,
  loss_limit: Schema.NullOr(Schema.Int)
})
type PushRow = typeof PushRow.Type

/**
 * Whether a lease that has expired leaves its token valid when it is taken back, as the view `expiring` and the reaper
 * say. The answer has to be the same before and after that.
 */
const survives = (task: PushRow): boolean =>
  task.queue === "claimed" && task.cancel_requested_at === null &&
  !(task.deadline_at !== null && DateTime.isGreaterThanOrEqualTo(task.lease_expires_at!, task.deadline_at)) &&
  !(task.loss_limit !== null && task.lease_losses + 1 >= task.loss_limit)

const over = (task: PushRow, why: string) => `The lease ${task.fencing_token} of task ${task.id} is over: ${why}`

/** Whether the token may still push, and why. */
export const pushOf = (task: PushRow, token: number, now: number): Push => {
  const answer = (may_push: boolean, reason: string): Push => ({
    task_id: task.id,
    token,
    may_push,
    reason,
    latest_token: task.grants
  })
  const until = token === task.fencing_token ? task.lease_expires_at : null
  if (until !== null && DateTime.toEpochMillis(until) > now) {
    return answer(true, `The lease ${token} of task ${task.id} goes on until ${DateTime.formatIso(until)}.`)
  }
  if (token === task.lapsed_token || (until !== null && survives(task))) {
    return answer(
      true,
      `The lease ${token} of task ${task.id} ran out, and since then nobody has taken or moved the task. Renew it now.`
    )
  }
  return answer(
    false,
    until === null ? lossOf(task, token, false).error : over(task, "it ran out. Stop working on it, and claim again.")
  )
}
