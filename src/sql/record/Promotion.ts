/** The promotion of a draft: it names what came from it, in the batch that makes that. */
import { type Statement, statement } from "../Statement.ts"

/** Whether the draft `:draft_id` of `:scope` may be promoted: nothing has come from it. */
export const open = `EXISTS (SELECT 1 FROM drafts
  WHERE id = :draft_id AND scope = :scope AND linked_task_id IS NULL AND linked_project_id IS NULL)`

/** The status of a draft after its promotion. */
export const Promoted = "promoted"

/**
 * Raises the revision of drafts, and has the draft name the record `:id` in the column. `made` says whether the batch
 * has made that record.
 */
export const linking = (column: "linked_task_id" | "linked_project_id", made: string): ReadonlyArray<Statement> => [
  statement(`
    UPDATE queue_counts SET drafts_revision = drafts_revision + 1 WHERE scope = :scope AND ${made}`),
  statement(`
    UPDATE drafts SET ${column} = :id, status = '${Promoted}', updated_at = :now WHERE id = :draft_id AND ${made}`)
]
