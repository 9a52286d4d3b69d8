/**
 * Conditional reads: a client that names the answer it has is told that it is still the same, at the price of one row.
 *
 * An answer that only changes together with some number is named by what was asked and by that number (`sql/Revisions.ts`).
 * The HTTP layer names every other answer by its content.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { fingerprint } from "../domain/Fingerprint.ts"
import { Release } from "../domain/Release.ts"
import type { Answered, Row, Sendable, Steps } from "./Batch.ts"
import { Database } from "./Database.ts"

export interface Condition {
  /** The names of the answers that the client has. */
  readonly known: ReadonlyArray<string>
  /** The name of the answer, when something says when it changes. */
  tag: string | undefined
}

/** The condition of the read that is being served, if it is one that may be conditional. */
export const CurrentCondition = Context.Reference<Condition | undefined>("octopoid-server/sql/CurrentCondition", {
  defaultValue: () => undefined
})

/** The client has the answer: a defect, as it concerns the request and not what it asks for. The HTTP layer answers it. */
export class NotModified {
  readonly tag: string
  constructor(tag: string) {
    this.tag = tag
  }
}

export interface Question<A> {
  /** The whole question: the list, its scope, its filters and its page. */
  readonly name: string
  readonly asked: Readonly<Record<string, unknown>>
  /** Answers one row: the number `revision`, that of `leases` where `shown` asks, and whatever else the answer depends on. */
  readonly revision: Sendable
  /** Whether the rows show a lease: then the answer changes with every renewal as well. */
  readonly shown?: (answers: A) => boolean
}

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  /** Runs the steps of a read, unless the client knows what they would answer. No step is called `revision`. */
  return Effect.fnUntraced(function*<S extends Steps>(question: Question<Answered<S>>, steps: S) {
    const condition = yield* CurrentCondition
    if (condition === undefined) return yield* batch(steps)
    // Another release may answer the same question in another way.
    const prefix = `${fingerprint(question.name, { ...question.asked, Release })}.`
    const tagsOf = (row: Row | undefined) => {
      const { leases, revision, ...besides } = row ?? {}
      const still = `${prefix}${fingerprint("", besides)}.${String(revision)}`
      return { still, leased: `${still}.${String(leases)}` }
    }
    if (condition.known.some((tag) => tag.startsWith(prefix))) {
      const { revision: [row] } = yield* batch({ revision: question.revision })
      // Whether it shows leases does not change while no task does.
      const tag = Object.values(tagsOf(row)).find((tag) => condition.known.includes(tag))
      if (tag !== undefined) return yield* Effect.die(new NotModified(tag))
    }
    const { revision: [row], ...others } = yield* batch({ ...steps, revision: question.revision })
    const answers = others as unknown as Answered<S>
    const { leased, still } = tagsOf(row)
    condition.tag = question.shown?.(answers) === true ? leased : still
    return answers
  })
})
