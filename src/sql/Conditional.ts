/**
 * Conditional reads: whoever says which answer it has is told that it is still so, at the price of one row.
 *
 * An answer that only changes together with some number is named by what was asked and by that number (`sql/task/Revision.ts`).
 * The HTTP layer names every other one by what it says.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Statement } from "effect/sql/Statement"
import { fingerprint } from "../domain/Fingerprint.ts"
import { Release } from "../domain/Release.ts"
import { type Answers, Database, type Row } from "./Database.ts"

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

/** That the client has the answer: a defect, as it concerns the request and not what it asks for. The HTTP layer answers it. */
export class NotModified {
  readonly tag: string
  constructor(tag: string) {
    this.tag = tag
  }
}

export interface Question {
  /** What is asked, in full: the list, its scope, its filters and its page. */
  readonly name: string
  readonly asked: Readonly<Record<string, unknown>>
  /** Answers one row: the number `revision`, that of `leases` where `shown` asks, and whatever else the answer depends on. */
  readonly revision: Statement<any>
  /** Whether the rows show a lease: then the answer changes with every renewal as well. */
  readonly shown?: (answers: Answers) => boolean
}

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  /** Runs the statements of a read, unless the client knows what they would answer. */
  return Effect.fnUntraced(function*(question: Question, statements: ReadonlyArray<Statement<any>>) {
    const condition = yield* CurrentCondition
    if (condition === undefined) return yield* batch(statements)
    // Another release may answer the same question in another way.
    const prefix = `${fingerprint(question.name, { ...question.asked, Release })}.`
    const tagsOf = (row: Row | undefined) => {
      const { leases, revision, ...besides } = row ?? {}
      const still = `${prefix}${fingerprint("", besides)}.${String(revision)}`
      return { still, leased: `${still}.${String(leases)}` }
    }
    if (condition.known.some((tag) => tag.startsWith(prefix))) {
      const [rows] = yield* batch([question.revision])
      // Whether it shows leases does not change while no task does.
      const tag = Object.values(tagsOf(rows?.[0])).find((tag) => condition.known.includes(tag))
      if (tag !== undefined) return yield* Effect.die(new NotModified(tag))
    }
    const answers = yield* batch([...statements, question.revision])
    const { leased, still } = tagsOf(answers[statements.length]?.[0])
    condition.tag = question.shown?.(answers) === true ? leased : still
    return answers
  })
})
