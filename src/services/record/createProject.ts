/** Creates a project, by itself or from a draft. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DraftId, ScopeName } from "../../domain/Identifier.ts"
import { type NewProject, ProjectExists, ProjectRow } from "../../domain/record/Project.ts"
import { capOf } from "../../domain/record/Usage.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import * as ByProject from "../../sql/record/ByProject.ts"
import * as ProjectCounts from "../../sql/record/ProjectCounts.ts"
import * as Promotion from "../../sql/record/Promotion.ts"
import { statement } from "../../sql/Statement.ts"

export const decodeProjects = Schema.decodeUnknownEffect(Schema.Array(ProjectRow))

/** The required kinds for their column, each once. */
export const kindsText = (kinds: ReadonlyArray<string> | null | undefined) =>
  kinds == null || kinds.length === 0 ? null : JSON.stringify([...new Set(kinds)])

/** Whether the project may come to a cap. */
export const isCapped = ({ max_cost_usd, max_tokens }: Pick<NewProject, "max_cost_usd" | "max_tokens">) =>
  max_cost_usd != null || max_tokens != null

export const millisOf = (time: DateTime.Utc | null | undefined) => time ? DateTime.toEpochMillis(time) : null

const insert = statement(`
  INSERT INTO projects (id, scope, title, description, status, branch, base_branch, auto_accept, flow,
    pr_number, pr_url, created_by, created_at, updated_at, completed_at, evidence_required,
    max_cost_usd, max_tokens, max_review_rounds)
  VALUES (:id, :scope, :title, :description, :status, :branch, :base_branch, :auto_accept, :flow,
    :pr_number, :pr_url, :created_by, :now, :now, :completed_at, :evidence_required,
    :max_cost_usd, :max_tokens, :max_review_rounds)
  RETURNING *`)

const insertFromDraft = statement(`
  INSERT INTO projects (id, scope, title, description, status, branch, base_branch, auto_accept, flow,
    pr_number, pr_url, created_by, created_at, updated_at, completed_at, evidence_required,
    max_cost_usd, max_tokens, max_review_rounds, draft_id)
  SELECT :id, :scope, :title, :description, :status, :branch, :base_branch, :auto_accept, :flow,
    :pr_number, :pr_url, :created_by, :now, :now, :completed_at, :evidence_required,
    :max_cost_usd, :max_tokens, :max_review_rounds, :draft_id
  WHERE ${Promotion.open} RETURNING *`)

// The draft is open until the batch links it, and ids are unique. So this is the project that the batch has made.
const made = `${Promotion.open} AND EXISTS (SELECT 1 FROM projects WHERE id = :id AND draft_id = :draft_id)`
const linked = Promotion.linking("linked_project_id", made)

const created = Idempotency.keeping({ row: columnsOf(ProjectRow), from: "projects", where: "id = :id" })

const countNew = statement(`
  INSERT INTO queue_counts (scope, counts, projects_revision) VALUES (:scope, '{}', 1)
  ON CONFLICT (scope) DO UPDATE SET projects_revision = projects_revision + 1, projects_total = projects_total + 1`)

const countPromoted = statement(`
  UPDATE queue_counts SET projects_revision = projects_revision + 1, projects_total = projects_total + 1
  WHERE scope = :scope AND ${made}`)

// `tasks.project_id` is a foreign key, so no task names the project before it exists, and its counters begin empty. If
// one did, where the key was not enforced, reads would count the tasks.
const beginCounters = statement(`
  INSERT INTO queue_counts (scope, counts)
  SELECT ${ProjectCounts.keyOf(":id")}, '{}' WHERE NOT EXISTS (SELECT 1 FROM tasks WHERE project_id = :id)
    AND EXISTS (SELECT 1 FROM projects WHERE id = :id)
  ON CONFLICT DO NOTHING`)

/** Creates projects, with a link to the draft that they come from. Answers undefined if that was promoted before. */
export const makeFrom = Effect.gen(function*() {
  const once = yield* Idempotency.make

  return Effect.fnUntraced(function*(scope: ScopeName, project: NewProject, draft?: DraftId) {
    const now = yield* Clock.currentTimeMillis
    const status = project.status || "draft"
    const values = {
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
      completed_at: millisOf(project.completed_at) ?? (status === "completed" ? now : null),
      evidence_required: kindsText(project.evidence_required),
      max_cost_usd: capOf(project.max_cost_usd),
      max_tokens: project.max_tokens ?? null,
      max_review_rounds: project.max_review_rounds ?? null,
      draft_id: draft ?? null,
      now
    }
    const { answers: { inserted }, replay } = yield* once.atomic(
      {
        inserted: (draft === undefined ? insert : insertFromDraft)(values),
        counted: (draft === undefined ? countNew : countPromoted)(values),
        linked: draft === undefined ? undefined : linked.map((each) => each(values)),
        begun: beginCounters(values),
        byProject: isCapped(project) ? ByProject.ofProject.map((each) => each(values)) : undefined
      },
      { keep: "inserted", answer: created, values }
    ).pipe(Effect.catchTag("UniqueViolation", () => ProjectExists.of(project.id)))
    return (yield* Effect.orDie(decodeProjects(replay?.rows ?? inserted)))[0]
  })
})
