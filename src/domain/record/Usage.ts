/** What agents use: tokens, money and time; and the caps on it. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { describe, ErrorText, MaxCount, maybe, natural } from "../Encoding.ts"
import { ProjectId, ScopeName } from "../Identifier.ts"
import { filled } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"

/** The most that one report may have, in dollars, tokens and seconds. */
export const MaxReportUsd = 10_000
export const MaxReportTokens = MaxCount
export const MaxReportSeconds = 31_536_000

/** How long the name of a model may be, in bytes. */
export const MaxModel = 100

/** How many models a day has. The others are summed as `other`. */
export const MaxModels = 50

/** How many days a list has. */
export const MaxDays = 366

/** How many projects a list has. */
export const MaxProjects = 500

const MaxCapUsd = 1_000_000_000
const MaxCapTokens = 1_000_000_000_000_000

const Micro = 1_000_000
const Milli = 1000
const DayMillis = 86_400_000

/** Dollars as millionths, which columns have. */
export const microOf = (usd: number): number => Math.round(usd * Micro)

/** Seconds as milliseconds, which columns have. */
export const milliOf = (seconds: number): number => Math.round(seconds * Milli)

/** The greatest sums, as columns have them. */
export const MaxSumUsd = Math.floor(Number.MAX_SAFE_INTEGER / Micro)
export const MaxSumSeconds = Math.floor(Number.MAX_SAFE_INTEGER / Milli)

/** The dollars of a cap as millionths, which the column has; null if there is no cap. */
export const capOf = (usd: number | null | undefined): number | null => usd == null ? null : microOf(usd)

const divided = (by: number) =>
  Schema.Int.pipe(
    Schema.decodeTo(
      Schema.Finite,
      SchemaTransformation.transform({ decode: (units) => units / by, encode: (value) => Math.round(value * by) })
    )
  )

/** Dollars in a row: millionths. */
export const MoneyColumn = divided(Micro)
/** Seconds in a row: milliseconds. */
export const SecondsColumn = divided(Milli)

const upTo = (maximum: number) => Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum }))

export const Usage = Schema.Struct({
  model: maybe(filled(MaxModel), "The model; `unknown` unless given."),
  input_tokens: maybe(natural, "Tokens that were read, without those of a cache."),
  output_tokens: maybe(natural, "Tokens that were written."),
  cached_tokens: maybe(natural, "Tokens that were read from a cache. They do not count for `max_tokens`."),
  cost_usd: maybe(upTo(MaxReportUsd), `What it cost, in dollars: at most ${MaxReportUsd}, to a millionth.`),
  wall_seconds: maybe(upTo(MaxReportSeconds), "How long it took, in seconds, to a thousandth.")
}).annotate({ identifier: "Usage" })
export type Usage = typeof Usage.Type

/** A body that may report usage. Reports are added up, so each says what was used since the last one. */
export const reported = {
  usage: maybe(
    Usage,
    "What was used since the last report. It is added to the sums of the task, its project and the day."
  )
}

/** The caps that a body may set. */
export const caps = (of: string) => ({
  max_cost_usd: maybe(
    Schema.Finite.check(Schema.isBetween({ minimum: 1 / Micro, maximum: MaxCapUsd })),
    `The dollars that ${of} may cost. At the cap nothing more of it is claimed. Null is no cap.`
  ),
  max_tokens: maybe(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MaxCapTokens })),
    `The input and output tokens that ${of} may use. At the cap nothing more of it is claimed. Null is no cap.`
  )
})

/** The caps in an answer. `money` is how dollars are written there. */
export const capFields = <M extends Schema.Top>(money: M) => ({
  max_cost_usd: Schema.NullOr(money).pipe(describe("The dollars it may cost; null if there is no cap.")),
  max_tokens: Schema.NullOr(Schema.Int).pipe(
    describe("The input and output tokens it may use; null if there is no cap.")
  )
})

/** The sums in an answer or a row. */
export const sumFields = <M extends Schema.Top, S extends Schema.Top>(money: M, seconds: S) => ({
  cost_usd: money.pipe(describe("Dollars, to a millionth.")),
  input_tokens: Schema.Int.pipe(describe("Tokens that were read, without those of a cache.")),
  output_tokens: Schema.Int.pipe(describe("Tokens that were written.")),
  cached_tokens: Schema.Int.pipe(describe("Tokens that were read from a cache.")),
  wall_seconds: seconds.pipe(describe("Seconds, to a thousandth."))
})

/** The columns of the sums. */
export const sums = ["cost_usd", "input_tokens", "output_tokens", "cached_tokens", "wall_seconds"] as const

