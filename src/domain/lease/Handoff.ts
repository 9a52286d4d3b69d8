/** What the next agent should know about a task: the last checkpoint, and the setbacks of earlier attempts. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, jsonColumn, listOf, maybe, text, Time, TimeColumn } from "../Encoding.ts"
import { excerpt, MaxExcerpt } from "../Excerpt.ts"
import { TaskId } from "../Identifier.ts"
import { TaggedError } from "../TaggedError.ts"
import { Answer, MaxAnswers } from "./Question.ts"
import { session } from "./Session.ts"

/** The largest checkpoint, in bytes of JSON. */
export const MaxCheckpointBytes = 16_384

/** What an agent saves with a renewal. It replaces the checkpoint before. */
export const Checkpoint = Schema.Struct({
  branch: maybe(Schema.String, "The branch with the work so far."),
  head_commit: maybe(Schema.String, "The last commit of it."),
  notes: maybe(Schema.String, "What is done, what is not, and what comes next."),
  open_questions: maybe(listOf(Schema.String), "Questions that someone has to decide."),
  ...session
}).annotate({ identifier: "Checkpoint" }).check(
  // An empty checkpoint would erase the one before by mistake.
  Schema.makeFilter(
    ({ resume_command: _command, session_url: _url, ...rest }) => Object.values(rest).some((value) => value != null),
    {
      expected: "at least one of branch, head_commit, notes and open_questions"
    }
  )
)
export type Checkpoint = typeof Checkpoint.Type

const checkpointFields = <T extends Schema.Top>(time: T) => ({
  version: Schema.Int.pipe(describe("Rises by one with every checkpoint of the task.")),
  fencing_token: Schema.Int.pipe(describe("The lease it was written under.")),
  branch: text("The branch with the work so far."),
  head_commit: text("The last commit of it."),
  notes: text("What is done, what is not, and what comes next."),
  open_questions: Schema.Array(Schema.String).pipe(describe("Questions that someone has to decide.")),
  at: time
})

// Only a rejection has these fields, and rejections of release 2.0.0 lack them.
const ofResult = (description: string) =>
  Schema.optionalKey(text(`${description}: the first 1,000 characters. Only \`rejected\` has them.`))

const setbackFields = <T extends Schema.Top>(time: T) => ({
  event: Schema.String.pipe(
    describe("What happened: `rejected`, `requeued`, `lease_expired`, `deadline_exceeded` or `failed`.")
  ),
  actor: text("The actor, or the holder of the lease."),
  reason: text("Why."),
  at: time,
  fencing_token: Schema.NullOr(Schema.Int).pipe(describe("The token of the lease that ended; null if there was none.")),
  execution_notes: ofResult("The notes of the result that was rejected"),
  check_results: ofResult("The results of its checks, as JSON text")
})

export const WrittenCheckpoint = Schema.Struct(checkpointFields(Time)).annotate({ identifier: "WrittenCheckpoint" })
export const Setback = Schema.Struct(setbackFields(Time)).annotate({ identifier: "Setback" })

/** The checkpoint and the setbacks, as their columns hold them. */
export const CheckpointColumn = jsonColumn(Schema.Struct(checkpointFields(TimeColumn)))
export const SetbacksColumn = jsonColumn(Schema.Array(Schema.Struct(setbackFields(TimeColumn))))

// A server of release 2.0.0 sends neither field.
const said = (description: string) =>
  Schema.optionalKey(text(`${description}: the first ${MaxExcerpt} characters. Null when there are none.`))

export const Handoff = Schema.Struct({
  checkpoint: Schema.NullOr(WrittenCheckpoint).pipe(describe("The last checkpoint; null if there is none.")),
  setbacks: Schema.Array(Setback).pipe(
    describe("The latest setbacks (rejections, requeues, failures, expired leases, missed deadlines), oldest first.")
  ),
  last_rejection_reason: text("Why its last result was rejected."),
  execution_notes: said("What the last attempt had to say about the work, or why it failed"),
  check_results: said("The last results of its checks, as JSON text"),
  answers: Schema.optionalKey(
    Schema.Array(Answer).pipe(
      describe(`The latest ${MaxAnswers} questions that held the task, with their answers, oldest first.`)
    )
  )
}).annotate({ identifier: "Handoff" })
export type Handoff = typeof Handoff.Type

/** The handoff that the row of a task holds. */
export const handoffOf = ({ answers, check_results, checkpoint, execution_notes, last_rejection_reason, setbacks }: {
  readonly checkpoint: Handoff["checkpoint"]
  readonly setbacks: Handoff["setbacks"] | null
  readonly last_rejection_reason: string | null
  readonly execution_notes: string | null
  readonly check_results: string | null
  readonly answers?: Handoff["answers"] | null
}): Handoff => ({
  checkpoint,
  setbacks: setbacks ?? [],
  last_rejection_reason,
  execution_notes: execution_notes === null ? null : excerpt(execution_notes),
  check_results: check_results === null ? null : excerpt(check_results),
  answers: answers ?? []
})

/** The JSON of a checkpoint for its column. The statement that writes it adds the rest. */
export const checkpointText = ({ branch, head_commit, notes, open_questions }: Checkpoint): string =>
  JSON.stringify({
    branch: branch ?? null,
    head_commit: head_commit ?? null,
    notes: notes ?? null,
    open_questions: open_questions ?? []
  })

export class CheckpointTooLarge extends TaggedError<CheckpointTooLarge>()(
  "CheckpointTooLarge",
  {
    error: ErrorText,
    task_id: TaskId,
    bytes: Schema.Int.pipe(describe("How large the checkpoint is, in bytes of JSON.")),
    max_bytes: Schema.Int.pipe(describe("How large it may be."))
  },
  { httpApiStatus: 413, description: "A checkpoint is too large. Nothing was changed, and no lease was renewed." }
) {
  static readonly of = (task_id: TaskId, bytes: number) =>
    new CheckpointTooLarge({
      error:
        `The checkpoint of task ${task_id} has ${bytes} bytes of JSON, and at most ${MaxCheckpointBytes} are kept. Commit the rest to a branch, and name that.`,
      task_id,
      bytes,
      max_bytes: MaxCheckpointBytes
    })
}
