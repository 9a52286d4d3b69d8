/**
 * 14,000 requests (2,800 in the fast run) that the OpenAPI document suggests and no client would send. Every
 * answer is as declared, none is a 500, no caller learns of another scope, and the database keeps its invariants. `npm
 * run prove -- fuzz` sends others.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runs } from "../support/runs.ts"
import * as Attack from "./Attack.ts"
import * as InObjects from "./InObjects.ts"
import * as InProcess from "./InProcess.ts"

const Secret = "a secret of the server"
/** With so many requests every operation succeeds at least once. */
const EveryOperation = 6500

const attack = Effect.fnUntraced(function*(secret: string | undefined, seed: number, requests: number, engine = "d1") {
  const config: Record<string, string> = secret === undefined ? {} : { API_SECRET_KEY: secret }
  const transport = engine === "d1" ? yield* InProcess.make(config) : InObjects.make(config)
  const { tally, violations } = yield* Effect.promise(() => Attack.run({ transport, secret, seed, requests }))
  const reported = violations.slice(0, 5).map(({ number, problems, request }) =>
    `--seed ${seed} --until ${number}: ${problems.join("; ")}\n${request}`
  )
  assert.deepStrictEqual(reported, [])
  // Otherwise it would show only that nonsense is refused. Few requests do not reach every operation.
  if (requests >= EveryOperation) assert.deepStrictEqual(tally.neverSucceeded, [])
  assert.isAtLeast(tally.validShare, 0.6)
  assert.strictEqual(tally.requests, requests)
})

describe("hostile input", () => {
  it.effect("changes and reveals nothing forbidden, on a server with keys", () =>
    attack(Secret, 1, runs(EveryOperation, 1500)))

  it.effect("changes and reveals nothing forbidden, on an open server", () => attack(undefined, 13, 1000))

  it.live("changes and reveals nothing forbidden, on Durable Objects", () =>
    attack(Secret, 1, runs(800, 300), "objects"))
})
