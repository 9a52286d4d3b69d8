import * as Predicate from "effect/Predicate"
import { capOf, microOf, milliOf } from "../../../domain/record/Usage.ts"
import { ImportedProject, reader } from "../../../domain/transfer/ImportedRecords.ts"
import * as ByProject from "../../../sql/record/ByProject.ts"
import { keyOf } from "../../../sql/record/ProjectCounts.ts"
import { statement } from "../../../sql/Statement.ts"
import type { Planner } from "./plan.ts"
import { planTable } from "./table.ts"

const read = reader(ImportedProject)

const planner = planTable({
  kind: "projects",
  raises: "projects",
  identity: ["id"],
  unique: "server",
  read,
  row: (project) => ({
    id: project.id,
    title: project.title ?? project.id,
    description: project.description ?? null,
    status: project.status ?? "draft",
    branch: project.branch ?? null,
    base_branch: project.base_branch ?? "main",
    auto_accept: project.auto_accept ?? 0,
    flow: project.flow ?? "project",
    pr_number: project.pr_number ?? null,
    pr_url: project.pr_url ?? null,
    created_by: project.created_by ?? null,
    created_at: project.created_at,
    updated_at: project.updated_at ?? project.completed_at ?? project.created_at,
    completed_at: project.completed_at ?? null,
    evidence_required: project.evidence_required === undefined || project.evidence_required.length === 0
      ? null
      : JSON.stringify(project.evidence_required),
    max_cost_usd: capOf(project.max_cost_usd),
    max_tokens: project.max_tokens ?? null,
    max_review_rounds: project.max_review_rounds ?? null,
    cost_usd: microOf(project.cost_usd ?? 0),
    input_tokens: project.input_tokens ?? 0,
    output_tokens: project.output_tokens ?? 0,
    cached_tokens: project.cached_tokens ?? 0,
    wall_seconds: milliOf(project.wall_seconds ?? 0)
  }),
  taken: (id) => `Another scope has a project with the id ${id}, and ids are unique on the server.`
})

const begin = statement(`
  INSERT INTO queue_counts (scope, counts) SELECT ${keyOf("projects.id")}, '{}' FROM projects
  WHERE scope = :scope AND id IN (SELECT value ->> 'id' FROM json_each(:projects_keys))
    AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.project_id = projects.id)
  ON CONFLICT DO NOTHING`)

const isCapped = (record: unknown) =>
  Predicate.isObject(record) && ["max_cost_usd", "max_tokens"].some((cap) => record[cap as keyof typeof record] != null)

/** The rows of projects, and the counters of new ones. */
export const planProjects: Planner = {
  ...planner,
  plan: (target, records) => {
    const { steps, values, ...plan } = planner.plan(target, records)
    return {
      ...plan,
      values,
      steps: "written" in steps
        ? {
          ...steps,
          begun: begin(values),
          byProject: records.some(isCapped) ? ByProject.ofScope.map((each) => each(values)) : undefined
        }
        : steps
    }
  }
}
