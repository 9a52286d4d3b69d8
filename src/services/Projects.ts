/** Projects: groups of tasks that share a branch. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { ProjectId, ScopeName } from "../domain/Identifier.ts"
import { NoFields } from "../domain/NoFields.ts"
import { pageOf } from "../domain/Page.ts"
import {
  type NewProject,
  type Project,
  ProjectExists,
  type ProjectFilter,
  ProjectHasTasks,
  ProjectNotFound,
  ProjectPatch,
  ProjectRow
} from "../domain/Project.ts"
import { type Task, TaskRow } from "../domain/Task.ts"
import { Database } from "../sql/Database.ts"
import * as Idempotency from "../sql/Idempotency.ts"
import { columnsOf } from "../sql/JsonRow.ts"
import * as Patch from "../sql/Patch.ts"
import { type Reach, within } from "../sql/Reach.ts"

const decodeProjects = Schema.decodeUnknownEffect(Schema.Array(ProjectRow))
const decodeTasks = Schema.decodeUnknownEffect(Schema.Array(TaskRow))

const millis = (time: DateTime.Utc | null | undefined) => time ? DateTime.toEpochMillis(time) : null

export class Projects extends Context.Service<Projects, {
  readonly create: (scope: ScopeName, project: NewProject) => Effect.Effect<Project, ProjectExists>
  readonly get: (id: ProjectId, scope: Reach) => Effect.Effect<Project, ProjectNotFound>
  /** A page of the scope's projects, newest first, and how many match on all pages. */
  readonly list: (scope: ScopeName, filter: ProjectFilter) => Effect.Effect<{
    readonly projects: ReadonlyArray<Project>
    readonly total: number
    readonly offset: number
    readonly limit: number
  }>
  /** All tasks of the project, most urgent first. Clients call a project complete when all of these are. */
  readonly tasks: (id: ProjectId, scope: Reach) => Effect.Effect<{
    readonly project_id: ProjectId
    readonly tasks: ReadonlyArray<Task>
    readonly total: number
  }, ProjectNotFound>
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
          } RETURNING *`
        ], { after: 0, row, from: sql`projects WHERE id = ${project.id}` }).pipe(
          Effect.catchTag("UniqueViolation", () => ProjectExists.of(project.id))
        )
        return (yield* Effect.orDie(decodeProjects(replay?.rows ?? rows)))[0]!
      })

      const get = Effect.fn("Projects.get")(function*(id: ProjectId, scope: Reach) {
        const [rows] = yield* batch([sql`SELECT * FROM projects WHERE ${one(id, scope)}`])
        return yield* first(id, rows)
      })

      const list = Effect.fn("Projects.list")(function*(scope: ScopeName, filter: ProjectFilter) {
        const { limit, offset } = pageOf(filter, Boolean(filter.status))
        const matches = sql.and([
          sql`scope = ${scope}`,
          ...(filter.status ? [sql`status = ${filter.status}`] : []),
          ...(filter.created_by ? [sql`created_by = ${filter.created_by}`] : [])
        ])
        const [rows, totals] = yield* batch([
          sql`SELECT * FROM projects WHERE ${matches} ORDER BY created_at DESC, id DESC LIMIT ${limit} OFFSET ${offset}`,
          sql`SELECT count(*) AS total FROM projects WHERE ${matches}`
        ])
        const projects = yield* Effect.orDie(decodeProjects(rows))
        return { projects, total: Number(totals?.[0]?.total), offset, limit }
      })

      const tasks = Effect.fn("Projects.tasks")(function*(id: ProjectId, scope: Reach) {
        const [projects = [], rows = []] = yield* batch([
          sql`SELECT id FROM projects WHERE ${one(id, scope)}`,
          sql`
            SELECT * FROM tasks WHERE project_id = (SELECT id FROM projects WHERE ${one(id, scope)})
            ORDER BY priority_rank, created_at DESC, id`
        ])
        if (projects.length === 0) return yield* ProjectNotFound.of(id)
        return { project_id: id, tasks: yield* Effect.orDie(decodeTasks(rows)), total: rows.length }
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
        const [, rows] = yield* batch(Patch.statements(sql, "projects", one(id, scope), columns, now))
        return yield* first(id, rows)
      })

      const remove = Effect.fn("Projects.remove")(function*(id: ProjectId, scope: Reach) {
        const [deleted = [], left = []] = yield* batch([
          sql`
            DELETE FROM projects WHERE ${one(id, scope)} AND NOT EXISTS (SELECT 1 FROM tasks WHERE project_id = ${id})
            RETURNING id`,
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
