/** Promotes a draft: creates the task or the project and links both, in one batch. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DraftId } from "../../domain/Identifier.ts"
import { DraftNotFound, DraftRow } from "../../domain/record/Draft.ts"
import { ProjectRow } from "../../domain/record/Project.ts"
import { DraftPromoted, InvalidPromotion, type Promotion } from "../../domain/record/Promotion.ts"
import { DefaultBranch, TaskRow } from "../../domain/task/Task.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import { statement } from "../../sql/Statement.ts"
import * as CreatedTask from "../task/create.ts"
import { decodeTask } from "../task/rows.ts"
import * as CreatedProject from "./createProject.ts"

const decodeDraft = Schema.decodeUnknownEffect(DraftRow)
const decodeProject = Schema.decodeUnknownEffect(ProjectRow)

const byId = statement(`SELECT * FROM drafts WHERE id = :id AND ${inScope}`)

// What the batch of the promotion keeps. A repeated request is recognised before the draft is looked at.
const kept = {
  task: Idempotency.keeping({ row: columnsOf(TaskRow), from: "tasks", where: "id = :id" }),
  project: Idempotency.keeping({ row: columnsOf(ProjectRow), from: "projects", where: "id = :id" })
}

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const once = yield* Idempotency.make
  const createTask = yield* CreatedTask.makeFrom
  const createProject = yield* CreatedProject.makeFrom

  const draftOf = Effect.fnUntraced(function*(id: DraftId, rows: ReadonlyArray<unknown>) {
    return rows.length === 0 ? yield* DraftNotFound.of(id) : yield* Effect.orDie(decodeDraft(rows[0]))
  })

  /** The reason for a refusal: another request may have promoted the draft in between. */
  const refusalOf = Effect.fnUntraced(function*<E>(id: DraftId, scope: Reach, reason: E) {
    const { found } = yield* batch({ found: byId({ id, scope: scope ?? null }) })
    const draft = yield* draftOf(id, found)
    return yield* draft.linked_task_id === null && draft.linked_project_id === null
      ? Effect.fail(reason)
      : DraftPromoted.of(draft)
  })

  return Effect.fn("Drafts.promote")(function*(id: DraftId, { project, task }: Promotion, scope: Reach) {
    if ((task == null) === (project == null)) return yield* InvalidPromotion.of()
    const { answers: { found }, replay } = yield* once.read(
      { found: byId({ id, scope: scope ?? null }) },
      task == null ? kept.project : kept.task
    )
    if (replay !== undefined) {
      const [row] = replay.rows
      return task == null
        ? { draft_id: id, task: null, project: yield* Effect.orDie(decodeProject(row)) }
        : { draft_id: id, task: yield* decodeTask(row), project: null }
    }
    const draft = yield* draftOf(id, found)
    if (draft.linked_task_id !== null || draft.linked_project_id !== null) return yield* DraftPromoted.of(draft)
    if (task != null) {
      const made = yield* createTask(draft.scope, {
        ...task,
        title: task.title ?? draft.title,
        file_path: task.file_path ?? `TASK-${task.id}.md`,
        branch: task.branch || (task.project_id ? null : DefaultBranch)
      }, id).pipe(Effect.catch((reason) => refusalOf(id, scope, reason)))
      return { draft_id: id, task: made, project: null }
    }
    const made = yield* createProject(draft.scope, { ...project!, title: project!.title ?? draft.title }, id)
    // The draft was deleted or promoted in between.
    return made === undefined
      ? yield* refusalOf(id, scope, DraftNotFound.of(id))
      : { draft_id: id, task: null, project: made }
  })
})
