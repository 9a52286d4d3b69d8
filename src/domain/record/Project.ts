/** A project: a group of tasks that share a branch. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, Flag, FlagInput, maybe, optionalKeys, text, Time, TimeColumn } from "../Encoding.ts"
import { DraftId, ProjectId, ScopeName } from "../Identifier.ts"
import { pageParameters, wholeParameters } from "../Page.ts"
import { filled, Label, Line, LongText, MaxLabel, MaxLine } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"
import { MaxRequired, RequiredKinds, RequiredKindsColumn } from "../task/Evidence.ts"
import { taskContent } from "../task/TaskFilter.ts"
import { capFields, caps, MoneyColumn, SecondsColumn, sumFields } from "./Usage.ts"

const fields = <
  T extends Schema.Top,
  B extends Schema.Top,
  K extends Schema.Top,
  M extends Schema.Top,
  S extends Schema.Top
>(time: T, bool: B, kinds: K, money: M, seconds: S) => ({
  id: ProjectId,
  scope: ScopeName,
  title: Schema.String.pipe(describe("What the project is about, in a few words.")),
  description: text("What the project is about, in full."),
  status: Schema.String.pipe(describe("Free text: `draft`, `active`, `completed` …")),
  branch: text("The branch its tasks work on."),
  base_branch: Schema.String.pipe(describe("The branch it is merged into.")),
  auto_accept: bool.pipe(describe("Whether it is marked for automatic acceptance.")),
  // Clients take a missing flow for `project`, so the field is always set, and never `default`.
  flow: Schema.String.pipe(describe("The flow it follows.")),
  pr_number: Schema.NullOr(Schema.Int).pipe(describe("Its pull request's number.")),
  pr_url: text("Its pull request's address."),
  created_by: text("Who created it."),
  // This column is newer than the last release. A database may not have it yet.
  draft_id: Schema.optionalKey(Schema.NullOr(DraftId)).pipe(describe("The draft it was promoted from.")),
  created_at: time.pipe(describe("When it was created.")),
  updated_at: time.pipe(describe("When it last changed.")),
  completed_at: Schema.NullOr(time).pipe(describe("When it was completed.")),
  // A server of release 2.0.0 does not send it.
  evidence_required: Schema.optionalKey(
    Schema.NullOr(kinds).pipe(
      describe("The kinds of evidence that an accept of its tasks requires; null if it requires none.")
    )
  ),
  // What was used for its tasks since it was created.
  ...optionalKeys(sumFields(money, seconds)),
  max_cost_usd: Schema.optionalKey(capFields(money).max_cost_usd),
  max_tokens: Schema.optionalKey(capFields(money).max_tokens),
  max_review_rounds: Schema.optionalKey(
    Schema.NullOr(Schema.Int).pipe(
      describe("How often a result of one of its tasks may be rejected before the task fails; null if there is no cap.")
    )
  )
})

export const Project = Schema.Struct(
  fields(Time, Schema.Boolean, Schema.Array(Schema.String), Schema.Finite, Schema.Finite)
).annotate(
  {
    identifier: "Project"
  }
)
export type Project = typeof Project.Type

export const ProjectRow = Schema.Struct(fields(TimeColumn, Flag, RequiredKindsColumn, MoneyColumn, SecondsColumn))

/** A project with the number of its tasks in each queue. */
export const CountedProject = Schema.Struct({
  ...Project.fields,
  counts: Schema.Record(Schema.String, Schema.Int).pipe(
    describe("How many tasks of the project each queue holds. A queue without tasks is left out.")
  )
}).annotate({ identifier: "CountedProject" })
export type CountedProject = typeof CountedProject.Type

const given = (description: string, most = MaxLine) => Schema.optionalKey(filled(most)).pipe(describe(description))

const number = Schema.Int.check(
  Schema.isBetween({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
)

/** A cap on review rounds. */
export const ReviewRounds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))

