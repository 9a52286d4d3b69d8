/** Projects: groups of tasks that share a branch. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ProjectGraph } from "../../domain/dependency/ProjectGraph.ts"
import type { ProjectId, ScopeName } from "../../domain/Identifier.ts"
import { type Envelope, type InvalidCursor, pageOf } from "../../domain/Page.ts"
import {
  type CountedProject,
  type NewProject,
  type Project,
  type ProjectExists,
  type ProjectFilter,
  ProjectHasTasks,
  ProjectNotFound,
  ProjectPatch,
  ProjectRow,
  type ProjectTasksQuery
} from "../../domain/record/Project.ts"
import { capOf, sums } from "../../domain/record/Usage.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import { type Task, TaskRow } from "../../domain/task/Task.ts"
import { bytesOfTask, columnsWithout, longTextsOfTasks } from "../../sql/Columns.ts"
import { Database } from "../../sql/Database.ts"
import * as Conditional from "../../sql/page/Conditional.ts"
import { afterCursor, cursorValues } from "../../sql/page/Keyset.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import * as ByProject from "../../sql/record/ByProject.ts"
import * as ProjectCounts from "../../sql/record/ProjectCounts.ts"
import * as Revisions from "../../sql/Revisions.ts"
import { statement, variants } from "../../sql/Statement.ts"
import { answered, decodeCounts, decodeTasks, someLeased } from "../task/rows.ts"
import { decodeProjects, isCapped, kindsText, millisOf } from "./createProject.ts"
import * as Creation from "./createProject.ts"
import * as Graphing from "./projectGraph.ts"

const newest = { name: "projects", key: { created_at: "number", id: "string" } } as const
const urgent = {
  name: "tasks of a project",
  key: { priority_rank: "number", created_at: "number", id: "string" }
} as const

const sumOf = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, n) => sum + n, 0)

/** The projects of a list, in a scope or in every scope. An absent filter is null. */
const listed = (every: boolean, narrowed: boolean) =>
  `FROM projects WHERE ${every ? "true" : "scope = :scope"} ${
    narrowed
      ? "AND (:status IS NULL OR status = :status) AND (:created_by IS NULL OR created_by = :created_by)"
      : ""
  }`

const pages = variants((every: boolean, narrowed: boolean, next: boolean) =>
  PageBytes.pagesOf(
    {
      columns: [...Object.keys(ProjectRow.fields), "counts"],
      long: [
        "title",
        "description",
        "status",
        "branch",
        "base_branch",
        "flow",
        "pr_url",
        "created_by",
        "evidence_required"
      ]
    },
    `
    SELECT *, ${ProjectCounts.ofEach} AS counts FROM (
      SELECT * ${listed(every, narrowed)} ${next ? `AND ${afterCursor(["created_at", "id"], "descending")}` : ""}
      ORDER BY created_at DESC, id DESC LIMIT :take OFFSET :skip) AS projects`
  )
)

const countListed = variants((every: boolean, narrowed: boolean) =>
  every || narrowed ? statement(`SELECT count(*) AS total ${listed(every, narrowed)}`) : Revisions.total("projects")
)

/**
 * The list shows counts of tasks and what was used, too. Revisions only rise, so their sum changes with each of them. A
 * report of usage changes the newest day of its scope, or the day before if it comes at midnight. Across scopes, every
 * renewal counts as a report.
 */
const revision = variants((every: boolean) =>
  statement(
    every
      ? `SELECT coalesce(sum(projects_revision + revision + leases_revision), 0) AS revision
        FROM queue_counts WHERE scope >= ' '`
      : `SELECT coalesce(sum(projects_revision + revision), 0) AS revision, (
          SELECT json_group_array(json_array(day, ${sums.join(", ")}))
          FROM (SELECT * FROM usage WHERE usage.scope = :scope ORDER BY day DESC LIMIT 2)) AS used
        FROM queue_counts WHERE scope = :scope`
  )
)

/** The tasks of a project by priority. Within a priority the newest come first, or on pages the oldest. */
const pagesOfTasks = variants((order: "newest first" | "oldest first", content: boolean, next: boolean) =>
  PageBytes.pagesOf(
    {
      columns: [...Object.keys(TaskRow.fields), "priority_rank"],
      long: longTextsOfTasks,
      bytes: bytesOfTask
    },
    `
    SELECT ${
      content
        ? "tasks.*"
        : `${columnsWithout(TaskRow, ["content"], { besides: ["priority_rank"] })},
          bytes - coalesce(octet_length(content), 0) AS bytes`
    }
    FROM tasks WHERE project_id = (SELECT id FROM projects WHERE id = :id AND ${inScope})
      ${next ? `AND ${afterCursor(["priority_rank", "created_at", "id"], "ascending")}` : ""}
    ORDER BY priority_rank, created_at ${order === "newest first" ? "DESC" : "ASC"}, id LIMIT :take`
  )
)

