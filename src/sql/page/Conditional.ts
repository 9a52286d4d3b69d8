/**
 * Conditional reads: a client that names the answer it has gets 304 if that is current, at the cost of one row.
 *
 * If an answer changes only together with a revision (`sql/Revisions.ts`), the question and the revision make its tag.
 * The HTTP layer computes the tags of other answers from their content.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { fingerprint } from "../../domain/Fingerprint.ts"
import { Release } from "../../domain/Release.ts"
import type { Answered, Row, Sendable, Steps } from "../Batch.ts"
import { Database } from "../Database.ts"

export interface Condition {
  /** The tags of the answers that the client has. */
  readonly known: ReadonlyArray<string>
  /** The tag of the answer, if a revision determines it. */
  tag: string | undefined
}

/** The condition of the request, if the read is conditional. */
export const CurrentCondition = Context.Reference<Condition | undefined>("octopoid-server/sql/CurrentCondition", {
  defaultValue: () => undefined
})

/** The client has the answer. A defect, because no operation lists it as an error: the HTTP layer answers it. */
export class NotModified {
  readonly tag: string
  constructor(tag: string) {
    this.tag = tag
  }
}

export interface Question<A> {
  /** The complete question: the list, its scope, its filters and its page. */
  readonly name: string
  readonly asked: Readonly<Record<string, unknown>>
  /** Answers one row: `revision`, also `leases` if `shown` is set, and other columns that the answer depends on. */
  readonly revision: Sendable
  /** Whether the rows show a lease. If they do, every renewal changes the answer. */
  readonly shown?: (answers: A) => boolean
  /**
   * Finds the row of the revision in the answers, for a read whose steps answer it. If it finds none, the answer
   * depends on more, and its content makes its tag.
   */
  readonly shows?: (answers: A) => Row | undefined
}

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  /** Runs the steps of a read, unless the client has their answer. No step may be called `revision`. */
  return Effect.fnUntraced(function*<S extends Steps>(question: Question<Answered<S>>, steps: S) {
    const condition = yield* CurrentCondition
    if (condition === undefined) return yield* batch(steps)
    // Another release may answer the same question differently.
    const prefix = `${fingerprint(question.name, { ...question.asked, Release })}.`
    const tagsOf = (row: Row | undefined) => {
      const { leases, revision, ...besides } = row ?? {}
      const still = `${prefix}${fingerprint("", besides)}.${String(revision)}`
      return { still, leased: `${still}.${String(leases)}` }
    }
    if (condition.known.some((tag) => tag.startsWith(prefix))) {
      const { revision: [row] } = yield* batch({ revision: question.revision })
      // Whether the answer shows leases cannot change without a change of a task.
      const tag = Object.values(tagsOf(row)).find((tag) => condition.known.includes(tag))
      if (tag !== undefined) return yield* Effect.die(new NotModified(tag))
    }
    if (question.shows !== undefined) {
      const answers = yield* batch(steps)
      const row = question.shows(answers)
      condition.tag = row === undefined ? undefined : tagsOf(row).still
      return answers
    }
    const { revision: [row], ...others } = yield* batch({ ...steps, revision: question.revision })
    const answers = others as unknown as Answered<S>
    const { leased, still } = tagsOf(row)
    condition.tag = question.shown?.(answers) === true ? leased : still
    return answers
  })
})
