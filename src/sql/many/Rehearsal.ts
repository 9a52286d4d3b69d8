/**
 * A rehearsal: the batch of a change runs with all its rules, and then fails, so that nothing is changed. SQLite
 * repeats an invalid path in its message: that tells what the change would have done.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type Answered, byName, compiled, keptBehind, named, type Sendable, type Step, type Steps } from "../Batch.ts"
import type { Database } from "../Database.ts"
import { type Statement, statement, type Values } from "../Statement.ts"
import type { Part } from "./Parts.ts"

/** Whether changes are only rehearsed. */
export const Rehearsing = Context.Reference<boolean>("octopoid-server/sql/Rehearsing", { defaultValue: () => false })

/** The change would have been made. */
export class Rehearsed extends Data.TaggedError("Rehearsed")<{ readonly part: Part }> {}

// The batch writes a row into `idempotency_keys`. If the row is there, the change would have been made.
const Key = "rehearsal"

// An invalid path. Texts are in hexadecimal, because the message quotes them.
const failing = statement(`
  SELECT json_extract('{}', 'rehearsed:' || coalesce((
    SELECT hex(coalesce(answer ->> '$[0].id', '')) || ':' || hex(coalesce(answer ->> '$[0].queue', '')) || ':'
      || coalesce(answer ->> '$[0].version', '') FROM idempotency_keys WHERE id = :key), 'nothing') || ';')`)

const textOf = (hex: string): string =>
  new TextDecoder().decode(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))

const onlyReads = (step: Step): boolean =>
  step !== undefined && [step].flat().every((statement) => /^\s*SELECT/i.test(compiled(statement as Sendable)[0]))

interface Options<S extends Steps> {
  readonly keep: (keyof S & string) | undefined
  readonly write: Statement
  readonly finish: Statement | undefined
  readonly values: Values
}

/** Rehearses the steps. Dies with `Rehearsed` if they would make the change, and else answers what they read. */
export const run = Effect.fnUntraced(function*<S extends Steps>(
  send: Database["Service"]["atomic"],
  steps: S,
  { finish, keep, values, write }: Options<S>
) {
  const all: Values = { ...values, key: Key, fingerprint: "", sent: 0 }
  const batch = [
    ...keptBehind(steps, keep, () => named("rehearsalKept", write(all))).statements,
    ...named("rehearsalFinished", finish?.(all)),
    ...named("rehearsalFailed", failing(all))
  ]
  const outcome = yield* Effect.catchDefect(Effect.as(send(batch), ""), (defect) => {
    const text = /rehearsed:([^;]*);/.exec(String(defect))?.[1]
    return text === undefined ? Effect.die(defect) : Effect.succeed(text)
  })
  const [id = "", queue = "", version = ""] = outcome.split(":")
  if (outcome !== "nothing") {
    return yield* Effect.die(
      new Rehearsed({
        part: {
          id: textOf(id),
          queue: queue === "" ? null : textOf(queue),
          version: version === "" ? null : Number(version)
        }
      })
    )
  }
  // A batch that failed answers no rows. A refusal needs those that it read.
  const reads = Object.entries(steps).filter(([, step]) => onlyReads(step))
  const read = reads.length === 0 ? [] : yield* send(reads.flatMap(([name, step]) => named(name, step)))
  const answers: Answered<S> = {
    ...byName(steps, []),
    ...byName(Object.fromEntries(reads) as Partial<S> & Steps, read)
  }
  return answers
})