const scopeOfProject = `(SELECT scope FROM projects WHERE id = :id AND ${inScope})`

const idInScope = statement(`SELECT id FROM projects WHERE id = :id AND ${inScope}`)

const tasksByQueue = statement(`SELECT ${ProjectCounts.of(scopeOfProject)} AS counts`)

const sumOfTasks = statement(`
  SELECT coalesce(sum(value), 0) AS total FROM json_each(${ProjectCounts.of(scopeOfProject)})`)

const revisionOfTasks = statement(`
  SELECT coalesce(max(revision), 0) AS revision, coalesce(max(leases_revision), 0) AS leases, max(scope) AS scope
  FROM queue_counts WHERE scope = ${scopeOfProject}`)

const countedById = statement(`
  SELECT *, ${ProjectCounts.ofEach} AS counts FROM projects WHERE id = :id AND ${inScope}`)

const byId = statement(`SELECT * FROM projects WHERE id = :id AND ${inScope}`)

/**
 * Whether the patch changes the project. A field that cannot be cleared is null if the patch does not have it. `:given`
 * is an object with the names of the other fields in the patch; if such a field is null, it is cleared.
 */
const differs = `(title <> :title OR status <> :status OR base_branch <> :base_branch
  OR auto_accept <> :auto_accept OR flow <> :flow
  OR branch IS NOT coalesce(:branch, branch)
  OR :given ->> 'description' AND description IS NOT :description
  OR :given ->> 'pr_number' AND pr_number IS NOT :pr_number
  OR :given ->> 'pr_url' AND pr_url IS NOT :pr_url
  OR :given ->> 'completed_at' AND completed_at IS NOT :completed_at
  OR :given ->> 'evidence_required' AND evidence_required IS NOT :evidence_required
  OR :given ->> 'max_cost_usd' AND max_cost_usd IS NOT :max_cost_usd
  OR :given ->> 'max_tokens' AND max_tokens IS NOT :max_tokens
  OR :given ->> 'max_review_rounds' AND max_review_rounds IS NOT :max_review_rounds
  OR :status = 'completed' AND completed_at IS NULL)`

const raiseIfDifferent = statement(`
  INSERT INTO queue_counts (scope, counts, projects_revision)
  SELECT scope, '{}', 1 FROM projects WHERE id = :id AND ${inScope} AND ${differs}
  ON CONFLICT (scope) DO UPDATE SET projects_revision = projects_revision + 1`)

// A patch that changes nothing writes nothing, so `updated_at` stays. A patch that completes the project without a time
// sets the present time, unless the project has one.
const update = statement(`
  UPDATE projects SET
    title = coalesce(:title, title), status = coalesce(:status, status),
    branch = coalesce(:branch, branch), base_branch = coalesce(:base_branch, base_branch),
    auto_accept = coalesce(:auto_accept, auto_accept), flow = coalesce(:flow, flow),
    description = iif(:given ->> 'description', :description, description),
    pr_number = iif(:given ->> 'pr_number', :pr_number, pr_number),
    pr_url = iif(:given ->> 'pr_url', :pr_url, pr_url),
    evidence_required = iif(:given ->> 'evidence_required', :evidence_required, evidence_required),
    max_cost_usd = iif(:given ->> 'max_cost_usd', CAST(:max_cost_usd AS INTEGER), max_cost_usd),
    max_tokens = iif(:given ->> 'max_tokens', CAST(:max_tokens AS INTEGER), max_tokens),
    max_review_rounds = iif(:given ->> 'max_review_rounds', CAST(:max_review_rounds AS INTEGER), max_review_rounds),
    completed_at = CASE
      WHEN :given ->> 'completed_at' THEN :completed_at
      WHEN :status = 'completed' THEN coalesce(completed_at, :now)
      ELSE completed_at END,
    updated_at = :now
  WHERE id = :id AND ${inScope} AND ${differs}`)

const isEmpty = "NOT EXISTS (SELECT 1 FROM tasks WHERE project_id = :id)"

