/** `POST /api/v1/tasks/bulk` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import { InvalidCursor } from "../../domain/Page.ts"
import { Bulk, BulkAnswer, InvalidBulk, MaxBulk } from "../../domain/task/Bulk.ts"
import { ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

export const bulk = HttpApiEndpoint.post("bulk", "/bulk", {
  query: scopeParameter,
  payload: scoped(Bulk),
  success: BulkAnswer,
  error: [InvalidBulk, InvalidCursor, ScopeRequired]
}).annotateMerge(OpenApi.annotations({
  summary: "Change many tasks",
  description:
    `Does the same with up to ${MaxBulk} tasks: creates, accepts, rejects, requeues, redrives, cancels, deletes or reprioritises them. Each task is changed by itself, exactly as by its own endpoint, and has an outcome of its own: that of another task does not matter. The answer is a 200 also if some or all were refused. A request sends at most 45 statements to the database, or as many as \`BULK_STATEMENTS\` says: with 45 it changes four to seven tasks, with 950 about 100. The other tasks are \`not_attempted\`. To change them, send the request again with \`next_cursor\` as \`cursor\` and another \`Idempotency-Key\`, until it is null. An \`Idempotency-Key\` covers the whole request, also one that was cut in the middle: a repetition continues it, and no task is changed twice. A dry run keeps nothing under the key.`
}))
