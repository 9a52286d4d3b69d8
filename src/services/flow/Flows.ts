/** Flows: the state machines that replace the default one. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Fragment } from "effect/sql/Statement"
import {
  type Flow,
  FlowNotFound,
  FlowRow,
  type InvalidFlow,
  type NewFlow,
  type RegisteredFlow
} from "../../domain/flow/Flow.ts"
import { readFlow } from "../../domain/flow/FlowDefinition.ts"
import * as FlowImpact from "../../domain/flow/FlowImpact.ts"
import { type FlowName, QueueName, type ScopeName } from "../../domain/Identifier.ts"
import { type Page, type Part, wholeList } from "../../domain/Page.ts"
import { ScopeRequired } from "../../domain/TaggedError.ts"
import { Database, type Row } from "../../sql/Database.ts"
import { beyond } from "../../sql/Keyset.ts"
import * as PageBytes from "../../sql/PageBytes.ts"
import { onlyOne, type Reach, within } from "../../sql/Reach.ts"
import * as Places from "../../sql/task/Places.ts"
import * as Revision from "../../sql/task/Revision.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(FlowRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

const Held = Schema.Struct({ queue: QueueName, child: Schema.BooleanFromBit, tasks: Schema.Int })
const decodeHeld = Schema.decodeUnknownEffect(Schema.Array(Held))

export class Flows extends Context.Service<Flows, {
  /** Registers a flow, or a new version of it, and tells which tasks it leaves without a way on. */
  readonly register: (scope: ScopeName, name: FlowName, flow: NewFlow) => Effect.Effect<RegisteredFlow, InvalidFlow>
  /** A page of the scope's flows by name. */
  readonly page: (scope: ScopeName, page: Page) => Effect.Effect<Part<Flow>>
  /** The scope's flows by name, as many as fit on one page. */
  readonly list: (scope: ScopeName) => Effect.Effect<ReadonlyArray<Flow>>
  /** Without a scope, the only flow of that name. */
  readonly get: (name: FlowName, scope: Reach) => Effect.Effect<Flow, FlowNotFound | ScopeRequired>
  /** Deletes the flow, of which the tasks keep the name, and tells which of them have no way on now. */
  readonly remove: (name: FlowName, scope: Reach) => Effect.Effect<
    { readonly scope: ScopeName; readonly warnings: ReadonlyArray<string> },
    FlowNotFound | ScopeRequired
  >
}>()("octopoid-server/services/Flows") {
  static readonly layer = Layer.effect(
    Flows,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const { all } = Places.make(sql)
      const bounded = yield* PageBytes.make
      const revision = Revision.make(sql)

      const named = (name: FlowName, scope: Reach) => sql`${within(sql, scope)} AND name = ${name}`

      // Only the queues that may harm a task are looked into: the counters say which of them hold any.
      const held = (scope: Fragment, name: FlowName, { unharmed }: FlowImpact.Impact) =>
        sql`
          SELECT tasks.queue, tasks.project_id IS NOT NULL AS child, count(*) AS tasks
          FROM (SELECT c.scope, q.key AS place FROM queue_counts AS c, json_each(c.counts) AS q
              WHERE c.scope = ${scope} AND q.value > 0
                AND q.key NOT IN (SELECT value FROM json_each(${JSON.stringify(unharmed)}))) AS harmful
            CROSS JOIN tasks ON tasks.id IN (
              ${all({ scope: sql`harmful.scope`, queue: sql`harmful.place` }, sql`id`)})
          WHERE tasks.flow = ${name}
          GROUP BY tasks.queue, child ORDER BY tasks.queue`

      const warnings = Effect.fnUntraced(function*(rows: ReadonlyArray<Row> | undefined, impact: FlowImpact.Impact) {
        return impact.warnings(yield* Effect.orDie(decodeHeld(rows)))
      })

      /** The one row there must be. */
      const only = Effect.fnUntraced(function*(name: FlowName, rows: ReadonlyArray<Row> | undefined) {
        const [flow, another] = yield* decode(rows)
        if (another !== undefined) return yield* ScopeRequired.several("flow", name)
        return flow ?? (yield* FlowNotFound.of(name))
      })

      const register = Effect.fn("Flows.register")(function*(scope: ScopeName, name: FlowName, input: NewFlow) {
        const { columns, rules, states } = yield* Effect.fromResult(readFlow(input))
        const now = yield* Clock.currentTimeMillis
        const impact = FlowImpact.ofVersion(states, rules)
        const written = Object.keys(columns).map((column) => sql(column))
        const [stranded, , , rows] = yield* batch([
          held(sql`${scope}`, name, impact),
          // Every machine registers its flows when it starts: one that is known already costs no write.
          sql`
            INSERT INTO flows ${sql.insert({ scope, name, ...columns, registered_at: now, updated_at: now })}
            ON CONFLICT (scope, name) DO UPDATE SET ${
            sql.csv(written.map((column) => sql`${column} = excluded.${column}`))
          }, updated_at = excluded.updated_at
            WHERE ${sql.or(written.map((column) => sql`flows.${column} IS NOT excluded.${column}`))}`,
          revision.raiseIn("tasks", scope),
          sql`SELECT * FROM flows WHERE ${named(name, scope)}`
        ])
        const flow = (yield* decode(rows))[0]!
        const harmed = yield* warnings(stranded, impact)
        yield* Effect.logInfo("flow registered").pipe(Effect.annotateLogs({ flow: name, scope, warnings: harmed }))
        return { ...flow, warnings: harmed }
      })

      const page = Effect.fn("Flows.page")(function*(scope: ScopeName, page: Page) {
        const matches = sql.and([sql`scope = ${scope}`, ...beyond(sql, page, "ascending")])
        const { found } = yield* bounded({
          page,
          columns: Object.keys(FlowRow.fields),
          long: ["description", "states", "transitions", "child_flow"],
          rows: (take) => sql`SELECT * FROM flows WHERE ${matches} ORDER BY name LIMIT ${take}`
        }, (rows) => batch([rows]))
        const { envelope: { next_cursor }, rows } = page.end(found)
        return { rows: yield* decode(rows), next_cursor }
      })
      const list = (scope: ScopeName) => Effect.map(page(scope, wholeList), ({ rows }) => rows)

      const get = Effect.fn("Flows.get")(function*(name: FlowName, scope: Reach) {
        const [rows] = yield* batch([sql`SELECT * FROM flows WHERE ${named(name, scope)} LIMIT 2`])
        return yield* only(name, rows)
      })

      const remove = Effect.fn("Flows.remove")(function*(name: FlowName, scope: Reach) {
        const impact = FlowImpact.ofRemoval
        const which = named(name, scope)
        const theOne = onlyOne(sql, "flows", sql`name = ${name}`, scope)
        const [found, stranded] = yield* batch([
          sql`SELECT * FROM flows WHERE ${which} LIMIT 2`,
          held(sql`(SELECT scope FROM flows WHERE ${which})`, name, impact),
          revision.raise("tasks", sql`SELECT scope FROM flows WHERE ${theOne}`, { where: sql`1` }),
          sql`DELETE FROM flows WHERE ${theOne}`
        ])
        const flow = yield* only(name, found)
        yield* Effect.logInfo("flow deleted").pipe(Effect.annotateLogs({ flow: name, scope: flow.scope }))
        return { scope: flow.scope, warnings: yield* warnings(stranded, impact) }
      })

      return Flows.of({ register, page, list, get, remove })
    })
  )
}
