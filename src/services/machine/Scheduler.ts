/** The state of a scope for a scheduler, in one round trip. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { DefaultScope, FlowName, type OrchestratorId, QueueName, ScopeName } from "../../domain/Identifier.ts"
import { Poll } from "../../domain/machine/Poll.ts"
import { asFit, wholeList } from "../../domain/Page.ts"
import { ScopeRequired } from "../../domain/TaggedError.ts"
import * as Conditional from "../../sql/page/Conditional.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { statement } from "../../sql/Statement.ts"
import * as Places from "../../sql/task/Places.ts"
import { Settings } from "../Settings.ts"
import { decodeCounts } from "../task/rows.ts"

const decodeScopes = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ scope: ScopeName })))
const decodeTasks = Schema.decodeUnknownEffect(Poll.fields.provisional_tasks)
const decodeFlows = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ name: FlowName, states: Schema.fromJsonString(Schema.Array(QueueName)) }))
)

// A poll has the names of the states of each flow. The rest of the bytes that it may have are for tasks.
const MaxFlows = 100
const MaxFlowBytes = 1_000_000

// A poll has no second page. Tasks that do not fit appear when earlier ones have left the queue.
const tasks = { columns: ["id", "hooks", "pr_number", "claimed_by"], long: ["hooks", "claimed_by"] }

/** The statements of a poll. `known` finds the machine; `scope` is the scope that the poll is about. */
const statements = (known: string, scope: string) => ({
  tasks: PageBytes.pagesOf(
    tasks,
    `
    SELECT id, hooks, pr_number, claimed_by FROM (
      ${Places.everywhere({ columns: "id, hooks, pr_number, claimed_by, created_at", queue: "'provisional'", scope })})
    ORDER BY created_at, id LIMIT :take`
  ),
  machine: statement(known),
  counts: statement(`SELECT counts FROM queue_counts WHERE scope = ${scope}`),
  flows: statement(`SELECT name, states FROM flows WHERE scope = ${scope} ORDER BY name LIMIT ${MaxFlows}`),
  // The machine is looked up once.
  revision: statement(`
    WITH machine AS MATERIALIZED (SELECT (${known}) AS home)
    SELECT home, coalesce((SELECT revision FROM queue_counts WHERE scope = ${
    scope === ":scope" ? scope : "coalesce(home, :fallback)"
  }), 0) AS revision
    FROM machine`)
})

const lastSeen = "SELECT scope FROM orchestrators WHERE id = :machine ORDER BY last_heartbeat DESC, scope LIMIT 1"

const polls = {
  /** The poll names the scope. The machine may belong to it. */
  scope: statements("SELECT scope FROM orchestrators WHERE id = :machine AND scope = :scope", ":scope"),
  /** The scope of the machine. A machine may work for several: then the scope of its last heartbeat. */
  machine: statements(lastSeen, `coalesce((${lastSeen}), :fallback)`)
}

export interface PollRequest {
  readonly orchestrator_id: OrchestratorId | undefined
  readonly scope: ScopeName | undefined
}

export class Scheduler extends Context.Service<Scheduler, {
  /** The state of the named scope, or else that of the orchestrator, or else the default scope. */
  readonly poll: (request: PollRequest) => Effect.Effect<Poll, ScopeRequired>
}>()("octopoid-server/services/Scheduler") {
  static readonly layer = Layer.effect(
    Scheduler,
    Effect.gen(function*() {
      const read = yield* Conditional.make
      const paged = yield* PageBytes.reader
      const { requireScope } = yield* Settings

      const poll = Effect.fn("Scheduler.poll")(function*(request: PollRequest) {
        const fallback = requireScope ? null : DefaultScope
        const values = { machine: request.orchestrator_id ?? null, scope: request.scope ?? null, fallback }
        const { counts, flows, machine, revision, tasks } = polls[request.scope === undefined ? "machine" : "scope"]
        const question = { name: "poll", asked: { ...request }, revision: revision(values) }
        const { answers, found } = yield* paged(
          { page: wholeList, pages: tasks, values },
          (rows) => read(question, { rows, machine: machine(values), counts: counts(values), flows: flows(values) })
        )
        const [registered] = yield* Effect.orDie(decodeScopes(answers.machine))
        const seen = request.scope ?? registered?.scope ?? fallback
        if (seen === null) {
          return yield* new ScopeRequired({
            error: "Missing scope. Provide orchestrator_id (with registered scope) or scope query parameter."
          })
        }
        return {
          scope: seen,
          // Clients of the old server expect these three queues, even if they are empty.
          queue_counts: { incoming: 0, claimed: 0, provisional: 0, ...decodeCounts(answers.counts[0]?.counts) },
          provisional_tasks: yield* Effect.orDie(decodeTasks(wholeList.end(found).rows)),
          orchestrator_registered: registered?.scope === seen,
          flows: Object.fromEntries(
            asFit(yield* Effect.orDie(decodeFlows(answers.flows)), MaxFlowBytes).map((
              { name, states }
            ) => [name, { states }])
          )
        }
      })

      return Scheduler.of({ poll })
    })
  )
}
