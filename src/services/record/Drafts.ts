/** Drafts: ideas that may become tasks. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { DependencyCycle } from "../../domain/dependency/Dependency.ts"
import type { DraftId, ScopeName } from "../../domain/Identifier.ts"
import { type Envelope, type InvalidCursor, pageOf } from "../../domain/Page.ts"
import {
  type Draft,
  type DraftFilter,
  DraftNotFound,
  DraftPatch,
  DraftRow,
  type NewDraft
} from "../../domain/record/Draft.ts"
import type { ProjectExists } from "../../domain/record/Project.ts"
import type { DraftPromoted, InvalidPromotion, Promoted, Promotion } from "../../domain/record/Promotion.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import type { InvalidTask, TaskExists } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import * as Conditional from "../../sql/page/Conditional.ts"
import { afterCursor, cursorValues } from "../../sql/page/Keyset.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import * as Revisions from "../../sql/Revisions.ts"
import { statement, variants } from "../../sql/Statement.ts"
import * as Promoting from "./promote.ts"

const decodeDrafts = Schema.decodeUnknownEffect(Schema.Array(DraftRow))

const required = ["title", "status", "author"] as const
const optional = ["domain", "file_path", "linked_task_id", "linked_project_id", "tags"] as const
const filters = ["status", "author", "domain", "linked_task_id", "linked_project_id", "slug"] as const

const newest = { name: "drafts", key: { created_at: "number", id: "number" } } as const

const insert = statement(`
  INSERT INTO drafts (scope, slug, title, status, author,
    domain, file_path, linked_task_id, linked_project_id, tags, created_at, updated_at)
  VALUES (:scope, :slug, :title, :status, :author,
    :domain, :file_path, :linked_task_id, :linked_project_id, :tags, :now, :now)
  RETURNING *`)

const created = Idempotency.keeping({ row: columnsOf(DraftRow), from: "drafts", where: "id = last_insert_rowid()" })

const countNew = statement(`
  INSERT INTO queue_counts (scope, counts, drafts_revision) VALUES (:scope, '{}', 1)
  ON CONFLICT (scope) DO UPDATE SET drafts_revision = drafts_revision + 1, drafts_total = drafts_total + 1`)

/** The drafts of a list, in a scope or in every scope. An absent filter is null. */
const listed = (every: boolean, narrowed: boolean) =>
  `FROM drafts WHERE ${every ? "true" : "scope = :scope"} ${
    narrowed
      ? `AND (:status IS NULL OR status = :status) AND (:author IS NULL OR author = :author)
        AND (:domain IS NULL OR domain = :domain) AND (:slug IS NULL OR slug = :slug)
        AND (:linked_task_id IS NULL OR linked_task_id = :linked_task_id)
        AND (:linked_project_id IS NULL OR linked_project_id = :linked_project_id)`
      : ""
  }`

const pages = variants((every: boolean, narrowed: boolean, next: boolean) =>
  PageBytes.pagesOf(
    { columns: Object.keys(DraftRow.fields), long: ["slug", ...required, ...optional] },
    `
    SELECT * ${listed(every, narrowed)} ${next ? `AND ${afterCursor(["created_at", "id"], "descending")}` : ""}
    ORDER BY created_at DESC, id DESC LIMIT :take OFFSET :skip`
  )
)

const countListed = variants((every: boolean, narrowed: boolean) =>
  every || narrowed ? statement(`SELECT count(*) AS total ${listed(every, narrowed)}`) : Revisions.total("drafts")
)

const revision = variants((every: boolean) =>
  statement(`SELECT ${every ? Revisions.ofAll("drafts") : Revisions.of("drafts")} AS revision`)
)

const byId = statement(`SELECT * FROM drafts WHERE id = :id AND ${inScope}`)

/**
 * Whether the patch changes the draft. A required field is null if the patch does not have it. `:given` is an object
 * with the names of the optional fields in the patch; if such a field is null, it is cleared.
 */
const differs = `(title <> :title OR status <> :status OR author <> :author
  OR :given ->> 'domain' AND domain IS NOT :domain
  OR :given ->> 'file_path' AND file_path IS NOT :file_path
  OR :given ->> 'linked_task_id' AND linked_task_id IS NOT :linked_task_id
  OR :given ->> 'linked_project_id' AND linked_project_id IS NOT :linked_project_id
  OR :given ->> 'tags' AND tags IS NOT :tags)`

const raiseIfDifferent = statement(`
  INSERT INTO queue_counts (scope, counts, drafts_revision)
  SELECT scope, '{}', 1 FROM drafts WHERE id = :id AND ${inScope} AND ${differs}
  ON CONFLICT (scope) DO UPDATE SET drafts_revision = drafts_revision + 1`)

// A patch that changes nothing writes nothing, so `updated_at` stays.
const update = statement(`
  UPDATE drafts SET
    title = coalesce(:title, title), status = coalesce(:status, status), author = coalesce(:author, author),
    domain = iif(:given ->> 'domain', :domain, domain),
    file_path = iif(:given ->> 'file_path', :file_path, file_path),
    linked_task_id = iif(:given ->> 'linked_task_id', :linked_task_id, linked_task_id),
    linked_project_id = iif(:given ->> 'linked_project_id', :linked_project_id, linked_project_id),
    tags = iif(:given ->> 'tags', :tags, tags),
    updated_at = :now
  WHERE id = :id AND ${inScope} AND ${differs}`)

