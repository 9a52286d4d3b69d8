/**
 * Reports what a handler used. Each report keeps its key and its body until the server has answered, so it counts once.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { Client, Usage } from "../../client.ts"
import type { Held } from "../Held.ts"
import * as Ask from "./Ask.ts"
import { IdempotencyKey } from "./Call.ts"
import { textOf } from "./NoUsableAnswer.ts"

/** A report that the server has not confirmed. */
export interface Report {
  readonly key: string
  readonly usage: Usage
}

/** How many reports wait at most. More are refused, so that the memory of a worker stays bounded. */
const MaxReports = 1000

/** Puts the report behind those that wait. Answers whether there was room. */
export const put = (held: Held, usage: Usage): boolean => {
  if (held.reports.length >= MaxReports) return false
  held.reports.push({ key: SecureRandom.uuidV4Unsafe(), usage })
  return true
}

/** Sends the waiting reports, each with a renewal of the lease. Fails if the server gives no usable answer. */
export const send = (client: Client, held: Held) =>
  Effect.gen(function*() {
    for (let next = held.reports[0]; next !== undefined; next = held.reports[0]) {
      const { key, usage } = next
      yield* Ask.make("renew").once(
        Effect.provideService(
          client.tasks.renew({
            query: {},
            params: { id: held.task.id },
            payload: { fencing_token: held.token, usage }
          }),
          IdempotencyKey,
          key
        )
      ).pipe(
        // A key that may not renew may not send the heartbeat either. The heartbeat reports the refusal.
        Effect.catch((error: unknown) =>
          error instanceof Ask.Unreachable
            ? Effect.fail(error)
            : Effect.annotateLogs(Effect.logWarning("a report of usage was refused"), { why: textOf(error) })
        )
      )
      if (held.reports[0] === next) held.reports.shift()
    }
  })
