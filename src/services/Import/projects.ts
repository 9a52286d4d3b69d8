import { reader } from "../../domain/Imported.ts"
import { ImportedProject } from "../../domain/ImportedRecords.ts"
import { planTable } from "./table.ts"

const read = reader(ImportedProject)

export const planProjects = planTable({
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
