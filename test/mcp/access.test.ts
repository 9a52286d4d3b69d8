/** An agent whose key has too low a rank learns so, and its server shows the key to nobody. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Workerd } from "../support/harness.ts"
import { agentOf, done, folder, refused } from "./support.ts"

const secret = "a secret of the server for tests"

layer(Workerd.layerWith({ API_SECRET_KEY: secret }), { excludeTestServices: true, timeout: "10 minutes" })(
  "the key of an agent",
  (it) => {
    const keyOf = Effect.fnUntraced(function*(rank: string) {
      const { send } = yield* Workerd
      const { body } = yield* send("POST", "/api/v1/scopes/ranked/keys", { name: rank, rank }, secret)
      return body.api_key as string
    })

    const agentWith = Effect.fnUntraced(function*(key: string) {
      const { base } = yield* Workerd
      return yield* agentOf(String(base), { OCTOPOID_API_KEY: key, OCTOPOID_OUTBOX: yield* folder })
    })

    it.effect("of the rank work claims and hands in, and creates nothing", () =>
      Effect.gen(function*() {
        const { send } = yield* Workerd
        const agent = yield* agentWith(yield* keyOf("work"))
        yield* send("POST", "/api/v1/tasks", { id: "one", file_path: "one", branch: "main", scope: "ranked" }, secret)
        assert.strictEqual((yield* done(agent, "claim_task")).task.task_id, "one")
        assert.match(
          yield* refused(agent, "create_task", { title: "t", content: "c" }),
          /work.*manage.* Tell the person\. Do not try again\.$/
        )
        assert.strictEqual((yield* done(agent, "submit_result", { notes: "Done." })).queue, "provisional")
      }))

    it.effect("of a lower rank, or of no server, is refused with what to tell the person", () =>
      Effect.gen(function*() {
        const reader = yield* agentWith(yield* keyOf("read"))
        assert.match(yield* refused(reader, "claim_task"), /read.*work.* Tell the person\. Do not try again\.$/)
        const key = `oct_${"0".repeat(64)}`
        const stranger = yield* agentWith(key)
        const text = yield* refused(stranger, "claim_task")
        assert.match(text, /Tell the person: OCTOPOID_API_KEY of this process has to be a key of the server\.$/)
        assert.notInclude(text + stranger.seen.stderr, key)
      }))
  }
)
