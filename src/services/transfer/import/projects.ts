import * as Predicate from "effect/Predicate"
import { reader } from "../../../domain/transfer/Imported.ts"
import { ImportedProject } from "../../../domain/transfer/ImportedRecords.ts"
import * as ProjectCounts from "../../../sql/record/ProjectCounts.ts"
import type { Planner } from "./plan.ts"
import { planTable } from "./table.ts"

const read = reader(ImportedProject)

const planRows = planTable({
  kind: "projects",
  told: "projects",
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
    completed_at: project.completed_at ?? null
  }),
  taken: (id) => `Another scope has a project with the id ${id}, and ids are unique on the server.`
})

/** Their rows, and the counters of those that are new. */
export const planProjects: Planner = (sql, target, records) => {
  const plan = planRows(sql, target, records)
  if (target.dryRun || plan.statements.length === 0) return plan
  const ids = records.flatMap((record) =>
    Predicate.hasProperty(record, "id") && Predicate.isString(record.id) ? [record.id] : []
  )
  const imported = sql`scope = ${target.scope} AND id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`
  return { ...plan, statements: [...plan.statements, ProjectCounts.make(sql).begin(imported)] }
}
