/** What only objects do: they wake by themselves, and let claims wait. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Workerd } from "../support/harness.ts"

const Secret = "a secret of the server"
const task = (id: string, scope: string, rest: object = {}) => ({ id, scope, file_path: `${id}.md`, branch: "b", ...rest })
const claim = (scope: string, rest: object = {}) => ({ scope, orchestrator_id: "k-m", agent_name: "ann", ...rest })

layer(Workerd.layerWith({ API_SECRET_KEY: Secret }), { excludeTestServices: true, timeout: "10 minutes" })(
  "objects",
  (it) => {
    const asked = Effect.map(Workerd, ({ send }) => (method: string, path: string, body?: unknown) =>
      send(method, path, body, Secret))

    it.effect("an expired lease is taken back without a request", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        yield* ask("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m", scope: "alarm" })
        yield* ask("POST", "/api/v1/tasks", task("a", "alarm"))
        const held = yield* ask("POST", "/api/v1/tasks/claim", claim("alarm", { lease_duration_seconds: 1 }))
        assert.strictEqual(held.body.id, "a")
        // A read takes nothing back.
        const events = Effect.map(ask("GET", "/api/v1/tasks/a/history"), ({ body }) =>
          body.history.map(({ event }: any) => event))
        while (!(yield* events).includes("lease_expired")) yield* Effect.sleep("100 millis")
        assert.include((yield* ask("GET", "/api/v1/tasks/a")).body, { queue: "incoming", lease_losses: 1 })
      }))

    it.effect("a claim that may wait gets the task that is created meanwhile", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        yield* ask("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m", scope: "wait" })
        const waiting = yield* Effect.forkChild(
          Effect.forEach([1, 2, 3], (n) =>
            ask("POST", "/api/v1/tasks/claim", claim("wait", { agent_name: `a${n}`, wait_seconds: 20 })), {
            concurrency: "unbounded"
          })
        )
        yield* Effect.sleep("500 millis")
        yield* ask("POST", "/api/v1/tasks", task("w1", "wait"))
        yield* ask("POST", "/api/v1/tasks/bulk", {
          action: "create",
          scope: "wait",
          tasks: ["w2", "w3"].map((id) => task(id, "wait"))
        })
        const got = yield* Fiber.join(waiting)
        assert.deepStrictEqual(got.map(({ status }) => status), [200, 200, 200])
        assert.sameMembers(got.map(({ body }) => body.id), ["w1", "w2", "w3"])
      }))

    it.effect("a claim that waits in vain says so, with Retry-After, and one that may not wait is answered at once", () =>
      Effect.gen(function*() {
        const { fetch } = yield* Workerd
        const ask = (wait_seconds: number) =>
          Effect.promise(async () => {
            const answer = await fetch("http://localhost/api/v1/tasks/claim", {
              method: "POST",
              headers: { "content-type": "application/json", authorization: `Bearer ${Secret}` },
              body: JSON.stringify(claim("wait", { wait_seconds }))
            })
            return { status: answer.status, after: answer.headers.get("retry-after"), body: await answer.json() as any }
          })
        const empty = yield* ask(1)
        assert.deepStrictEqual([empty.status, empty.after === null], [404, false])
        assert.strictEqual((yield* ask(0)).status, 404)
        const refused = yield* ask(21)
        assert.strictEqual(refused.status, 400)
        assert.include(refused.body.error, "wait_seconds")
      }))

    it.effect("a lease that ends gives its task to one of the claims that wait", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        yield* ask("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m", scope: "back" })
        yield* ask("POST", "/api/v1/tasks", task("b", "back"))
        const held = yield* ask("POST", "/api/v1/tasks/claim", claim("back", { lease_duration_seconds: 1 }))
        assert.strictEqual(held.status, 200)
        const [first, second] = yield* Effect.forEach([1, 2], (n) =>
          ask("POST", "/api/v1/tasks/claim", claim("back", { agent_name: `b${n}`, wait_seconds: 5 })), {
          concurrency: "unbounded"
        })
        assert.sameMembers([first!.status, second!.status], [200, 404])
      }))

    it.effect("to read from a scope that has nothing makes no object and no scope", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        const before = (yield* ask("GET", "/api/v1/projects?limit=1")).status
        assert.strictEqual(before, 200)
        const read = yield* ask("GET", "/api/v1/tasks?scope=never")
        assert.deepStrictEqual([read.status, read.body.total], [200, 0])
        assert.notInclude(yield* (yield* Workerd).scopes, "never")
        assert.include(yield* (yield* Workerd).scopes, "back")
      }))
  }
)