const countLess = statement(`
  INSERT INTO queue_counts (scope, counts, projects_revision)
  SELECT scope, '{}', 1 FROM projects WHERE id = :id AND ${inScope} AND ${isEmpty}
  ON CONFLICT (scope) DO UPDATE SET projects_revision = projects_revision + 1, projects_total = projects_total - 1`)

const deleteEmpty = statement(`DELETE FROM projects WHERE id = :id AND ${inScope} AND ${isEmpty} RETURNING id`)

const endCounters = statement(`
  DELETE FROM queue_counts
  WHERE scope = ${ProjectCounts.keyOf(":id")} AND NOT EXISTS (SELECT 1 FROM projects WHERE id = :id)`)

const endBreaker = statement(`
  DELETE FROM breakers WHERE project_id = :id AND ${inScope} AND NOT EXISTS (SELECT 1 FROM projects WHERE id = :id)`)

const countTasks = statement(`
  SELECT (SELECT count(*) FROM tasks WHERE project_id = :id) AS tasks FROM projects WHERE id = :id AND ${inScope}`)

/** The parameters of `differs`. */
const valuesOf = (patch: ProjectPatch, now: number) => {
  const clearable = [
    "description",
    "pr_number",
    "pr_url",
    "completed_at",
    "evidence_required",
    "max_cost_usd",
    "max_tokens",
    "max_review_rounds"
  ] as const
  const given = clearable.filter((field) => patch[field] !== undefined)
  return {
    title: patch.title ?? null,
    status: patch.status ?? null,
    branch: patch.branch ?? null,
    base_branch: patch.base_branch ?? null,
    auto_accept: patch.auto_accept === undefined ? null : Number(patch.auto_accept ?? false),
    flow: patch.flow === undefined ? null : patch.flow || "project",
    description: patch.description || null,
    pr_number: patch.pr_number ?? null,
    pr_url: patch.pr_url || null,
    completed_at: millisOf(patch.completed_at) ?? (patch.status === "completed" ? now : null),
    evidence_required: kindsText(patch.evidence_required),
    max_cost_usd: capOf(patch.max_cost_usd),
    max_tokens: patch.max_tokens ?? null,
    max_review_rounds: patch.max_review_rounds ?? null,
    given: JSON.stringify(Object.fromEntries(given.map((field) => [field, 1])))
  }
}

const patchable = [
  "title",
  "status",
  "branch",
  "base_branch",
  "pr_number",
  "description",
  "pr_url",
  "auto_accept",
  "flow",
  "completed_at",
  "evidence_required",
  "max_cost_usd",
  "max_tokens",
  "max_review_rounds"
] as const

export class Projects extends Context.Service<Projects, {
  readonly create: (scope: ScopeName, project: NewProject) => Effect.Effect<Project, ProjectExists>
  /** The project, and how many tasks it has in each queue. */
  readonly get: (id: ProjectId, scope: Reach) => Effect.Effect<CountedProject, ProjectNotFound>
  /** A page of the projects within reach, newest first, and how many match on all pages. */
  readonly list: (
    scope: Reach,
    filter: ProjectFilter
  ) => Effect.Effect<{ readonly projects: ReadonlyArray<CountedProject> } & Envelope, InvalidCursor>
  /**
   * All tasks of the project, the most urgent first. A page is returned only for a cursor (`first` for the first page);
   * there, tasks of the same priority are ordered by age.
   */
  readonly tasks: (id: ProjectId, scope: Reach, query?: ProjectTasksQuery) => Effect.Effect<{
    readonly project_id: ProjectId
    readonly tasks: ReadonlyArray<Task>
    readonly total: number
    readonly next_cursor: string | null
  }, ProjectNotFound | InvalidCursor>
  /** The tasks of the project and their blockers, within bounds. */
  readonly graph: (id: ProjectId, scope: Reach) => Effect.Effect<ProjectGraph, ProjectNotFound>
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
      const { batch } = yield* Database
      const createFrom = yield* Creation.makeFrom
      const read = yield* Conditional.make
      const paged = yield* PageBytes.reader

      const first = Effect.fnUntraced(function*(id: ProjectId, rows: ReadonlyArray<unknown>) {
        const [project] = yield* Effect.orDie(decodeProjects(rows))
        return project ?? (yield* ProjectNotFound.of(id))
      })

