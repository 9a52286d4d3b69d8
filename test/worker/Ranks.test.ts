/** A worker whose key has a rank: `work` is enough, and a lower rank ends the worker. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as client from "../../src/client.ts"
import * as Outbox from "../../src/client/Outbox.ts"
import * as Worker from "../../src/client/Worker.ts"
import * as server from "../support/server.ts"
import { machine, result } from "./support.ts"

const Secret = "a secret of the server"
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const start = (rank: string) =>
  Effect.gen(function*() {
    const { send, withFetch } = yield* server.make({ API_SECRET_KEY: Secret })
    const admin = (method: string, path: string, body?: unknown) =>
      Effect.map(send(method, `/api/v1/${path}`, body, bearer(Secret)), ({ body }) => body)
    const { api_key } = yield* admin("POST", "scopes/red/keys", { rank })
    const create = (id: string) => admin("POST", "tasks", { id, scope: "red", file_path: id, branch: "b" })
    const options = { client: { baseUrl: "http://server", token: api_key as string }, machine, agentName: "ann" }
    return { admin, create, options: { ...options, until: "idle" as const }, withFetch }
  })

describe("a worker", () => {
  it.live("needs a key of the rank work: to register, claim, renew, submit, requeue, release and fail", () =>
    Effect.gen(function*() {
      const { admin, create, options, withFetch } = yield* start("work")
      for (const id of ["done", "fails", "retries"]) yield* create(id)
      const before: Array<string> = []
      yield* withFetch(Worker.run(
        { ...options, onFailure: (_cause, { task }) => task.id === "retries" ? "retry" : "fail" },
        ({ checkpoint, renew, task: { id } }) =>
          Effect.gen(function*() {
            yield* Effect.orDie(checkpoint({ notes: "n" }))
            yield* renew
            if (id === "done" || before.includes(id)) return result
            before.push(id)
            return yield* Effect.fail("not yet")
          })
      ))
      const queues = yield* Effect.forEach(["done", "fails", "retries"], (id) => admin("GET", `tasks/${id}`))
      assert.deepStrictEqual(queues.map(({ queue }) => queue), ["provisional", "failed", "provisional"])
    }))

  it.live("ends with the refusal if its key is only to read", () =>
    Effect.gen(function*() {
      const { options, withFetch } = yield* start("read")
      const refused = yield* Effect.flip(withFetch(Worker.run(options, () => Effect.succeed(result))))
      assert.instanceOf(refused, client.RankTooLow)
    }))

  it.live("keeps a verdict that its key may not give, and ends with the refusal", () =>
    Effect.gen(function*() {
      const { admin, create, options, withFetch } = yield* start("work")
      yield* create("t")
      yield* withFetch(Worker.run(options, () => Effect.succeed(result)))
      const outbox = Outbox.memory()
      const reviewing = { ...options, queue: "provisional", outbox }
      const refused = yield* Effect.flip(
        withFetch(Worker.run(reviewing, () => Effect.succeed({ verdict: "accept" as const })))
      )
      assert.instanceOf(refused, client.RankTooLow)
      assert.strictEqual((yield* admin("GET", "tasks/t")).queue, "provisional")
      const kept = yield* Worker.unsettled(outbox)
      assert.deepStrictEqual(kept.map(({ refused, verb }) => [verb, refused]), [["accept", null]])
    }))
})
