/** Drafts: ideas that may become tasks. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { InvalidCursor } from "../../domain/Cursor.ts"
import type { DraftId, ScopeName } from "../../domain/Identifier.ts"
import { type Envelope, pageOf } from "../../domain/Page.ts"
import {
  type Draft,
  type DraftFilter,
  DraftNotFound,
  DraftPatch,
  DraftRow,
  type NewDraft
} from "../../domain/record/Draft.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import * as Conditional from "../../sql/Conditional.ts"
import { Database } from "../../sql/Database.ts"
import { beyond } from "../../sql/Keyset.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import * as PageBytes from "../../sql/PageBytes.ts"
import { type Reach, within } from "../../sql/Reach.ts"
import * as Patch from "../../sql/record/Patch.ts"
import * as Revision from "../../sql/task/Revision.ts"

const decodeDrafts = Schema.decodeUnknownEffect(Schema.Array(DraftRow))

const optional = ["domain", "file_path", "linked_task_id", "linked_project_id", "tags"] as const
const filters = ["status", "author", "domain", "linked_task_id", "linked_project_id", "slug"] as const

const newest = { name: "drafts", key: { created_at: "number", id: "number" } } as const

export class Drafts extends Context.Service<Drafts, {
  readonly create: (scope: ScopeName, draft: NewDraft) => Effect.Effect<Draft>
  readonly get: (id: DraftId, scope: Reach) => Effect.Effect<Draft, DraftNotFound>
  /** A page of the drafts within reach, newest first, and how many match on all pages. */
  readonly list: (
    scope: Reach,
    filter: DraftFilter
  ) => Effect.Effect<{ readonly drafts: ReadonlyArray<Draft> } & Envelope, InvalidCursor>
  readonly patch: (id: DraftId, patch: DraftPatch, scope: Reach) => Effect.Effect<Draft, DraftNotFound | NoFields>
  readonly remove: (id: DraftId, scope: Reach) => Effect.Effect<void, DraftNotFound>
}>()("octopoid-server/services/Drafts") {
  static readonly layer = Layer.effect(
    Drafts,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const once = yield* Idempotency.make
      const row = columnsOf(sql, DraftRow)
      const read = yield* Conditional.make
      const bounded = yield* PageBytes.make
      const revision = Revision.make(sql)

      const one = (id: DraftId, scope: Reach) => sql`id = ${id} AND ${within(sql, scope)}`

      const first = Effect.fnUntraced(function*(id: DraftId, rows: ReadonlyArray<unknown> | undefined) {
        const [draft] = yield* Effect.orDie(decodeDrafts(rows))
        return draft ?? (yield* DraftNotFound.of(id))
      })

      const create = Effect.fn("Drafts.create")(function*(scope: ScopeName, draft: NewDraft) {
        const now = yield* Clock.currentTimeMillis
        const { answers: [rows], replay } = yield* once.batch([
          sql`INSERT INTO drafts ${
            sql.insert({
              scope,
              slug: draft.id == null || draft.id === "" ? null : String(draft.id),
              title: draft.title,
              status: draft.status || "idea",
              author: draft.author,
              ...Object.fromEntries(optional.map((field) => [field, draft[field] || null])),
              created_at: now,
              updated_at: now
            })
          } RETURNING *`,
          revision.raiseIn("drafts", scope, { added: sql`changes()` })
        ], { after: 0, row, from: sql`drafts WHERE id = last_insert_rowid()` })
        return (yield* Effect.orDie(decodeDrafts(replay?.rows ?? rows)))[0]!
      })

      const get = Effect.fn("Drafts.get")(function*(id: DraftId, scope: Reach) {
        const [rows] = yield* batch([sql`SELECT * FROM drafts WHERE ${one(id, scope)}`])
        return yield* first(id, rows)
      })

      const list = Effect.fn("Drafts.list")(function*(scope: Reach, filter: DraftFilter) {
        const asked = { scope, ...filter }
        const page = yield* Effect.fromResult(pageOf(filter, { ...newest, of: asked }))
        const narrowed = filters.flatMap((field) => filter[field] ? [sql`${sql(field)} = ${filter[field]}`] : [])
        const matches = sql.and([within(sql, scope), ...narrowed])
        const { found, others: [totals] } = yield* bounded({
          page,
          columns: Object.keys(DraftRow.fields),
          long: ["slug", "title", "status", "author", ...optional],
          rows: (take) =>
            sql`
            SELECT * FROM drafts WHERE ${sql.and([matches, ...beyond(sql, page, "descending")])}
            ORDER BY created_at DESC, id DESC LIMIT ${take} OFFSET ${page.skip}`
        }, (rows) =>
          read({
            name: newest.name,
            asked,
            revision: sql`SELECT ${revision.reaching("drafts", scope)} AS revision`
          }, page.total === undefined ? [rows, revision.total("drafts", scope, narrowed)] : [rows]))
        const { envelope, rows } = page.end(found, Number(totals?.[0]?.total))
        return { drafts: yield* Effect.orDie(decodeDrafts(rows)), ...envelope }
      })

      const patch = Effect.fn("Drafts.patch")(function*(id: DraftId, changes: DraftPatch, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const columns: Patch.Assignments = {}
        for (const field of ["title", "status", "author", ...optional] as const) {
          if (changes[field] !== undefined) columns[field] = sql`${changes[field] || null}`
        }
        if (Object.keys(columns).length === 0) return yield* NoFields.of(DraftPatch)
        const [, rows] = yield* batch([
          ...Patch.statements(sql, "drafts", one(id, scope), columns, now),
          revision.raise("drafts", sql`SELECT scope FROM drafts WHERE ${one(id, scope)}`)
        ])
        return yield* first(id, rows)
      })

      const remove = Effect.fn("Drafts.remove")(function*(id: DraftId, scope: Reach) {
        const [, deleted = []] = yield* batch([
          revision.raise("drafts", sql`SELECT scope FROM drafts WHERE ${one(id, scope)}`, {
            where: sql`1`,
            added: sql`-1`
          }),
          sql`DELETE FROM drafts WHERE ${one(id, scope)} RETURNING id`
        ])
        if (deleted.length === 0) return yield* DraftNotFound.of(id)
      })

      return Drafts.of({ create, get, list, patch, remove })
    })
  )
}
