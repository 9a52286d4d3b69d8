/** The poll: the one read by which a machine learns the state of its scope. */
import * as Schema from "effect/Schema"
import { describe } from "../Encoding.ts"
import { FlowName, OrchestratorId, QueueName, ScopeName } from "../Identifier.ts"
import { Task } from "../task/Task.ts"

export const pollParameters = {
  orchestrator_id: Schema.optionalKey(Schema.Union([OrchestratorId, Schema.Literal("")])).pipe(
    describe("The machine that polls. The poll shows its scope if the request names none.")
  )
}

const { claimed_by, hooks, id, pr_number } = Task.fields

export const Poll = Schema.Struct({
  scope: ScopeName,
  queue_counts: Schema.Record(QueueName, Schema.Int).pipe(
    describe(
      "How many tasks each queue holds: every queue with tasks, and `incoming`, `claimed` and `provisional`."
    )
  ),
  provisional_tasks: Schema.Array(Schema.Struct({ id, hooks, pr_number, claimed_by })).pipe(
    describe(
      "The tasks in `provisional`, oldest first, at most about 4 MB of them. `queue_counts` has their number, and `GET /api/v1/tasks?queue=provisional` all of them."
    )
  ),
  orchestrator_registered: Schema.Boolean.pipe(describe("Whether the server knows the machine.")),
  flows: Schema.Record(
    FlowName,
    Schema.Struct({ states: Schema.Array(QueueName).pipe(describe("The flow's queues.")) })
  ).pipe(
    describe("The flows of the scope: the first 100 by name, at most about 1 MB of them. `GET /api/v1/flows` has all.")
  )
}).annotate({ identifier: "Poll" })
export type Poll = typeof Poll.Type