/** A report as statements get it: the model and the sums in the units of the columns. */
export const reportOf = (usage: Usage): { readonly model: string } & Record<typeof sums[number], number> => ({
  model: usage.model ?? "unknown",
  cost_usd: microOf(usage.cost_usd ?? 0),
  input_tokens: usage.input_tokens ?? 0,
  output_tokens: usage.output_tokens ?? 0,
  cached_tokens: usage.cached_tokens ?? 0,
  wall_seconds: milliOf(usage.wall_seconds ?? 0)
})

/** The sums as an answer shows them, from the units of the columns. */
export const shownOf = ([cost = 0, input = 0, output = 0, cached = 0, wall = 0]: ReadonlyArray<number>) => ({
  cost_usd: cost / Micro,
  input_tokens: input,
  output_tokens: output,
  cached_tokens: cached,
  wall_seconds: wall / Milli
})

/** The number of the day in UTC that has this instant, from 1970 on. */
export const dayOf = (millis: number): number => Math.floor(millis / DayMillis)

/** `2026-08-01` for the number of a day. */
export const dayText = (day: number): string => DateTime.formatIso(DateTime.makeUnsafe(day * DayMillis)).slice(0, 10)

const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)) && dayText(dayOf(Date.parse(text))) === text
  && Date.parse(text) >= 0

// The description comes first: after a check, other annotations count.
const day = (description: string) =>
  Schema.optionalKey(
    Schema.String.annotate({ description, contentSchema: { type: "string", format: "date" } }).check(
      Schema.makeFilter(isDay, { expected: "a day such as 2026-08-01" })
    )
  ).pipe(describe(description))

export const usageParameters = {
  from: day("The first day, in UTC; 30 days before `to` unless given."),
  to: day("The last day, in UTC; today unless given."),
  by: Schema.optionalKey(Schema.Literals(["day", "project", "model"])).pipe(
    describe(
      "What the sums are for. `project`: those of each project since it was created, whatever the days; the newest 500 projects."
    )
  )
}
const UsageQuery = Schema.Struct(usageParameters)
export type UsageQuery = typeof UsageQuery.Type

export const UsageSum = Schema.Struct({
  day: Schema.optionalKey(Schema.String).pipe(describe("The day, by `day`.")),
  project_id: Schema.optionalKey(ProjectId).pipe(describe("The project, by `project`.")),
  model: Schema.optionalKey(Schema.String).pipe(describe("The model, by `model`.")),
  ...sumFields(Schema.Finite, Schema.Finite)
}).annotate({ identifier: "UsageSum" })
export type UsageSum = typeof UsageSum.Type

export const DayCaps = Schema.Struct({ scope: ScopeName, ...capFields(Schema.Finite) }).annotate({
  identifier: "DayCaps"
})
export type DayCaps = typeof DayCaps.Type

export const UsageList = Schema.Struct({
  scope: ScopeName,
  from: Schema.String.pipe(describe("The first day.")),
  to: Schema.String.pipe(describe("The last day.")),
  usage: Schema.Array(UsageSum).pipe(describe("The sums: days in order, projects from the newest on, models by name.")),
  caps: DayCaps.pipe(describe("The caps on each day of the scope."))
}).annotate({ identifier: "UsageList" })
export type UsageList = typeof UsageList.Type

export const NewDayCaps = Schema.Struct(caps("each day of the scope")).annotate({ identifier: "NewDayCaps" })
export type NewDayCaps = typeof NewDayCaps.Type

export class InvalidDays extends TaggedError<InvalidDays>()(
  "InvalidDays",
  { error: ErrorText },
  { httpApiStatus: 400, description: "The days are in the wrong order, or too many." }
) {
  static readonly of = () =>
    new InvalidDays({ error: `from, to: ask for 1 to ${MaxDays} days, the first one as from.` })
}

/** What a task is at the cap of. */
export const Cap = Schema.Literals(["task", "project", "scope"])
export type Cap = typeof Cap.Type

/** Why nothing more is claimed there, and what to do. */
export const capSentence = (cap: Cap, task: string, project: string | null): string =>
  cap === "task"
    ? `Task ${task} has used as much as it may (max_cost_usd, max_tokens). Raise its cap with a PATCH.`
    : cap === "project"
    ? `Project ${project} has used as much as it may (max_cost_usd, max_tokens). Raise its cap with a PATCH.`
    : "The scope has used as much today as it may. Raise the cap with PUT /api/v1/usage/caps, or wait for the next day."
