/** The worker over a D1 that fails at every third of its batches: it asks again until every task is handed in, once. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Logger from "effect/Logger"
import * as Worker from "../../src/client/Worker.ts"
import * as Faulty from "../support/Faulty.ts"
import * as server from "../support/server.ts"
import { driven } from "./driven.ts"

const names = ["a", "b", "c"]
const faults: ReadonlyArray<Faulty.Fault> = [
  "lost answer",
  "committed without an answer",
  new Error("D1_ERROR: D1 DB is overloaded. Too many requests queued.")
]

describe("the worker over a D1 that fails", () => {
  it.effect.each(faults)("goes on if every third batch fails: %s", (fault) =>
    Effect.gen(function*() {
      let batches = -Infinity
      // Not every other one: what takes two batches would always meet it at the second.
      const { open, raw, sent } = Faulty.make(() => batches++ % 3 === 0 ? fault : undefined)
      const { fetch, send } = yield* server.make({}, open)
      for (const id of names) yield* send("POST", "/api/v1/tasks", { id, file_path: id, branch: "b" })
      batches = 0
      yield* driven(
        sent,
        Worker.run({
          // Nothing is repeated below the worker, so that it sees every failure.
          client: { baseUrl: "http://server", retries: 0 },
          machine: { cluster: "k", machine_id: "m" },
          agentName: "ann",
          until: "idle"
        }, () => Effect.succeed({ commits_count: 1, turns_used: 1 }))
      ).pipe(Effect.provideService(FetchHttpClient.Fetch, fetch), Effect.provide(Logger.layer([])))
      const tasks = raw.prepare("SELECT id, queue, claimed_by FROM tasks ORDER BY id").all().map((row) => ({ ...row }))
      assert.deepStrictEqual(tasks, names.map((id) => ({ id, queue: "provisional", claimed_by: null })))
      const events = raw.prepare("SELECT event, count(*) AS n FROM history GROUP BY event ORDER BY event").all()
      assert.deepStrictEqual(
        events.map((row) => ({ ...row })),
        ["claimed", "created", "submitted"].map((event) => ({ event, n: names.length }))
      )
    }), 900_000)
})
