/** Flows: registered state machines that replace the default one. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  type Flow,
  FlowNotFound,
  FlowRow,
  type InvalidFlow,
  type NewFlow,
  type RegisteredFlow
} from "../../domain/flow/Flow.ts"
import { readFlow } from "../../domain/flow/FlowDefinition.ts"
import * as FlowRules from "../../domain/flow/FlowRules.ts"
import { type FlowName, QueueName, type ScopeName } from "../../domain/Identifier.ts"
import { type Page, type Part, wholeList } from "../../domain/Page.ts"
import { ScopeRequired } from "../../domain/TaggedError.ts"
import { Database, type Row } from "../../sql/Database.ts"
import { afterCursor, cursorValues } from "../../sql/page/Keyset.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { byScope, onlyScope, type Reach } from "../../sql/Reach.ts"
import { statement, variants } from "../../sql/Statement.ts"
import * as Places from "../../sql/task/Places.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(FlowRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

const Held = Schema.Struct({ queue: QueueName, child: Schema.BooleanFromBit, tasks: Schema.Int })
const decodeHeld = Schema.decodeUnknownEffect(Schema.Array(Held))

/** Whether the flow is registered, exactly as it was sent. */
const isRegistered = `EXISTS (
  SELECT 1 FROM flows WHERE scope = :scope AND name = :name AND states = :states AND transitions = :transitions
    AND rules = :rules AND description IS :description AND child_flow IS :child_flow)`

// A poll shows flows, and its entity tag depends on the revision of tasks.
const raiseUnlessRegistered = statement(`
  INSERT INTO queue_counts (scope, counts, revision) SELECT :scope, '{}', 1 WHERE NOT ${isRegistered}
  ON CONFLICT (scope) DO UPDATE SET revision = revision + 1`)

// Each machine registers its flows when it starts. A flow that is registered already costs no write.
const insertUnlessRegistered = statement(`
  INSERT INTO flows (scope, name, description, states, transitions, child_flow, rules, registered_at, updated_at)
  SELECT :scope, :name, :description, :states, :transitions, :child_flow, :rules, :now, :now WHERE NOT ${isRegistered}
  ON CONFLICT (scope, name) DO UPDATE SET description = excluded.description, states = excluded.states,
    transitions = excluded.transitions, child_flow = excluded.child_flow, rules = excluded.rules,
    updated_at = excluded.updated_at`)

/**
 * How many tasks of the flow are in each queue that they may be unable to leave after the change. The counters say
 * which of these queues have tasks.
 */
const countHarmed = statement(`
  SELECT tasks.queue, tasks.project_id IS NOT NULL AS child, count(*) AS tasks
  FROM (SELECT queue_counts.scope, counter.key AS queue FROM queue_counts, json_each(queue_counts.counts) AS counter
      WHERE queue_counts.scope = coalesce(:scope, (SELECT scope FROM flows WHERE name = :name)) AND counter.value > 0
        AND counter.key NOT IN (SELECT value FROM json_each(:unharmed))) AS harmful
    CROSS JOIN tasks ON tasks.id IN (
      ${Places.everywhere({ columns: "id", queue: "harmful.queue", scope: "harmful.scope" })})
  WHERE tasks.flow = :name
  GROUP BY tasks.queue, child ORDER BY tasks.queue`)

const pages = variants((next: boolean) =>
  PageBytes.pagesOf(
    { columns: Object.keys(FlowRow.fields), long: ["description", "states", "transitions", "child_flow"] },
    `
    SELECT * FROM flows WHERE scope = :scope ${next ? `AND ${afterCursor(["name"], "ascending")}` : ""}
    ORDER BY name LIMIT :take`
  )
)

const byName = byScope((inScope) => `SELECT * FROM flows WHERE ${inScope} AND name = :name LIMIT 2`)

const isTheOnlyOne = `name = :name AND scope = ${onlyScope("flows", "name = :name")}`

const raiseIfDeleted = statement(`
  INSERT INTO queue_counts (scope, counts, revision) SELECT scope, '{}', 1 FROM flows WHERE ${isTheOnlyOne}
  ON CONFLICT (scope) DO UPDATE SET revision = revision + 1`)

const deleteOne = statement(`DELETE FROM flows WHERE ${isTheOnlyOne}`)

