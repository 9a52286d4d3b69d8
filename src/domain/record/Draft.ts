/** A draft: an idea that may become a task. */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import {
  describe,
  ErrorText,
  isShortList,
  isWellFormedJson,
  listOf,
  maybe,
  text,
  Time,
  TimeColumn
} from "../Encoding.ts"
import { DraftId, ScopeName } from "../Identifier.ts"
import { pageParameters } from "../Page.ts"
import { filled, Label, Line, MaxLabel, MaxLine, ShortText } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"

const fields = <T extends Schema.Top>(time: T) => ({
  id: DraftId,
  scope: ScopeName,
  slug: text("The name that its creator gave it before it had a number."),
  title: Schema.String.pipe(describe("The idea, in a few words.")),
  status: Schema.String.pipe(describe("Free text: `idea`, `proposed`, `approved`, `archived` …")),
  author: Schema.String.pipe(describe("Whose idea it is.")),
  domain: text("What it is about."),
  file_path: text("The file with the idea."),
  linked_task_id: text("The task that came from it. It need not exist."),
  linked_project_id: text("The project that came from it. It need not exist."),
  tags: text("Its tags, as JSON text."),
  created_at: time.pipe(describe("When it was created.")),
  updated_at: time.pipe(describe("When it last changed."))
})

export const Draft = Schema.Struct(fields(Time)).annotate({ identifier: "Draft" })
export type Draft = typeof Draft.Type

export const DraftRow = Schema.Struct(fields(TimeColumn))

const given = (description: string, most = MaxLabel) => Schema.optionalKey(filled(most)).pipe(describe(description))

/** A list is stored as JSON text. Text is stored as it is. */
const TagsInput = Schema.Union([
  ShortText.check(isWellFormedJson, isShortList),
  listOf(Schema.Json.annotate({ description: "A tag." }))
]).pipe(
  Schema.decodeTo(
    ShortText,
    SchemaTransformation.transform({
      decode: (tags) => typeof tags === "string" ? tags : JSON.stringify(tags),
      encode: (tags): string | ReadonlyArray<Schema.Json> => tags
    })
  )
)

/** The fields that a caller may write, at creation and later. Null and empty text mean none. */
const writable = {
  domain: maybe(Label, "What it is about."),
  file_path: maybe(Line, "The file with the idea."),
  linked_task_id: maybe(Label, "The task that came from it. It need not exist."),
  linked_project_id: maybe(Label, "The project that came from it. It need not exist."),
  tags: maybe(TagsInput, "Its tags: a list, or JSON text.")
}

export const NewDraft = Schema.Struct({
  ...writable,
  title: filled(MaxLine).pipe(describe("The idea, in a few words.")),
  author: filled(MaxLabel).pipe(describe("Whose idea it is.")),
  id: maybe(
    Schema.Union([Label, Schema.Int]),
    "A name for it: kept as its `slug`. Its id is a number that the server gives."
  ),
  status: maybe(Label, "Free text; `idea` unless given.")
}).annotate({ identifier: "NewDraft" })
export type NewDraft = typeof NewDraft.Type

/** What PATCH may change. It writes each key that is present. Fields that every draft has cannot be cleared. */
export const DraftPatch = Schema.Struct({
  ...writable,
  title: given("The idea, in a few words.", MaxLine),
  author: given("Whose idea it is."),
  status: given("Free text.")
}).annotate({ identifier: "DraftPatch" })
export type DraftPatch = typeof DraftPatch.Type

const parameter = (description: string) => Schema.optionalKey(Schema.String).pipe(describe(description))

/** The query parameters of the draft list. Each narrows the list; an empty one does not. */
export const draftFilters = {
  status: parameter("Exactly this status."),
  author: parameter("Whose idea it is."),
  domain: parameter("What it is about."),
  linked_task_id: parameter("The task that came of it."),
  linked_project_id: parameter("The project that came of it."),
  slug: parameter("The name its creator gave it."),
  ...pageParameters
}
const DraftFilter = Schema.Struct(draftFilters)
export type DraftFilter = typeof DraftFilter.Type

export class DraftNotFound extends TaggedError<DraftNotFound>()(
  "DraftNotFound",
  { error: ErrorText, draft_id: DraftId },
  { httpApiStatus: 404, description: "No draft with this id is in reach: it does not exist, or is in another scope." }
) {
  static readonly of = (draft_id: DraftId) => new DraftNotFound({ error: `Draft ${draft_id} not found`, draft_id })
}
