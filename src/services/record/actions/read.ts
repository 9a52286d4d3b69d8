/** Reading actions: one, and a page. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ActionId, ScopeName } from "../../../domain/Identifier.ts"
import { type ContentChoice, pageOf } from "../../../domain/Page.ts"
import { type ActionFilter, ActionNotFound, ActionRow } from "../../../domain/record/Action.ts"
import { without } from "../../../sql/Columns.ts"
import { Database } from "../../../sql/Database.ts"
import { beyond } from "../../../sql/Keyset.ts"
import * as PageBytes from "../../../sql/PageBytes.ts"
import { inScope, type Reach } from "../../../sql/Reach.ts"
import { statement, variants } from "../../../sql/Statement.ts"
import { decodeActions } from "./rows.ts"

const KeyedRow = { fields: { seq: true, ...ActionRow.fields } }
const longTexts = ["description", "result", "metadata", "action_data"]

const byId = variants((content: "with content" | "without content") =>
  statement(
    content === "with content"
      ? `SELECT * FROM actions WHERE id = :id AND ${inScope}`
      : `SELECT id, scope, entity_type, entity_id, action_type, label, NULL AS description, status, proposed_by, proposed_at,
          executed_at, NULL AS result, expires_at, NULL AS metadata, NULL AS action_data
        FROM actions WHERE id = :id AND ${inScope}`
  )
)

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const bounded = yield* PageBytes.make

  const get = Effect.fn("Actions.get")(function*(id: ActionId, scope: Reach, { content }: ContentChoice = {}) {
    const now = yield* Clock.currentTimeMillis
    const read = byId(content === false ? "without content" : "with content")
    const { found } = yield* batch({ found: read({ id, scope: scope ?? null }) })
    return (yield* decodeActions(found, now))[0] ?? (yield* ActionNotFound.of(id))
  })

  /** The columns of an action. Its long texts are left out if the request asks for that. */
  const columns = (content: boolean | undefined) =>
    without(sql, KeyedRow, content === false ? longTexts : [], { table: "actions" })

  // As `sql/record/Actions.ts` has it.
  const seen = (now: number) => sql`iif(status = 'proposed' AND expires_at <= ${now}, 'expired', status)`

  const list = Effect.fn("Actions.list")(function*(scope: ScopeName, filter: ActionFilter) {
    const now = yield* Clock.currentTimeMillis
    const page = yield* Effect.fromResult(
      pageOf(filter, { name: "actions", of: { scope, ...filter }, key: { proposed_at: "number", seq: "number" } })
    )
    const status = filter.status === "pending" ? "proposed" : filter.status
    const matches = sql.and([
      sql`scope = ${scope}`,
      status ? sql`${seen(now)} = ${status}` : sql`${seen(now)} <> 'expired'`,
      ...(["entity_type", "entity_id"] as const).flatMap((field) =>
        filter[field] ? [sql`${sql(field)} = ${filter[field]}`] : []
      )
    ])
    // The actions of one record are few. By itself SQLite would choose the index that has the order, and read all of the scope.
    const from = filter.entity_type && filter.entity_id ? sql`actions INDEXED BY actions_about` : sql`actions`
    const count = sql`SELECT count(*) AS total FROM ${from} WHERE ${matches}`
    const { found, others: [totals] } = yield* bounded({
      page,
      columns: Object.keys(KeyedRow.fields),
      long: [...longTexts, "entity_type", "entity_id", "action_type", "label", "proposed_by"],
      rows: (take) =>
        sql`
        SELECT ${columns(filter.content)} FROM ${from}
        WHERE ${sql.and([matches, ...beyond(sql, page, "descending")])}
        ORDER BY proposed_at DESC, seq DESC LIMIT ${take} OFFSET ${page.skip}`
    }, (rows) => batch(page.total === undefined ? [rows, count] : [rows]))
    const { envelope, rows } = page.end(found, Number(totals?.[0]?.total))
    return { actions: yield* decodeActions(rows, now), ...envelope }
  })

  return { get, list }
})
