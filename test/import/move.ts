/** Runs what `octopoid-server import` runs, from an old server into ours, both without a socket. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as TestClock from "effect/testing/TestClock"
import { copy, type Options } from "../../src/cli/transfer/old/copy.ts"
import * as server from "../support/server.ts"
import * as OldServer from "./OldServer.ts"

/** When it is, in these tests. */
export const now = Date.UTC(2026, 2, 2, 12)
export const minutes = (n: number) => n * 60_000

export const make = Effect.fnUntraced(function*(data: OldServer.Data, interfere?: (url: URL) => Response | undefined) {
  yield* TestClock.setTime(now)
  const old = OldServer.make(data, interfere)
  const ours = yield* server.make()
  const fetch = ((input: string | URL | Request, init?: RequestInit) => {
    const request = new Request(input, init)
    return new URL(request.url).host === "old" ? Promise.resolve(old.answer(request)) : ours.fetch(request)
  }) as typeof globalThis.fetch
  const run = (options: Partial<Options> = {}) =>
    copy({ from: "http://old/", to: "http://server", scope: "red", unscoped: false, dryRun: false, ...options }).pipe(
      Effect.provide(FetchHttpClient.layer),
      Effect.provideService(FetchHttpClient.Fetch, fetch)
    )
  /** All tasks of the scope as ours lists them, by id. */
  const tasks = Effect.gen(function*() {
    const found: Record<string, any> = {}
    // A page may end before its limit, at about 4 MB.
    for (let offset = 0, total = 1, page = 0; offset < total; offset += page) {
      const { body } = yield* ours.send("GET", `/api/v1/tasks?scope=red&limit=500&offset=${offset}`)
      total = body.total
      page = Math.max(1, body.tasks.length)
      for (const task of body.tasks) found[task.id] = task
    }
    return found
  })
  return { old, run, tasks, send: ours.send }
})
