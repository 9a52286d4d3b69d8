/** A request to an endpoint over a D1 that fails, made of its row in the access table. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { table } from "../support/access.ts"
import * as Faulty from "../support/Faulty.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const Start = Date.parse("2026-01-01T00:00:00Z")
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

// Ids and secrets are random, names are numbered, and a repetition happens later.
const chance: ReadonlyArray<readonly [RegExp, string]> = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>"],
  [/oct_[0-9a-f]{4,64}/g, "<key>"],
  [/whsec_[\w+/=]+/g, "<secret>"],
  [/[0-9a-f]{16,64}/g, "<hex>"],
  [/\b20\d\d-\d\d-\d\dT[\d:.]+Z/g, "<time>"],
  [/\b1[78]\d{11}\b/g, "<time>"],
  // It depends on the length of the ids.
  [/\\?"bytes\\?":\d+/g, "<bytes>"],
  [/(msg|act)-<time>-\w{6}/g, "$1-<random>"],
  [/(?<=\b|\\u001f)([a-z]+)-\d+\b/g, "$1-#"],
  // A name that is counted may have a digit more.
  [/"bytes":\d+/g, "\"bytes\":\"<bytes>\""],
  [/\\*"millis\\*":\d+/g, "\"millis\":<millis>"],
  [/"renew_after_seconds":\d+/g, "\"renew_after_seconds\":\"<seconds>\""]
]

/** As text, without random parts. */
export const settled = (value: unknown): string =>
  chance.reduce((text, [pattern, name]) => text.replaceAll(pattern, name), JSON.stringify(value))

/** The whole database, without random parts. */
export const settledRows = (rows: ReturnType<typeof Faulty.everything>) =>
  Object.fromEntries(Object.entries(rows).map(([table, some]) => [table, some.map(settled).sort()]))

/** A server over a D1 that fails, with a record of the endpoint's, and the request about it. */
export const make = Effect.fnUntraced(function*(name: string) {
  yield* TestClock.setTime(Start)
  const faulty = Faulty.make()
  const { send } = yield* server.make({ API_SECRET_KEY: Secret }, faulty.open)
  const admin = (method: string, path: string, body?: unknown) =>
    Effect.map(send(method, path, body, bearer(Secret)), ({ body }) => body)
  const { api_key } = yield* admin("POST", "/api/v1/scopes/red/keys")
  yield* send("GET", "/api/v1/tasks", undefined, bearer(api_key))
  const row = table[name]!
  const asked = row.ask("red", admin)
  const [path, body] = Effect.isEffect(asked) ? yield* asked : asked
  // By now the check of the key goes along with the batch of the request, and fails with it.
  yield* TestClock.adjust("16 seconds")
  const method = name.slice(0, name.indexOf(" "))
  const headers = {
    ...(row.key === undefined ? bearer(api_key) : bearer(Secret)),
    ...(method === "POST" ? { "idempotency-key": "k" } : {})
  }
  const ask = send(method, path, body, headers)

  /** The answer, as late as the server gives it where D1 gives none. */
  const patiently = Effect.gen(function*() {
    const before = faulty.silent()
    const fiber = yield* Effect.forkChild(ask)
    while (fiber.pollUnsafe() === undefined) {
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      if (faulty.silent() > before) yield* TestClock.adjust("25 seconds")
    }
    return yield* Fiber.join(fiber)
  })

  return {
    ...faulty,
    row,
    ask: patiently,
    everything: () => Faulty.everything(faulty.raw),
    rows: () => settledRows(Faulty.everything(faulty.raw))
  }
})
