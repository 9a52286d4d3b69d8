/**
 * What runs batches: D1 (`D1.ts`), or the storage of a Durable Object (`ObjectStorage.ts`). Only the entry of a Worker
 * knows which; everything else goes through `Database.ts`.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The text of a statement and its values, as every engine takes them. */
export type Prepared = readonly [text: string, parameters: ReadonlyArray<Input>]

/** A value that every engine takes. */
export type Input = string | number | null | ArrayBuffer

/** The rows of a statement, and what it cost. */
export interface Result {
  readonly rows: ReadonlyArray<Record<string, unknown>>
  readonly read: number
  readonly written: number
  /** How many rows the statement changed, if the engine says so. */
  readonly changes: number | undefined
}

/** The batch failed. `cause` is the error of SQLite or of the platform, which has its code only in its text. */
export class EngineFailure extends Schema.TaggedError<EngineFailure>()("EngineFailure", { cause: Schema.Defect() }) {}

export class Engine extends Context.Service<Engine, {
  /** Runs the statements in their order, all or none. */
  readonly run: (statements: ReadonlyArray<Prepared>) => Effect.Effect<ReadonlyArray<Result>, EngineFailure>
}>()("octopoid-server/sql/Engine") {}

/**
 * Set for a batch that makes no task ready, whatever it changes. On Durable Objects, claims that wait look again after
 * every other one.
 */
export const ReadiesNothing = Context.Reference<boolean>("octopoid-server/sql/ReadiesNothing", {
  defaultValue: () => false
})

const refused = (value: unknown): Error =>
  new TypeError(`Type '${value instanceof Date ? "Date" : typeof value}' not supported for value '${String(value)}'`)

/**
 * The value as SQLite gets it, the same for each engine. The engines convert values differently. `true`: D1 stores 1, a
 * Durable Object the text `true`. `undefined`: D1 fails, a Durable Object stores NULL. `Infinity`: D1 stores NULL.
 */
export const inputOf = (value: unknown): Input => {
  if (typeof value === "string" || value === null) return value
  if (typeof value === "number") return Number.isFinite(value) ? value : null
  if (typeof value === "boolean") return Number(value)
  if (value instanceof ArrayBuffer) return value
  throw refused(value)
}
