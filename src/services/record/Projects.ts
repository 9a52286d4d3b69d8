/** Projects: groups of tasks that share a branch. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { InvalidCursor } from "../../domain/Cursor.ts"
import type { ProjectId, ScopeName } from "../../domain/Identifier.ts"
import { type Envelope, pageOf } from "../../domain/Page.ts"
import {
  type NewProject,
  type Project,
  ProjectExists,
  type ProjectFilter,
  ProjectHasTasks,
  ProjectNotFound,
  ProjectPatch,
  ProjectRow,
  type ProjectTasksQuery
} from "../../domain/record/Project.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import { type Task, TaskRow } from "../../domain/task/Task.ts"
import { longTextsOfTasks, without } from "../../sql/Columns.ts"
import * as Conditional from "../../sql/Conditional.ts"
import { Database } from "../../sql/Database.ts"
import { beyond } from "../../sql/Keyset.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import * as PageBytes from "../../sql/PageBytes.ts"
import { type Reach, within } from "../../sql/Reach.ts"
import * as Patch from "../../sql/record/Patch.ts"
import * as ProjectCounts from "../../sql/record/ProjectCounts.ts"
import * as Revision from "../../sql/task/Revision.ts"
import { answered, decodeCounts, someLeased } from "../task/rows.ts"

const decodeProjects = Schema.decodeUnknownEffect(Schema.Array(ProjectRow))
const decodeTasks = Schema.decodeUnknownEffect(Schema.Array(TaskRow))

const newest = { name: "projects", key: { created_at: "number", id: "string" } } as const
const urgent = {
  name: "tasks of a project",
  key: { priority_rank: "number", created_at: "number", id: "string" }
} as const

const sumOf = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, n) => sum + n, 0)

const millis = (time: DateTime.Utc | null | undefined) => time ? DateTime.toEpochMillis(time) : null

export class Projects extends Context.Service<Projects, {
  readonly create: (scope: ScopeName, project: NewProject) => Effect.Effect<Project, ProjectExists>
  readonly get: (id: ProjectId, scope: Reach) => Effect.Effect<Project, ProjectNotFound>
  /** A page of the projects within reach, newest first, and how many match on all pages. */
  readonly list: (
    scope: Reach,
    filter: ProjectFilter
  ) => Effect.Effect<{ readonly projects: ReadonlyArray<Project> } & Envelope, InvalidCursor>
  /**
   * All tasks of the project, most urgent first. A page of them, which only a cursor asks for (`first` for the first one),
   * has the oldest of the equally urgent first.
   */
  readonly tasks: (id: ProjectId, scope: Reach, query?: ProjectTasksQuery) => Effect.Effect<{
    readonly project_id: ProjectId
    readonly tasks: ReadonlyArray<Task>
    readonly total: number
    readonly next_cursor: string | null
  }, ProjectNotFound | InvalidCursor>
  readonly patch: (
    id: ProjectId,
    patch: ProjectPatch,
    scope: Reach
  ) => Effect.Effect<Project, ProjectNotFound | NoFields>
  /** Deletes a project that has no tasks. */
  readonly remove: (id: ProjectId, scope: Reach) => Effect.Effect<void, ProjectNotFound | ProjectHasTasks>
}>()("octopoid-server/services/Projects") {
  static readonly layer = Layer.effect(
    Projects,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const once = yield* Idempotency.make
      const row = columnsOf(sql, ProjectRow)
      const read = yield* Conditional.make
      const bounded = yield* PageBytes.make
      const revision = Revision.make(sql)
      const counts = ProjectCounts.make(sql)

      const one = (id: ProjectId, scope: Reach) => sql`id = ${id} AND ${within(sql, scope)}`

      const first = Effect.fnUntraced(function*(id: ProjectId, rows: ReadonlyArray<unknown> | undefined) {
        const [project] = yield* Effect.orDie(decodeProjects(rows))
        return project ?? (yield* ProjectNotFound.of(id))
      })

      const create = Effect.fn("Projects.create")(function*(scope: ScopeName, project: NewProject) {
        const now = yield* Clock.currentTimeMillis
        const status = project.status || "draft"
        const { answers: [rows], replay } = yield* once.atomic([
          sql`INSERT INTO projects ${
            sql.insert({
              id: project.id,
              scope,
              title: project.title,
              description: project.description || null,
              status,
              branch: project.branch,
              base_branch: project.base_branch || "main",
              auto_accept: Number(project.auto_accept ?? false),
              flow: project.flow || "project",
              pr_number: project.pr_number ?? null,
              pr_url: project.pr_url || null,
              created_by: project.created_by || null,
              created_at: now,
              updated_at: now,
              completed_at: millis(project.completed_at) ?? (status === "completed" ? now : null)
            })
          } RETURNING *`,
          revision.raiseIn("projects", scope, { added: sql`changes()` }),
          counts.begin(sql`id = ${project.id}`)
        ], { after: 0, row, from: sql`projects WHERE id = ${project.id}` }).pipe(
          Effect.catchTag("UniqueViolation", () => ProjectExists.of(project.id))
        )
        return (yield* Effect.orDie(decodeProjects(replay?.rows ?? rows)))[0]!
      })

      const get = Effect.fn("Projects.get")(function*(id: ProjectId, scope: Reach) {
        const [rows] = yield* batch([sql`SELECT * FROM projects WHERE ${one(id, scope)}`])
        return yield* first(id, rows)
      })

      const list = Effect.fn("Projects.list")(function*(scope: Reach, filter: ProjectFilter) {
        const asked = { scope, ...filter }
        const page = yield* Effect.fromResult(pageOf(filter, { ...newest, of: asked, whole: Boolean(filter.status) }))
        const narrowed = [
          ...(filter.status ? [sql`status = ${filter.status}`] : []),
          ...(filter.created_by ? [sql`created_by = ${filter.created_by}`] : [])
        ]
        const matches = sql.and([within(sql, scope), ...narrowed])
        const { found, others: [totals] } = yield* bounded({
          page,
          columns: Object.keys(ProjectRow.fields),
          long: ["title", "description", "status", "branch", "base_branch", "flow", "pr_url", "created_by"],
          rows: (take) =>
            sql`
            SELECT * FROM projects WHERE ${sql.and([matches, ...beyond(sql, page, "descending")])}
            ORDER BY created_at DESC, id DESC LIMIT ${take} OFFSET ${page.skip}`
        }, (rows) =>
          read({
            name: newest.name,
            asked,
            revision: sql`SELECT ${revision.reaching("projects", scope)} AS revision`
          }, page.total === undefined ? [rows, revision.total("projects", scope, narrowed)] : [rows]))
        const { envelope, rows } = page.end(found, Number(totals?.[0]?.total))
        return { projects: yield* Effect.orDie(decodeProjects(rows)), ...envelope }
      })

      const tasks = Effect.fn("Projects.tasks")(function*(id: ProjectId, scope: Reach, query: ProjectTasksQuery = {}) {
        const asked = { id, scope, ...query }
        // Clients call a project complete when all of these are, whatever `limit` they send: only a cursor asks for a page.
        const paged = query.cursor !== undefined
        const { limit: _, ...whole } = query
        const page = yield* Effect.fromResult(pageOf(paged ? query : whole, { ...urgent, of: asked, whole: "all" }))
        const owner = sql`(SELECT scope FROM projects WHERE ${one(id, scope)})`
        const all = sql`project_id = (SELECT id FROM projects WHERE ${one(id, scope)})`
        const { found, others: [projects = [], totals], total: entire } = yield* bounded({
          page,
          columns: [...Object.keys(TaskRow.fields), "priority_rank"],
          long: longTextsOfTasks,
          rows: (take, whole) =>
            sql`
            SELECT ${
              without(sql, TaskRow, query.content === false ? ["content"] : [], {
                besides: page.columns,
                table: "tasks"
              })
            } FROM tasks
            WHERE ${sql.and([all, ...beyond(sql, page, "ascending")])}
            ORDER BY priority_rank, created_at ${sql.literal(whole && !paged ? "DESC" : "ASC")}, id LIMIT ${take}`,
          reordered: true,
          count: sql`SELECT coalesce(sum(value), 0) AS total FROM json_each(${counts.of(id, owner)})`
        }, (rows) =>
          read({
            name: urgent.name,
            asked,
            revision: revision.ofTasks(owner, sql`, max(scope) AS scope`),
            shown: someLeased
          }, [
            rows,
            sql`SELECT id FROM projects WHERE ${one(id, scope)}`,
            ...(paged && page.total === undefined ? [sql`SELECT ${counts.of(id, owner)} AS counts`] : [])
          ]))
        if (projects.length === 0) return yield* ProjectNotFound.of(id)
        const stored = totals?.[0]?.counts
        const counted = entire ?? (stored === undefined ? found.length : sumOf(decodeCounts(stored)))
        const { envelope: { next_cursor, total }, rows } = page.end(found, counted)
        return { project_id: id, tasks: (yield* Effect.orDie(decodeTasks(rows))).map(answered), total, next_cursor }
      })

      const assignments = (patch: ProjectPatch, now: number): Patch.Assignments => {
        const columns: Patch.Assignments = {}
        for (const field of ["title", "status", "branch", "base_branch", "pr_number"] as const) {
          if (patch[field] !== undefined) columns[field] = sql`${patch[field]}`
        }
        for (const field of ["description", "pr_url"] as const) {
          if (patch[field] !== undefined) columns[field] = sql`${patch[field] || null}`
        }
        if (patch.auto_accept !== undefined) columns.auto_accept = sql`${Number(patch.auto_accept ?? false)}`
        if (patch.flow !== undefined) columns.flow = sql`${patch.flow || "project"}`
        if (patch.completed_at !== undefined) columns.completed_at = sql`${millis(patch.completed_at)}`
        if (patch.status === "completed" && !patch.completed_at) {
          columns.completed_at = patch.completed_at === null ? sql`${now}` : sql`coalesce(completed_at, ${now})`
        }
        return columns
      }

      const patch = Effect.fn("Projects.patch")(function*(id: ProjectId, changes: ProjectPatch, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const columns = assignments(changes, now)
        if (Object.keys(columns).length === 0) return yield* NoFields.of(ProjectPatch)
        const [, rows] = yield* batch([
          ...Patch.statements(sql, "projects", one(id, scope), columns, now),
          revision.raise("projects", sql`SELECT scope FROM projects WHERE ${one(id, scope)}`)
        ])
        return yield* first(id, rows)
      })

      const remove = Effect.fn("Projects.remove")(function*(id: ProjectId, scope: Reach) {
        const empty = sql`${one(id, scope)} AND NOT EXISTS (SELECT 1 FROM tasks WHERE project_id = ${id})`
        const [, deleted = [], , left = []] = yield* batch([
          revision.raise("projects", sql`SELECT scope FROM projects WHERE ${empty}`, { where: sql`1`, added: sql`-1` }),
          sql`DELETE FROM projects WHERE ${empty} RETURNING id`,
          counts.end(id, sql`changes() > 0`),
          sql`
            SELECT (SELECT count(*) FROM tasks WHERE project_id = ${id}) AS tasks FROM projects WHERE ${one(id, scope)}`
        ])
        if (deleted.length > 0) return
        return yield* left[0] === undefined ? ProjectNotFound.of(id) : ProjectHasTasks.of(id, Number(left[0].tasks))
      })

      return Projects.of({ create, get, list, tasks, patch, remove })
    })
  )
}
