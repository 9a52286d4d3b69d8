/** The scheduler's view of a scope, in one round trip. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { DefaultScope, FlowName, type OrchestratorId, QueueName, ScopeName } from "../../domain/Identifier.ts"
import { Poll } from "../../domain/machine/Poll.ts"
import { asFit, wholeList } from "../../domain/Page.ts"
import { ScopeRequired } from "../../domain/TaggedError.ts"
import * as Conditional from "../../sql/Conditional.ts"
import { Database } from "../../sql/Database.ts"
import * as PageBytes from "../../sql/PageBytes.ts"
import * as Places from "../../sql/task/Places.ts"
import * as Revision from "../../sql/task/Revision.ts"
import { Settings } from "../Settings.ts"
import { decodeCounts } from "../task/rows.ts"

const decodeScopes = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ scope: ScopeName })))
const decodeTasks = Schema.decodeUnknownEffect(Poll.fields.provisional_tasks)
const decodeFlows = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ name: FlowName, states: Schema.fromJsonString(Schema.Array(QueueName)) }))
)

// Of flows a poll tells the names of their states. The rest of what it may be long by is for tasks.
const MaxFlows = 100
const MaxFlowBytes = 1_000_000

export interface PollRequest {
  readonly orchestrator_id: OrchestratorId | undefined
  readonly scope: ScopeName | undefined
}

export class Scheduler extends Context.Service<Scheduler, {
  /** The scope's state: of the one that is named, else of the orchestrator's, else of the default one. */
  readonly poll: (request: PollRequest) => Effect.Effect<Poll, ScopeRequired>
}>()("octopoid-server/services/Scheduler") {
  static readonly layer = Layer.effect(
    Scheduler,
    Effect.gen(function*() {
      const { sql } = yield* Database
      const read = yield* Conditional.make
      const bounded = yield* PageBytes.make
      const revision = Revision.make(sql)
      const { requireScope } = yield* Settings
      const { all } = Places.make(sql)

      const poll = Effect.fn("Scheduler.poll")(function*(request: PollRequest) {
        const machine = request.orchestrator_id ?? null
        const fallback = requireScope ? null : DefaultScope
        // Of the scopes it works for, the one asked about; otherwise where it was heard of last.
        const known = sql`SELECT scope FROM orchestrators WHERE id = ${machine} ${
          request.scope === undefined
            ? sql`ORDER BY last_heartbeat DESC, scope LIMIT 1`
            : sql`AND scope = ${request.scope}`
        }`
        const scope = request.scope === undefined ? sql`coalesce((${known}), ${fallback})` : sql`${request.scope}`
        const question = {
          name: "poll",
          asked: { ...request },
          revision: sql`
            WITH machine AS MATERIALIZED (SELECT (${known}) AS home)
            SELECT home, ${
            revision.of("tasks", request.scope === undefined ? sql`coalesce(home, ${fallback})` : scope)
          } AS revision FROM machine`
        }
        // A poll has no second page: what does not fit is shown when those before it have left.
        const { found, others: [machines, counts, flows] } = yield* bounded({
          page: wholeList,
          columns: ["id", "hooks", "pr_number", "claimed_by"],
          long: ["hooks", "claimed_by"],
          rows: (take) =>
            sql`
            SELECT id, hooks, pr_number, claimed_by FROM (
              ${all({ scope, queue: sql`'provisional'` }, sql`id, hooks, pr_number, claimed_by, created_at`)})
            ORDER BY created_at, id LIMIT ${take}`
        }, (tasks) =>
          read(question, [
            tasks,
            known,
            sql`SELECT counts FROM queue_counts WHERE scope = ${scope}`,
            sql`SELECT name, states FROM flows WHERE scope = ${scope} ORDER BY name LIMIT ${MaxFlows}`
          ]))
        const [registered] = yield* Effect.orDie(decodeScopes(machines))
        const seen = request.scope ?? registered?.scope ?? fallback
        if (seen === null) {
          return yield* new ScopeRequired({
            error: "Missing scope. Provide orchestrator_id (with registered scope) or scope query parameter."
          })
        }
        return {
          scope: seen,
          // The three that clients have always been given are there even when they are empty.
          queue_counts: { incoming: 0, claimed: 0, provisional: 0, ...decodeCounts(counts?.[0]?.counts) },
          provisional_tasks: yield* Effect.orDie(decodeTasks(wholeList.end(found).rows)),
          orchestrator_registered: registered?.scope === seen,
          flows: Object.fromEntries(
            asFit(yield* Effect.orDie(decodeFlows(flows)), MaxFlowBytes).map(({ name, states }) => [name, { states }])
          )
        }
      })

      return Scheduler.of({ poll })
    })
  )
}
