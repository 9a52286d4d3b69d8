/** What the clients of a crash run know: every request and every answer. */
import type { Answer, Call } from "../support/Wire.ts"

/** The effect of a request on a task, as history shows it. No two requests of a run have the same event and mark. */
export interface Effect {
  readonly event: string
  /** The mark in the history entry: the id of a created task, or the actor. */
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
  /** Requests with an unknown effect: they got no answer and have no key. */
  readonly unknown: Array<Request>
  /** Those that were refused, and have no effect. */
  readonly refused: Array<Request>
  /** How many requests were sent, repetitions included. */
  requests: number
}

export const make = (): Ledger => ({ acknowledged: [], unknown: [], refused: [], requests: 0 })

/** Records the answer to a request. Answers the problems with it. */
export const note = (ledger: Ledger, request: Request, answer: Answer): string | undefined => {
  const { status } = answer
  if (status >= 200 && status < 300) ledger.acknowledged.push({ request, answer })
  else ledger.refused.push(request)
  // A claim may find nothing, and the former holder of a lost lease gets an error. Nothing else may fail.
  if (status < 300 || status === 409 || (status === 404 && request.kind === "claim")) return undefined
  return `${request.method} ${request.path} was answered ${status}: ${JSON.stringify(answer.body)}`
}