      const create = Effect.fn("Projects.create")(function*(scope: ScopeName, project: NewProject) {
        return (yield* createFrom(scope, project))!
      })

      const get = Effect.fn("Projects.get")(function*(id: ProjectId, scope: Reach) {
        const { found } = yield* batch({ found: countedById({ id, scope: scope ?? null }) })
        return { ...(yield* first(id, found)), counts: decodeCounts(found[0]?.counts) }
      })

      const list = Effect.fn("Projects.list")(function*(scope: Reach, filter: ProjectFilter) {
        const asked = { scope, ...filter }
        const page = yield* Effect.fromResult(pageOf(filter, { ...newest, of: asked, whole: Boolean(filter.status) }))
        const every = scope === undefined
        const narrowed = Boolean(filter.status || filter.created_by)
        const values = {
          ...cursorValues(page),
          scope: scope ?? null,
          status: filter.status || null,
          created_by: filter.created_by || null,
          skip: page.skip
        }
        const count = page.total === undefined ? countListed(every, narrowed)(values) : undefined
        const question = { name: newest.name, asked, revision: revision(every)(values) }
        const { answers, found } = yield* paged({
          page,
          pages: pages(every, narrowed, page.after !== undefined),
          values
        }, (rows) => read(question, { rows, count }))
        const { envelope, rows } = page.end(found, Number(answers.count[0]?.total))
        const projects = yield* Effect.orDie(decodeProjects(rows))
        return {
          projects: projects.map((project, place) => ({ ...project, counts: decodeCounts(rows[place]?.counts) })),
          ...envelope
        }
      })

      const tasks = Effect.fn("Projects.tasks")(function*(id: ProjectId, scope: Reach, query: ProjectTasksQuery = {}) {
        const asked = { id, scope, ...query }
        // Clients take a project for complete when all of these tasks are, and may send a `limit`. So only a cursor
        // asks for a page.
        const inPages = query.cursor !== undefined
        const { limit: _, ...whole } = query
        const page = yield* Effect.fromResult(pageOf(inPages ? query : whole, { ...urgent, of: asked, whole: "all" }))
        const values = { ...cursorValues(page), id, scope: scope ?? null }
        const pagesIn = (order: "newest first" | "oldest first") =>
          pagesOfTasks(order, query.content ?? true, page.after !== undefined)
        const question = {
          name: urgent.name,
          asked,
          revision: revisionOfTasks(values),
          shown: someLeased
        }
        const { answers, found, total: entire } = yield* paged({
          page,
          pages: pagesIn(inPages ? "oldest first" : "newest first"),
          inPages: pagesIn("oldest first"),
          values,
          count: sumOfTasks(values)
        }, (rows) =>
          read(question, {
            rows,
            known: idInScope(values),
            counts: inPages && page.total === undefined ? tasksByQueue(values) : undefined
          }))
        if (answers.known.length === 0) return yield* ProjectNotFound.of(id)
        const stored = answers.counts[0]?.counts
        const counted = entire ?? (stored === undefined ? found.length : sumOf(decodeCounts(stored)))
        const { envelope: { next_cursor, total }, rows } = page.end(found, counted)
        return { project_id: id, tasks: (yield* decodeTasks(rows)).map(answered), total, next_cursor }
      })

      const patch = Effect.fn("Projects.patch")(function*(id: ProjectId, changes: ProjectPatch, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        if (patchable.every((field) => changes[field] === undefined)) return yield* NoFields.of(ProjectPatch)
        const values = { ...valuesOf(changes, now), id, scope: scope ?? null, now }
        const { patched } = yield* batch({
          raised: raiseIfDifferent(values),
          updated: update(values),
          byProject: isCapped(changes) ? ByProject.ofProject.map((each) => each(values)) : undefined,
          patched: byId(values)
        })
        return yield* first(id, patched)
      })

      const remove = Effect.fn("Projects.remove")(function*(id: ProjectId, scope: Reach) {
        const values = { id, scope: scope ?? null }
        const { deleted, left } = yield* batch({
          counted: countLess(values),
          deleted: deleteEmpty(values),
          ended: endCounters(values),
          breakerEnded: endBreaker(values),
          left: countTasks(values)
        })
        if (deleted.length > 0) return
        return yield* left[0] === undefined ? ProjectNotFound.of(id) : ProjectHasTasks.of(id, Number(left[0].tasks))
      })

      return Projects.of({ create, get, graph: yield* Graphing.make, list, tasks, patch, remove })
    })
  )
}
