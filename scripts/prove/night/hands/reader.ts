/** Follows the feed, and keeps its pages in one file: the events, and the place after them, in the same line. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs"
import { join } from "node:path"
import * as client from "../../../../src/client.ts"
import { setting } from "./setting.ts"

const { key, own, scope, url } = setting
const file = join(own, "pages.jsonl")

/** The place of the last whole line. A kill in the middle of a write leaves half a line, which is cut off. */
const place = (): number => {
  if (!existsSync(file)) return 0
  const text = readFileSync(file, "utf8")
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  truncateSync(file, Buffer.byteLength(whole))
  const last = whole.trim().split("\n").at(-1) ?? ""
  return last === "" ? 0 : JSON.parse(last).next
}

const program = Effect.gen(function*() {
  const api = yield* client.make({ baseUrl: url, token: key, scope, retries: 8 })
  for (let after = place();;) {
    const { events, gap, latest, next } = yield* api.events.list({ query: { after, limit: 50 } })
    if (gap) return yield* Effect.die(`The feed has a gap after ${after}.`)
    if (events.length > 0) {
      appendFileSync(file, `${JSON.stringify({ seqs: events.map(({ seq }) => seq), next })}\n`)
    }
    after = next
    if (next === latest) yield* Effect.sleep("300 millis")
  }
})

Effect.runPromise(Effect.provide(program, FetchHttpClient.layer)).catch((error: unknown) => {
  console.error(String(error))
  process.exitCode = 1
})