const countLess = statement(`
  INSERT INTO queue_counts (scope, counts, drafts_revision)
  SELECT scope, '{}', 1 FROM drafts WHERE id = :id AND ${inScope}
  ON CONFLICT (scope) DO UPDATE SET drafts_revision = drafts_revision + 1, drafts_total = drafts_total - 1`)

const deleteById = statement(`DELETE FROM drafts WHERE id = :id AND ${inScope} RETURNING id`)

const valuesOf = (draft: Pick<DraftPatch, typeof optional[number]>) =>
  Object.fromEntries(optional.map((field) => [field, draft[field] || null]))

export class Drafts extends Context.Service<Drafts, {
  readonly create: (scope: ScopeName, draft: NewDraft) => Effect.Effect<Draft>
  readonly get: (id: DraftId, scope: Reach) => Effect.Effect<Draft, DraftNotFound>
  /** A page of the drafts within reach, newest first, and how many match on all pages. */
  readonly list: (
    scope: Reach,
    filter: DraftFilter
  ) => Effect.Effect<{ readonly drafts: ReadonlyArray<Draft> } & Envelope, InvalidCursor>
  readonly patch: (id: DraftId, patch: DraftPatch, scope: Reach) => Effect.Effect<Draft, DraftNotFound | NoFields>
  /** Creates the task or the project that the draft becomes. Each then names the other. */
  readonly promote: (id: DraftId, promotion: Promotion, scope: Reach) => Effect.Effect<
    Promoted,
    DraftNotFound | DraftPromoted | InvalidPromotion | TaskExists | InvalidTask | DependencyCycle | ProjectExists
  >
  readonly remove: (id: DraftId, scope: Reach) => Effect.Effect<void, DraftNotFound>
}>()("octopoid-server/services/Drafts") {
  static readonly layer = Layer.effect(
    Drafts,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const once = yield* Idempotency.make
      const read = yield* Conditional.make
      const paged = yield* PageBytes.reader

      const first = Effect.fnUntraced(function*(id: DraftId, rows: ReadonlyArray<unknown>) {
        const [draft] = yield* Effect.orDie(decodeDrafts(rows))
        return draft ?? (yield* DraftNotFound.of(id))
      })

      const create = Effect.fn("Drafts.create")(function*(scope: ScopeName, draft: NewDraft) {
        const now = yield* Clock.currentTimeMillis
        const { author, id, status, title } = draft
        const slug = id == null || id === "" ? null : String(id)
        const values = { ...valuesOf(draft), scope, slug, title, status: status || "idea", author, now }
        const { answers: { inserted }, replay } = yield* once.batch(
          { inserted: insert(values), counted: countNew(values) },
          { keep: "inserted", answer: created, values }
        )
        return (yield* Effect.orDie(decodeDrafts(replay?.rows ?? inserted)))[0]!
      })

      const get = Effect.fn("Drafts.get")(function*(id: DraftId, scope: Reach) {
        const { found } = yield* batch({ found: byId({ id, scope: scope ?? null }) })
        return yield* first(id, found)
      })

      const list = Effect.fn("Drafts.list")(function*(scope: Reach, filter: DraftFilter) {
        const asked = { scope, ...filter }
        const page = yield* Effect.fromResult(pageOf(filter, { ...newest, of: asked }))
        const every = scope === undefined
        const given = filters.filter((field) => filter[field])
        const values = {
          ...Object.fromEntries(filters.map((field) => [field, filter[field] || null])),
          ...cursorValues(page),
          scope: scope ?? null,
          skip: page.skip
        }
        const count = page.total === undefined ? countListed(every, given.length > 0)(values) : undefined
        const question = { name: newest.name, asked, revision: revision(every)(values) }
        const { answers, found } = yield* paged({
          page,
          pages: pages(every, given.length > 0, page.after !== undefined),
          values
        }, (rows) => read(question, { rows, count }))
        const { envelope, rows } = page.end(found, Number(answers.count[0]?.total))
        return { drafts: yield* Effect.orDie(decodeDrafts(rows)), ...envelope }
      })

      const patch = Effect.fn("Drafts.patch")(function*(id: DraftId, changes: DraftPatch, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const given = [...required, ...optional].filter((field) => changes[field] !== undefined)
        if (given.length === 0) return yield* NoFields.of(DraftPatch)
        const values = {
          id,
          scope: scope ?? null,
          now,
          title: changes.title ?? null,
          status: changes.status ?? null,
          author: changes.author ?? null,
          ...valuesOf(changes),
          given: JSON.stringify(Object.fromEntries(given.map((field) => [field, 1])))
        }
        const { patched } = yield* batch({
          raised: raiseIfDifferent(values),
          updated: update(values),
          patched: byId(values)
        })
        return yield* first(id, patched)
      })

      const remove = Effect.fn("Drafts.remove")(function*(id: DraftId, scope: Reach) {
        const values = { id, scope: scope ?? null }
        const { deleted } = yield* batch({ counted: countLess(values), deleted: deleteById(values) })
        if (deleted.length === 0) return yield* DraftNotFound.of(id)
      })

      return Drafts.of({ create, get, list, patch, promote: yield* Promoting.make, remove })
    })
  )
}
