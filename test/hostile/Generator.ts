/** Draws the kind, the sender and the record of each request, from its number and from the answers before it. */
import * as Chance from "../support/Chance.ts"
import { foreignOrigins } from "../support/origins.ts"
import type { Document, Operation } from "./Document.ts"
import * as Foreign from "./Foreign.ts"
import * as Garbage from "./Garbage.ts"
import type { Known } from "./Known.ts"
import { mistaken } from "./NearlyValid.ts"
import { type Caller, type Kind, type Request, serialize } from "./Request.ts"
import * as Valid from "./Valid.ts"

export interface Options {
  readonly seed: number
  /** Whether the server answers requests that carry no key. */
  readonly open: boolean
  readonly document: Document
  readonly known: Known
  readonly victim: string
  /** The prefix of the ids that the attacker chooses. */
  readonly prefix: string
}

export interface Generated {
  readonly request: Request
  /** The id of the record that it is about, before anything was spoiled. */
  readonly subject: string | undefined
  readonly random: Chance.Chance
}

const chances: ReadonlyArray<readonly [Kind, number]> = [["valid", 0.45], ["foreign", 0.6], ["nearly", 0.82]]

/** The same request, as a page of another origin would send it. */
const byForeignPage = (request: Request, random: Chance.Chance): Request => ({
  ...request,
  headers: [...request.headers.filter(([name]) => name !== "origin"), ["origin", random.pick(foreignOrigins)]]
})

export const make = ({ document, known, open, prefix, seed, victim }: Options) => {
  let named = ""
  const fresh = () => `${prefix}${named += "x"}`
  const valid = Valid.make(document, known, fresh)
  const foreign = Foreign.make(known, victim)
  // What makes records, more often than what needs or removes them.
  const weighted = document.operations.flatMap((operation) =>
    "201" in operation.responses || operation.name.endsWith("/claim") ? [operation, operation, operation] : [operation]
  )

  const callerOf = (operation: Operation, kind: Kind, random: Chance.Chance): Caller => {
    if (!open && random.happens(kind === "valid" ? 0.01 : 0.08)) return "nobody"
    if (kind === "valid" && known.restricted.has(operation.name)) return "administrator"
    return random.happens(0.3) ? "administrator" : "key"
  }

  return (index: number): Generated => {
    const random = Chance.make(`${seed} ${index}`)
    named = `${index}-`
    const drawn = random.between(0, 999) / 1000
    const kind = chances.find(([, below]) => drawn < below)?.[0] ?? "garbage"
    const operation = random.pick(weighted)
    const caller = callerOf(operation, kind, random)
    const draft = valid(operation, caller, random)
    const subject = operation.subject === undefined ? undefined : draft.path[operation.subject]
    // Damaged requests about the victim's records come only from callers that must not reach them: a key of another scope, or no key.
    const mayReach = caller === "administrator" || open
    const about = kind === "foreign" || (kind !== "valid" && !mayReach && random.happens(0.3))
      ? foreign(draft, random)
      : draft
    const sent = kind === "nearly" ? mistaken(about, random, document) : about
    const request = serialize(kind, sent)
    const spoilt = kind === "garbage" ? Garbage.spoil(request, random) : request
    return { request: random.happens(0.03) ? byForeignPage(spoilt, random) : spoilt, subject, random }
  }
}
