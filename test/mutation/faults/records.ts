/** Faults in promotions, projects, searches and bulk requests. */
import type { Fault } from "../Fault.ts"

export const records: ReadonlyArray<Fault> = [
  {
    name: "draft-promoted-twice",
    breaks: "A draft that a project came from is not promoted to a task.",
    file: "src/services/record/promote.ts",
    find: "if (draft.linked_task_id !== null || draft.linked_project_id !== null) return",
    replace: "if (draft.linked_task_id !== null) return"
  },
  {
    name: "draft-linked-without-task",
    breaks: "A draft names a task only if the promotion made it.",
    step: "linked",
    find: "WHERE id = :draft_id AND EXISTS (SELECT 1 FROM unrecorded WHERE id = :id)",
    replace: "WHERE id = :draft_id"
  },
  {
    name: "promotion-without-revision",
    breaks: "A promotion changes the list of drafts, also for a client that knows it.",
    step: "linked",
    find: "drafts_revision = drafts_revision + 1 WHERE scope = :scope AND EXISTS (SELECT 1 FROM unrecorded",
    replace: "drafts_revision = drafts_revision WHERE scope = :scope AND EXISTS (SELECT 1 FROM unrecorded"
  }
]
