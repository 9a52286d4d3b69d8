/** Requests repeated under their key, after the server they were sent to is gone. */
import { isDeepStrictEqual } from "node:util"
import type { Wire } from "../support/Wire.ts"
import * as Ledger from "./Ledger.ts"

/** Sends again what was not answered, as a client would. Answers what is wrong with what it is told. */
export const unanswered = async (wire: Wire, ledger: Ledger.Ledger, requests: ReadonlyArray<Ledger.Request>) => {
  const wrong = await Promise.all(requests.map(async (request) => {
    ledger.requests += 1
    return Ledger.note(ledger, request, await wire.send(request))
  }))
  return wrong.filter((one) => one !== undefined)
}

/** Sends again what was answered: it must be answered the same, and have no effect. */
export const answered = async (
  wire: Wire,
  ledger: Ledger.Ledger,
  acknowledged: ReadonlyArray<Ledger.Acknowledged>
) => {
  const wrong = await Promise.all(acknowledged.map(async ({ answer, request }) => {
    ledger.requests += 1
    const again = await wire.send(request)
    const same = request.kind === "claim"
      // A claim is answered with the task as it is now, and only while its lease is held.
      ? again.status === 409 || (again.body.id === answer.body.id
          && again.body.fencing_token === answer.body.fencing_token && again.replayed)
      : again.status === answer.status && again.replayed && isDeepStrictEqual(again.body, answer.body)
    return same ? undefined : `Repeated, ${request.method} ${request.path} was answered ${again.status} ${
      JSON.stringify(again.body)
    } and not ${answer.status} ${JSON.stringify(answer.body)}`
  }))
  return wrong.filter((one) => one !== undefined)
}
