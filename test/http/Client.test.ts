/** The derived client and the routes: typed input and output, errors as classes, and repetitions of safe calls. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Schema from "effect/Schema"
import * as client from "../../src/client.ts"
import * as server from "../support/server.ts"

const id = client.TaskId.make("a")
const query = {}

const connect = (options: Partial<client.Options> = {}) =>
  client.make({ baseUrl: "http://server/", ...options }).pipe(Effect.provide(FetchHttpClient.layer))

describe("the typed client", () => {
  it.live("speaks the domain's types, in its own scope", () =>
    Effect.gen(function*() {
      const { connect, send, withFetch } = yield* server.make()
      const api = yield* connect({ scope: "red" })
      yield* withFetch(Effect.gen(function*() {
        const { orchestrator_id } = yield* api.orchestrators.register({
          query,
          payload: { cluster: "k", machine_id: "m" }
        })
        const created = yield* api.tasks.create({ query, payload: { id, file_path: "a.md", branch: "main" } })
        assert.isTrue(DateTime.isDateTime(created.created_at))
        assert.strictEqual(created.scope, "red")
        const claimed = yield* api.tasks.claim({ query, payload: { orchestrator_id, agent_name: "ann" } })
        assert.deepStrictEqual([claimed.id, claimed.needs_intervention, claimed.fencing_token], [id, false, 1])
        const empty = yield* Effect.flip(api.tasks.claim({ query, payload: { orchestrator_id, agent_name: "ann" } }))
        assert.instanceOf(empty, client.NoTasksAvailable)
        const refused = yield* Effect.flip(
          api.tasks.create({ query, payload: { id, file_path: "b.md", branch: "main" } })
        )
        assert.instanceOf(refused, client.TaskExists)
        const elsewhere = yield* Effect.flip(api.tasks.get({ query: { scope: "blue" }, params: { id } }))
        assert.instanceOf(elsewhere, client.TaskNotFound)
      }))
      assert.strictEqual((yield* send("GET", "/api/v1/tasks?scope=red")).body.total, 1)
    }))

  it.live("repeats a read, and a claim under the same key", () =>
    Effect.gen(function*() {
      const { fetch, send } = yield* server.make()
      yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m", max_claimed: 2 })
      for (const task of ["a", "b", "c"]) {
        yield* send("POST", "/api/v1/tasks", { id: task, file_path: task, branch: "b" })
      }
      const calls: Array<string> = []
      const keys: Array<string | null> = []
      const statuses: Array<number> = []
      // The first answer to each of these is lost on its way, after the server has acted.
      const failingOnce = (async (input: string | URL | Request, init?: RequestInit) => {
        const path = `${init?.method} ${new URL(String(input)).pathname}`
        const lost = !calls.includes(path)
        calls.push(path)
        keys.push(new Headers(init?.headers).get("idempotency-key"))
        const answer = await fetch(input as string, init)
        statuses.push(answer.status)
        return lost ? new Response(JSON.stringify({ error: "busy" }), { status: 503 }) : answer
      }) as typeof globalThis.fetch
      const api = yield* connect()
      const failing = Effect.provideService(FetchHttpClient.Fetch, failingOnce)
      assert.strictEqual((yield* failing(api.tasks.list({ query }))).total, 3)
      const payload = { orchestrator_id: client.OrchestratorId.make("k-m"), agent_name: "ann" }
      assert.strictEqual((yield* failing(api.tasks.claim({ query, payload }))).id, id)
      const claim = "POST /api/v1/tasks/claim"
      assert.deepStrictEqual(calls, ["GET /api/v1/tasks", "GET /api/v1/tasks", claim, claim])
      assert.deepStrictEqual(keys.slice(0, 2), [null, null])
      assert.match(String(keys[2]), /^[0-9a-f-]{36}$/)
      assert.strictEqual(keys[3], keys[2])
      // The next call has another key, unless one is given. The client does not wait for a full machine.
      const own = Effect.provideService(client.IdempotencyKey, "mine")
      assert.strictEqual((yield* failing(own(api.tasks.claim({ query, payload })))).id, "b")
      assert.strictEqual((yield* failing(own(api.tasks.claim({ query, payload })))).id, "b")
      assert.instanceOf(yield* Effect.flip(failing(api.tasks.claim({ query, payload }))), client.AtCapacity)
      assert.deepStrictEqual(keys.slice(4, 6), ["mine", "mine"])
      assert.strictEqual(new Set(keys.slice(2)).size, 3)
      assert.deepStrictEqual(statuses.slice(2), [200, 200, 200, 200, 429])
      calls.length = 0
      keys.length = 0
      const careless = yield* connect({ idempotencyKeys: false })
      yield* Effect.flip(failing(careless.tasks.claim({ query, payload })))
      assert.deepStrictEqual([calls, keys], [[claim], [null]])
    }))

  const errors = Object.values(client).filter((value): value is typeof client.TaskNotFound =>
    typeof value === "function" && value.prototype instanceof Error
  )

  it("knows every error of the API", () => {
    const names = new Set(errors.map(({ identifier }) => identifier))
    const known = Object.entries<any>(OpenApi.fromApi(client.Api).components.schemas).flatMap(([, { properties }]) =>
      properties?._tag?.enum ?? []
    )
    assert.isAtLeast(known.length, 30)
    for (const tag of known) assert.isTrue(names.has(tag), tag)
  })

  for (const Failure of errors) {
    it.prop(`names ${Failure.identifier} by its sentence, which travels once`, [Failure], ([sample]) => {
      const schema = Schema.toCodecJson(Failure)
      const wire = Schema.encodeSync(schema)(sample) as unknown as Record<string, unknown>
      const error: Error & { readonly error: string } = Schema.decodeUnknownSync(schema)(wire)
      assert.instanceOf(error, Failure)
      assert.includeMembers(Object.keys(Failure.fields), Object.keys(wire))
      const optional = new Set(["parked_until", "breaker"])
      assert.includeMembers(Object.keys(wire), Object.keys(Failure.fields).filter((name) => !optional.has(name)))
      const keeps = (Failure as unknown) === client.NoTasksAvailable
      assert.strictEqual(error.message, keeps ? "No tasks available" : error.error)
      assert.strictEqual("message" in wire, keeps)
      assert.include(String(error), error.message)
    }, { arbitrary: { runs: 10 } })
  }

  it.live("fails with the error of the server", () =>
    Effect.gen(function*() {
      const { connect, send, withFetch } = yield* server.make({ API_SECRET_KEY: "sixteen characters" })
      const api = yield* connect({ token: "sixteen characters" })
      const missing = yield* Effect.flip(withFetch(api.tasks.get({ query, params: { id } })))
      assert.strictEqual(missing.message, "Task not found: a.")
      const stranger = yield* connect()
      const refused = yield* Effect.flip(withFetch(stranger.tasks.list({ query })))
      assert.match(String(refused), /^Unauthorized: Authentication required\. /)
      const { body } = yield* send("GET", "/api/v1/tasks")
      assert.deepStrictEqual(Object.keys(body), ["_tag", "error"])
    }))
})
