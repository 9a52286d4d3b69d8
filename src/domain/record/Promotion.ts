/** The promotion of a draft: it becomes a task or a project, and both name each other. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, maybe } from "../Encoding.ts"
import { DraftId } from "../Identifier.ts"
import { filled, MaxLine } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"
import { Task } from "../task/Task.ts"
import { NewTask } from "../task/TaskInput.ts"
import { NewProject, Project } from "./Project.ts"

const title = maybe(filled(MaxLine), "What it is about, in a few words; the title of the draft unless given.")

const PromotedTask = Schema.Struct({
  ...NewTask.fields,
  title,
  file_path: maybe(filled(MaxLine), "Where the task is described; `TASK-<id>.md` unless given.")
}).annotate({ identifier: "PromotedTask" })

const PromotedProject = Schema.Struct({ ...NewProject.fields, title }).annotate({ identifier: "PromotedProject" })

/** What the draft becomes: one of the two. */
export const Promotion = Schema.Struct({
  task: maybe(PromotedTask, "The task to create, as `POST /api/v1/tasks` takes it. Either this or `project`."),
  project: maybe(PromotedProject, "The project to create, as `POST /api/v1/projects` takes it. Either this or `task`.")
}).annotate({ identifier: "Promotion" })
export type Promotion = typeof Promotion.Type

/** The answer to a promotion. */
export const Promoted = Schema.Struct({
  draft_id: DraftId,
  task: Schema.NullOr(Task).pipe(describe("The task that the draft became; null if it became a project.")),
  project: Schema.NullOr(Project).pipe(describe("The project that the draft became; null if it became a task."))
}).annotate({ identifier: "Promoted" })
export type Promoted = typeof Promoted.Type

export class DraftPromoted extends TaggedError<DraftPromoted>()(
  "DraftPromoted",
  {
    error: ErrorText,
    draft_id: DraftId,
    linked_task_id: Schema.NullOr(Schema.String).pipe(describe("The task that came from the draft.")),
    linked_project_id: Schema.NullOr(Schema.String).pipe(describe("The project that came from the draft."))
  },
  { httpApiStatus: 409, description: "A task or a project has come from this draft already. Nothing was created." }
) {
  static readonly of = (
    draft: { readonly id: DraftId; readonly linked_task_id: string | null; readonly linked_project_id: string | null }
  ) =>
    new DraftPromoted({
      error: `Draft ${draft.id} was promoted already: ${
        draft.linked_task_id === null ? `project ${draft.linked_project_id}` : `task ${draft.linked_task_id}`
      } came from it. To promote it again, clear linked_task_id and linked_project_id with a PATCH.`,
      draft_id: draft.id,
      linked_task_id: draft.linked_task_id,
      linked_project_id: draft.linked_project_id
    })
}

export class InvalidPromotion extends TaggedError<InvalidPromotion>()(
  "InvalidPromotion",
  { error: ErrorText },
  { httpApiStatus: 400, description: "The request names neither a task nor a project, or both." }
) {
  static readonly of = () =>
    new InvalidPromotion({ error: "A draft becomes either a task or a project: send one of `task` and `project`." })
}
