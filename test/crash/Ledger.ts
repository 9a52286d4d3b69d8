/** What the clients of a crash run know: everything they asked for, and everything they were told is so. */
import type { Answer, Call } from "../support/Wire.ts"

/** What a request does to a task, as history tells it: no two requests of a run have the same event and mark. */
export interface Effect {
  readonly event: string
  /** Whom or what history names with it: the id of what is created, or the actor. */
  readonly mark: string
}

/** A request of a run. */
export interface Request extends Call {
  readonly effect: Effect | undefined
  readonly kind: "create" | "claim" | "renew" | "move"
}

/** A request that was answered with success. */
export interface Acknowledged {
  readonly request: Request
  readonly answer: Answer
}

export interface Ledger {
  readonly acknowledged: Array<Acknowledged>
  /** Those of which nobody knows whether they had their effect: the answer did not arrive, and they carry no key. */
  readonly unknown: Array<Request>
  /** Those that were refused, and have no effect. */
  readonly refused: Array<Request>
  /** How many requests were sent, repetitions included. */
  requests: number
}

export const make = (): Ledger => ({ acknowledged: [], unknown: [], refused: [], requests: 0 })

/** Writes down how a request was answered, and answers what is wrong with that, if anything is. */
export const note = (ledger: Ledger, request: Request, answer: Answer): string | undefined => {
  const { status } = answer
  if (status >= 200 && status < 300) ledger.acknowledged.push({ request, answer })
  else ledger.refused.push(request)
  // A claim may find nothing, and whoever lost a lease is told so: nothing else may go wrong.
  if (status < 300 || status === 409 || (status === 404 && request.kind === "claim")) return undefined
  return `${request.method} ${request.path} was answered ${status}: ${JSON.stringify(answer.body)}`
}