export class Flows extends Context.Service<Flows, {
  /** Registers a flow, or a new version of it. Warns of tasks that it leads nowhere. */
  readonly register: (scope: ScopeName, name: FlowName, flow: NewFlow) => Effect.Effect<RegisteredFlow, InvalidFlow>
  /** A page of the flows of the scope, by name. */
  readonly page: (scope: ScopeName, page: Page) => Effect.Effect<Part<Flow>>
  /** The flows of the scope by name, as many as fit on one page. */
  readonly list: (scope: ScopeName) => Effect.Effect<ReadonlyArray<Flow>>
  /** The flow of this name. Without a scope, it has to be the only one. */
  readonly get: (name: FlowName, scope: Reach) => Effect.Effect<Flow, FlowNotFound | ScopeRequired>
  /** Deletes the flow, and warns of tasks that nothing leads further now. Tasks keep its name. */
  readonly remove: (name: FlowName, scope: Reach) => Effect.Effect<
    { readonly scope: ScopeName; readonly warnings: ReadonlyArray<string> },
    FlowNotFound | ScopeRequired
  >
}>()("octopoid-server/services/Flows") {
  static readonly layer = Layer.effect(
    Flows,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const paged = yield* PageBytes.reader

      const warnings = Effect.fnUntraced(function*(rows: ReadonlyArray<Row>, impact: FlowRules.Impact) {
        return impact.warnings(yield* Effect.orDie(decodeHeld(rows)))
      })

      /** The flow, if only one scope has a flow of this name. */
      const only = Effect.fnUntraced(function*(name: FlowName, rows: ReadonlyArray<Row>) {
        const [flow, another] = yield* decode(rows)
        if (another !== undefined) return yield* ScopeRequired.several("flow", name)
        return flow ?? (yield* FlowNotFound.of(name))
      })

      const register = Effect.fn("Flows.register")(function*(scope: ScopeName, name: FlowName, input: NewFlow) {
        const { columns, rules, states } = yield* Effect.fromResult(readFlow(input))
        const now = yield* Clock.currentTimeMillis
        const impact = FlowRules.impactOfVersion(states, rules)
        const values = { ...columns, scope, name, unharmed: JSON.stringify(impact.unharmed), now }
        const { found, harmed } = yield* batch({
          harmed: countHarmed(values),
          raised: raiseUnlessRegistered(values),
          inserted: insertUnlessRegistered(values),
          found: byName(values)
        })
        const flow = (yield* decode(found))[0]!
        const warned = yield* warnings(harmed, impact)
        yield* Effect.logInfo("flow registered").pipe(Effect.annotateLogs({ flow: name, scope, warnings: warned }))
        return { ...flow, warnings: warned }
      })

      const page = Effect.fn("Flows.page")(function*(scope: ScopeName, page: Page) {
        const { found } = yield* paged({
          page,
          pages: pages(page.after !== undefined),
          values: { ...cursorValues(page), scope }
        }, (rows) => batch({ rows }))
        const { envelope: { next_cursor }, rows } = page.end(found)
        return { rows: yield* decode(rows), next_cursor }
      })
      const list = (scope: ScopeName) => Effect.map(page(scope, wholeList), ({ rows }) => rows)

      const get = Effect.fn("Flows.get")(function*(name: FlowName, scope: Reach) {
        const { found } = yield* batch({ found: byName({ name, scope: scope ?? null }) })
        return yield* only(name, found)
      })

      const remove = Effect.fn("Flows.remove")(function*(name: FlowName, scope: Reach) {
        const impact = FlowRules.impactOfRemoval
        const values = { name, scope: scope ?? null, unharmed: JSON.stringify(impact.unharmed) }
        const { found, harmed } = yield* batch({
          found: byName(values),
          harmed: countHarmed(values),
          raised: raiseIfDeleted(values),
          deleted: deleteOne(values)
        })
        const flow = yield* only(name, found)
        yield* Effect.logInfo("flow deleted").pipe(Effect.annotateLogs({ flow: name, scope: flow.scope }))
        return { scope: flow.scope, warnings: yield* warnings(harmed, impact) }
      })

      return Flows.of({ register, page, list, get, remove })
    })
  )
}
