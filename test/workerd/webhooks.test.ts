/** Webhooks of the built Worker: messages leave workerd after the answer, signed, and no request waits for a receiver. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Webhook as Verifier } from "standardwebhooks"
import { Workerd } from "../support/harness.ts"
import { receiver } from "../support/receiver.ts"

const waitFor = (holds: () => boolean) =>
  Effect.promise(async () => {
    const end = Date.now() + 30_000
    while (!holds() && Date.now() < end) await new Promise((done) => setTimeout(done, 20))
    assert.isTrue(holds())
  })

const task = (id: string, scope: string) => ({ id, scope, file_path: `${id}.md`, branch: "b", title: `Title ${id}` })

layer(Workerd.layerWith({ WEBHOOK_ALLOW_PRIVATE: "true" }), { excludeTestServices: true, timeout: "10 minutes" })(
  "webhooks in workerd",
  (it) => {
    it.effect("are sent to after the answer, in order, and by the cron what failed", () =>
      Effect.gen(function*() {
        const { database, send, tick } = yield* Workerd
        const target = yield* receiver
        const registered = yield* send("POST", "/api/v1/webhooks", { scope: "red", url: target.url })
        assert.strictEqual(registered.status, 201, JSON.stringify(registered.body))
        const { id, secret } = registered.body
        for (const name of ["a", "b"]) yield* send("POST", "/api/v1/tasks", task(name, "red"))
        // The administrator names no scope.
        yield* send("POST", "/api/v1/tasks/a/cancel", { reason: "no need" })
        yield* waitFor(() => target.received.length === 3)
        assert.deepStrictEqual(target.received.map(({ body: { data } }) => [data.seq, data.event, data.task_id]), [
          [1, "created", "a"],
          [2, "created", "b"],
          [3, "cancelled", "a"]
        ])
        for (const { body, headers, text } of target.received) {
          assert.deepStrictEqual(new Verifier(secret).verify(text, headers), body)
        }

        target.react = () => ({ status: 307, headers: { location: target.url } })
        yield* send("POST", "/api/v1/tasks", task("c", "red"))
        yield* waitFor(() => target.received.length === 4)
        const failing = Effect.map(
          send("GET", `/api/v1/webhooks/${id}`),
          ({ body }) => body as { attempts: number; position: number }
        )
        while ((yield* failing).attempts === 0) yield* Effect.sleep("20 millis")
        const log = (yield* send("GET", `/api/v1/webhooks/${id}/deliveries`)).body.deliveries
        assert.deepInclude(log[0], { seq: 4, status: 307 })
        assert.lengthOf(target.received, 4)

        target.react = () => 200
        yield* Effect.promise(() =>
          database.prepare("UPDATE webhooks SET next_attempt_at = 1 WHERE id = ?").bind(id).run()
        )
        yield* tick
        assert.deepInclude(yield* failing, { attempts: 0, position: 4 })
        assert.deepInclude((yield* send("POST", `/api/v1/webhooks/${id}/test`)).body, { status: 200, error: null })
      }))

    it.effect("hang without delaying a request", () =>
      Effect.gen(function*() {
        const { send } = yield* Workerd
        const target = yield* receiver
        target.react = () => "hang"
        yield* send("POST", "/api/v1/webhooks", { scope: "slow", url: target.url })
        const started = Date.now()
        for (let n = 0; n < 10; n++) {
          assert.strictEqual((yield* send("POST", "/api/v1/tasks", task(`s${n}`, "slow"))).status, 201)
        }
        assert.isBelow(Date.now() - started, 9000)
        yield* waitFor(() => target.received.length === 1)
      }))

    it.effect("cost a request nothing in a scope without them", () =>
      Effect.gen(function*() {
        const { send } = yield* Workerd
        yield* send("POST", "/api/v1/webhooks", { scope: "with", url: "http://127.0.0.1:9/" })
        yield* send("POST", "/api/v1/tasks", task("w0", "with"))
        yield* send("POST", "/api/v1/tasks", task("n0", "without"))
        const [one, other] = [
          yield* send("POST", "/api/v1/tasks", task("w1", "with")),
          yield* send("POST", "/api/v1/tasks", task("n1", "without"))
        ]
        assert.deepStrictEqual(one.cost, other.cost)
        assert.strictEqual(other.cost.trips, 1)
      }))
  }
)
