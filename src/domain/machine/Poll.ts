/** The poll: the one read by which a machine learns the state of its scope. */
import * as Schema from "effect/Schema"
import { describe } from "../Encoding.ts"
import { FlowName, OrchestratorId, QueueName, ScopeName } from "../Identifier.ts"
import { Task } from "../task/Task.ts"

export const pollParameters = {
  orchestrator_id: Schema.optionalKey(Schema.Union([OrchestratorId, Schema.Literal("")])).pipe(
    describe("The machine that asks. Its scope counts when the request names none.")
  )
}

const { claimed_by, hooks, id, pr_number } = Task.fields

export const Poll = Schema.Struct({
  scope: ScopeName,
  queue_counts: Schema.Record(QueueName, Schema.Int).pipe(
    describe(
      "How many tasks each queue holds: every queue that holds any, and `incoming`, `claimed` and `provisional`."
    )
  ),
  provisional_tasks: Schema.Array(Schema.Struct({ id, hooks, pr_number, claimed_by })).pipe(
    describe(
      "All tasks in `provisional`, oldest first. About 4 MB of them at most: there are more when `queue_counts` says so, and `GET /api/v1/tasks?queue=provisional` has them all."
    )
  ),
  orchestrator_registered: Schema.Boolean.pipe(describe("Whether the server knows the machine.")),
  flows: Schema.Record(
    FlowName,
    Schema.Struct({ states: Schema.Array(QueueName).pipe(describe("The flow's queues.")) })
  ).pipe(describe("The scope's flows: the first 100 by name, about 1 MB of them. `GET /api/v1/flows` has them all."))
}).annotate({ identifier: "Poll" })
export type Poll = typeof Poll.Type
