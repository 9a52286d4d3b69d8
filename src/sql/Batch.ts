/**
 * A batch as a record of named steps. They run in the order in which they are written, all or none, and each answer has
 * the name of its step.
 */
import type { Statement as Template } from "effect/sql/Statement"
import type { Bound } from "./Statement.ts"

/** A row in an answer of D1. */
export type Row = Record<string, unknown>

/** The rows of each statement of a list, in order. */
export type Answers = ReadonlyArray<ReadonlyArray<Row>>

/** A statement with its values. */
export type Sendable = Bound | Template<any>

/** One or several statements that belong together, or `undefined` if this batch leaves the step out. */
export type Step = Sendable | ReadonlyArray<Sendable> | undefined

export type Steps = Readonly<Record<string, Step>>

/** The rows of each step. The rows of a step with several statements are joined. */
export type Answered<S> = { readonly [Name in keyof S]: ReadonlyArray<Row> }

const listOf = (step: Step): ReadonlyArray<Sendable> =>
  step === undefined ? [] : Array.isArray(step) ? step : [step as Sendable]

type Observer = (step: string, statements: ReadonlyArray<Sendable>) => void

let observer: Observer | undefined

/** Has the observer see the statements of each step before they are sent. Only scripts and tests set one. */
export const observe = (next: Observer | undefined): void => {
  observer = next
}

/** The statements of a step, which the observer sees. */
export const named = (name: string, step: Step): ReadonlyArray<Sendable> => {
  const statements = listOf(step)
  observer?.(name, statements)
  return statements
}

const flat = (entries: ReadonlyArray<readonly [name: string, step: Step]>): ReadonlyArray<Sendable> =>
  entries.flatMap(([name, step]) => named(name, step))

/** The statements of the steps, in order. */
export const statementsOf = (steps: Steps): ReadonlyArray<Sendable> => flat(Object.entries(steps))

const splitAfter = (steps: Steps, name: string): readonly [ReadonlyArray<Sendable>, ReadonlyArray<Sendable>] => {
  const entries = Object.entries(steps)
  const place = entries.findIndex(([each]) => each === name) + 1
  return [flat(entries.slice(0, place)), flat(entries.slice(place))]
}

/**
 * The statements of the steps, with those of `kept` right behind the step `keep`, or before all steps if none is named.
 * `kept` may ask how many rows the step has changed (`Idempotency.ts`), because nothing that writes comes between. No
 * other place puts a statement there.
 */
export const keptBehind = (steps: Steps, keep: string | undefined, kept: () => ReadonlyArray<Sendable>) => {
  const [before, after] = keep === undefined ? [[], statementsOf(steps)] as const : splitAfter(steps, keep)
  const between = kept()
  const [start, end] = [before.length, before.length + between.length]
  return {
    statements: [...before, ...between, ...after],
    /** The answers of `kept`. */
    keptOf: (answers: Answers): Answers => answers.slice(start, end),
    /** The answers of the steps. */
    ownOf: (answers: Answers): Answers => [...answers.slice(0, start), ...answers.slice(end)]
  }
}

/** The answers of all statements, by the names of their steps. */
export const byName = <S extends Steps>(steps: S, answers: Answers): Answered<S> => {
  let from = 0
  const named = Object.entries(steps).map(([name, step]) => {
    const own = answers.slice(from, from += listOf(step).length)
    return [name, own.length === 1 ? own[0]! : own.flat()] as const
  })
  return Object.fromEntries(named) as Answered<S>
}

/** The text of a statement and its values. */
export const compiled = (statement: Sendable): readonly [text: string, parameters: ReadonlyArray<unknown>] =>
  "text" in statement ? [statement.text, statement.parameters] : statement.compile()