/** The fields that a caller may write, at creation and later. Null and empty text mean none, or the default. */
const writable = {
  description: maybe(LongText, "What the project is about, in full."),
  auto_accept: maybe(FlagInput, "Whether it is marked for automatic acceptance; false unless given."),
  flow: maybe(Label, "The flow it follows; `project` unless given."),
  pr_number: maybe(number, "Its pull request's number."),
  pr_url: maybe(Line, "Its pull request's address."),
  completed_at: maybe(Time, "When it was completed. Set by itself when the status becomes `completed`."),
  evidence_required: maybe(
    RequiredKinds,
    `The kinds of evidence that an accept of its tasks requires, at most ${MaxRequired}. An empty list or null requires none.`
  ),
  ...caps("the project"),
  max_review_rounds: maybe(
    ReviewRounds,
    "How often a result of one of its tasks may be rejected before the task fails. The shorter one of this and the task's `max_rejections` counts. Null is no cap."
  )
}

export const NewProject = Schema.Struct({
  ...writable,
  id: ProjectId,
  title: filled(MaxLine).pipe(describe("What the project is about, in a few words.")),
  branch: filled(MaxLine).pipe(describe("The branch its tasks work on.")),
  base_branch: maybe(Line, "The branch it is merged into; `main` unless given."),
  status: maybe(Label, "Free text; `draft` unless given."),
  created_by: maybe(Label, "Who creates it.")
}).annotate({ identifier: "NewProject" })
export type NewProject = typeof NewProject.Type

/** What PATCH may change. It writes each key that is present. Fields that every project has cannot be cleared. */
export const ProjectPatch = Schema.Struct({
  ...writable,
  title: given("What the project is about, in a few words."),
  branch: given("The branch its tasks work on. It cannot be cleared."),
  base_branch: given("The branch it is merged into."),
  status: given("Free text. `completed` also sets `completed_at`, unless it is set already.", MaxLabel)
}).annotate({ identifier: "ProjectPatch" })
export type ProjectPatch = typeof ProjectPatch.Type

const parameter = (description: string) => Schema.optionalKey(Schema.String).pipe(describe(description))

/** The query parameters of the project list. Each narrows the list; an empty one does not. */
export const projectFilters = {
  status: parameter("Exactly this status."),
  created_by: parameter("Who created it."),
  ...pageParameters
}
const ProjectFilter = Schema.Struct(projectFilters)
export type ProjectFilter = typeof ProjectFilter.Type

export const projectTasksParameters = { ...wholeParameters, ...taskContent }
const ProjectTasksQuery = Schema.Struct(projectTasksParameters)
export type ProjectTasksQuery = typeof ProjectTasksQuery.Type

export class ProjectNotFound extends TaggedError<ProjectNotFound>()(
  "ProjectNotFound",
  { error: ErrorText, project_id: ProjectId },
  { httpApiStatus: 404, description: "No project with this id is in reach: it does not exist, or is in another scope." }
) {
  static readonly of = (project_id: ProjectId) =>
    new ProjectNotFound({ error: `Project ${project_id} not found`, project_id })
}

export class ProjectExists extends TaggedError<ProjectExists>()(
  "ProjectExists",
  { error: ErrorText, project_id: ProjectId },
  { httpApiStatus: 409, description: "Another project has this id. Nothing was created." }
) {
  static readonly of = (project_id: ProjectId) =>
    new ProjectExists({ error: `Project ${project_id} already exists`, project_id })
}

export class ProjectHasTasks extends TaggedError<ProjectHasTasks>()(
  "ProjectHasTasks",
  {
    error: ErrorText,
    hint: Schema.String.pipe(describe("What to do first.")),
    project_id: ProjectId,
    tasks: Schema.Int.pipe(describe("How many tasks the project has."))
  },
  { httpApiStatus: 409, description: "The project still has tasks. Nothing was deleted." }
) {
  static readonly of = (project_id: ProjectId, tasks: number) =>
    new ProjectHasTasks({
      error: `Cannot delete project ${project_id}: has ${tasks} tasks`,
      hint: "Delete or unlink tasks first",
      project_id,
      tasks
    })
}
