import { ImportedDraft, reader } from "../../../domain/transfer/ImportedRecords.ts"
import { planTable } from "./table.ts"

const read = reader(ImportedDraft)

export const planDrafts = planTable({
  kind: "drafts",
  raises: "drafts",
  // Both servers number their drafts, so a number alone does not identify one. The time of its creation does.
  identity: ["id", "created_at"],
  unique: "server",
  read,
  row: (draft) => ({
    id: draft.id,
    title: draft.title ?? "",
    status: draft.status ?? "idea",
    author: draft.author ?? "",
    domain: draft.domain ?? null,
    file_path: draft.file_path ?? null,
    linked_task_id: draft.linked_task_id ?? null,
    linked_project_id: draft.linked_project_id ?? null,
    tags: draft.tags ?? null,
    slug: draft.slug ?? null,
    created_at: draft.created_at,
    updated_at: draft.updated_at ?? draft.created_at
  }),
  taken: (id) =>
    `Another draft has the number ${id} already, and messages and actions refer to drafts by number. Import into a server that has no drafts yet.`
})
