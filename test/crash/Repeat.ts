/** Requests repeated under their key, after the server they were sent to is gone. */
import { isDeepStrictEqual } from "node:util"
import type { Chance } from "../support/Chance.ts"
import type { Wire } from "../support/Wire.ts"
import * as Ledger from "./Ledger.ts"

// How many of the requests that were answered long ago are repeated as well.
const oldRepeats = 25

/** Repeats unanswered requests, as a client would. Answers what is wrong with the answers. */
const askAgain = async (wire: Wire, ledger: Ledger.Ledger, requests: ReadonlyArray<Ledger.Request>) => {
  const wrong = await Promise.all(requests.map(async (request) => {
    ledger.requests += 1
    return Ledger.note(ledger, request, await wire.send(request))
  }))
  return wrong.filter((one) => one !== undefined)
}

/** How long the lease still lasts is counted afresh. */
const kept = (body: any) => ({ ...body, renew_after_seconds: undefined })

/** Repeats answered requests under their keys: each gets the same answer, and has no effect. */
const tellAgain = async (
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
      : again.status === answer.status && again.replayed && isDeepStrictEqual(kept(again.body), kept(answer.body))
    return same ?
      undefined :
      `Repeated, ${request.method} ${request.path} was answered ${again.status} ${
        JSON.stringify(again.body)
      } and not ${answer.status} ${JSON.stringify(answer.body)}`
  }))
  return wrong.filter((one) => one !== undefined)
}

const keyed = (list: ReadonlyArray<Ledger.Acknowledged>) => list.filter(({ request }) => request.key !== undefined)

/**
 * After a restart, repeats every unanswered request and every request with a key: all of them from the position `since`
 * of the ledger on, and some of the earlier ones.
 */
export const catchUp = async (wire: Wire, ledger: Ledger.Ledger, { chance, since, unanswered }: {
  readonly chance: Chance
  readonly since: number
  readonly unanswered: ReadonlyArray<Ledger.Request>
}) => {
  const recent = keyed(ledger.acknowledged.slice(since))
  const before = keyed(ledger.acknowledged.slice(0, since))
  const old = Array.from({ length: Math.min(oldRepeats, before.length) }, () => chance.pick(before))
  const asked = await askAgain(wire, ledger, unanswered)
  const answeredAgain = await tellAgain(wire, ledger, [...recent, ...old])
  return { repeated: unanswered.length + recent.length + old.length, wrong: [...asked, ...answeredAgain] }
}
