/**
 * The typed client over a D1 of which every third batch fails, at random: whole lives of tasks, by several machines at
 * once. Each step has one effect, every answer on the way is honest, and nothing is left half done.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Schema from "effect/Schema"
import * as client from "../../src/client.ts"
import * as Faulty from "../support/Faulty.ts"
import { some } from "../support/runs.ts"
import * as server from "../support/server.ts"
import { driven } from "./driven.ts"

const Lives = 100
const Machines = 8
const Share = 0.3
const Secret = "a secret of the server"
const faults: ReadonlyArray<Faulty.Fault> = [
  "lost request",
  "lost answer",
  "no answer",
  "committed without an answer",
  "late"
]

/** Numbers from 0 to 1 that follow from the seed (mulberry32). */
const numbers = (seed: number) => () => {
  seed = (seed + 0x6D2B79F5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const start = Effect.fnUntraced(function*(seed: number) {
  const random = numbers(seed)
  const befell = new Map<string, number>()
  let failing = false
  const faulty: Faulty.Faulty = Faulty.make(() => {
    if (!failing) return undefined
    // A batch that is answered late runs at some time, between batches that were sent after it.
    if (random() < 0.2) void faulty.release()
    const fault = random() < Share ? faults[Math.floor(random() * faults.length)]! : undefined
    if (fault !== undefined) befell.set(String(fault), (befell.get(String(fault)) ?? 0) + 1)
    return fault
  })
  const { fetch, send } = yield* server.make({ API_SECRET_KEY: Secret }, faulty.open)
  const { body } = yield* send("POST", "/api/v1/scopes/red/keys", undefined, { authorization: `Bearer ${Secret}` })

  const statuses = new Map<number, number>()
  const watched = (async (input: string | URL | Request, init?: RequestInit) => {
    const answer = await fetch(input, init)
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    if (answer.status === 503) {
      const error = Schema.decodeUnknownSync(Schema.toCodecJson(client.DatabaseUnavailable))(
        await answer.clone().json()
      )
      assert.strictEqual(answer.headers.get("retry-after"), String(error.retry_after_seconds))
    }
    return answer
  }) as typeof globalThis.fetch
  const api = yield* client.make({ baseUrl: "http://server", token: String(body.api_key), retries: 30 }).pipe(
    Effect.provide(FetchHttpClient.layer)
  )
  return {
    ...faulty,
    api,
    statuses,
    befell,
    fail: Effect.sync(() => {
      failing = true
    }),
    recover: Effect.promise(() => {
      failing = false
      return faulty.release()
    }),
    watched: Effect.provideService(FetchHttpClient.Fetch, watched)
  }
})

describe("the typed client over a D1 that fails at random", () => {
  it.effect.each(some([1, 2], 2))(
    "seed %i: every step has one effect and the right answer",
    (seed) =>
      Effect.gen(function*() {
        const { api, befell, fail, raw, recover, sent, statuses, watched } = yield* start(seed)
        const query = {}
        const claimed: Array<string> = []
        const life = Effect.fnUntraced(function*(index: number) {
          const name = `task-${index}`
          yield* api.tasks.create({ query, payload: { id: client.TaskId.make(name), file_path: name, branch: "main" } })
          const { orchestrator_id } = yield* api.orchestrators.register({
            query,
            payload: { cluster: "k", machine_id: `m-${index % Machines}` }
          })
          const task = yield* api.tasks.claim({
            query,
            payload: { orchestrator_id, agent_name: `agent-${index}`, lease_duration_seconds: 86_400 }
          })
          claimed.push(task.id)
          const params = { id: task.id }
          const fencing_token = task.fencing_token!
          yield* api.tasks.renew({ query, params, payload: { fencing_token } })
          const submitted = yield* api.tasks.submit({
            query,
            params,
            payload: { commits_count: 1, turns_used: 1, fencing_token }
          })
          assert.strictEqual(submitted.queue, "provisional")
          const done = yield* api.tasks.accept({
            query,
            params,
            payload: { accepted_by: "reviewer", version: submitted.version }
          })
          assert.deepStrictEqual([done.queue, done.claimed_by], ["done", null])
        })
        yield* fail
        yield* driven(
          sent,
          watched(Effect.forEach(Array.from({ length: Lives }, (_, index) => index), life, { concurrency: Machines }))
        )
        yield* recover

        // Nobody was given what another one had, and nothing was left.
        assert.strictEqual(new Set(claimed).size, Lives)
        const rows = (text: string) => raw.prepare(text).all().map((row) => ({ ...row }))
        assert.deepStrictEqual(rows("SELECT queue, count(*) AS n FROM tasks GROUP BY queue"), [{
          queue: "done",
          n: Lives
        }])
        assert.deepStrictEqual(
          rows(
            `SELECT event, count(*) AS n, count(DISTINCT task_id) AS tasks FROM history GROUP BY event ORDER BY event`
          ),
          ["accepted", "claimed", "created", "submitted"].map((event) => ({ event, n: Lives, tasks: Lives }))
        )
        assert.deepStrictEqual(
          rows("SELECT DISTINCT version, grants, attempt_count, lease_losses, claimed_by, fencing_token FROM tasks"),
          [{ version: 4, grants: 1, attempt_count: 0, lease_losses: 0, claimed_by: null, fencing_token: null }]
        )
        assert.deepStrictEqual(
          rows("SELECT counts FROM queue_counts"),
          [{ counts: JSON.stringify({ done: Lives }) }]
        )
        // D1 failed in every way, and each answer was a success or one of the declared failures.
        assert.sameMembers(Array.from(befell.keys()), faults as Array<string>)
        assert.isAbove(statuses.get(503)!, Lives)
        // 499 is the status of a request that its client gave up. No client gets it.
        assert.includeMembers([200, 201, 499, 503], Array.from(statuses.keys()))
      }),
    900_000
  )
})
