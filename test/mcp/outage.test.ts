/** A server that does not answer: no result is lost, and the agent learns what happened. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { Workerd } from "../support/harness.ts"
import { agentOf, between, done, folder, refused, until } from "./support.ts"

const task = (scope: string, id: string) => ({ id, scope, file_path: id, branch: "main" })

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("an agent whose server is silent", (it) => {
  it.effect("saves its result, goes on, and hands the result in when the server answers again", () =>
    Effect.gen(function*() {
      const { base, send } = yield* Workerd
      const outbox = yield* folder
      let down = false
      const url = yield* between(base, (path) => down && path.includes("/submit"))
      const agent = yield* agentOf(url, { OCTOPOID_SCOPE: "outage", OCTOPOID_OUTBOX: outbox, OCTOPOID_LEASE: "4" })
      yield* send("POST", "/api/v1/tasks", task("outage", "one"))
      yield* done(agent, "claim_task")
      down = true
      const { says, state } = yield* done(agent, "submit_result", { notes: "It is done." })
      assert.strictEqual(state, "saved")
      assert.match(says, /saved on this machine/)
      yield* send("POST", "/api/v1/tasks", task("outage", "two"))
      const next = yield* done(agent, "claim_task")
      assert.strictEqual(next.task.task_id, "two")
      // Its lease is renewed as long as the result waits.
      const { body: held } = yield* send("GET", "/api/v1/tasks/one")
      assert.include(held, { queue: "claimed", lease_losses: 0 })
      down = false
      yield* until(
        "the result is handed in",
        Effect.map(send("GET", "/api/v1/tasks/one"), ({ body }) => body.queue === "provisional")
      )
      const { body } = yield* send("GET", "/api/v1/tasks/one")
      assert.strictEqual(body.execution_notes, "It is done.")
      yield* done(agent, "submit_result", { notes: "And this." })
      const [server] = readdirSync(outbox)
      assert.deepStrictEqual(readdirSync(join(outbox, server!, String(agent.pid))), [])
    }))

  it.effect("killed with a saved result, has the next process hand it in", () =>
    Effect.gen(function*() {
      const { base, send } = yield* Workerd
      const outbox = yield* folder
      let down = true
      const url = yield* between(base, (path) => down && path.includes("/submit"))
      const env = { OCTOPOID_SCOPE: "kill", OCTOPOID_OUTBOX: outbox }
      const first = yield* agentOf(url, env)
      yield* send("POST", "/api/v1/tasks", task("kill", "three"))
      yield* done(first, "claim_task")
      // The call does not end: the process dies while it waits for the server.
      const submitting = first.call("submit_result", { notes: "Done before the end." }).catch(() => undefined)
      const [server] = readdirSync(outbox)
      yield* until(
        "the result is saved",
        Effect.sync(() => readdirSync(join(outbox, server!, String(first.pid))).some((name) => name.endsWith(".json")))
      )
      process.kill(first.pid, "SIGKILL")
      yield* Effect.promise(() => submitting)
      yield* until("the process has ended", Effect.sync(() => first.seen.ended))
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/three")).body.queue, "claimed")
      down = false
      const second = yield* agentOf(url, env)
      yield* until(
        "the result is handed in",
        Effect.map(send("GET", "/api/v1/tasks/three"), ({ body }) => body.queue === "provisional")
      )
      const { body } = yield* send("GET", "/api/v1/tasks/three/history")
      assert.deepStrictEqual(body.history.map(({ event }: any) => event), ["created", "claimed", "submitted"])
      assert.deepStrictEqual(readdirSync(join(outbox, server!)), [String(second.pid)])
    }))

  it.effect("learns that no server answers at the address, and what to do", () =>
    Effect.gen(function*() {
      const { base, send } = yield* Workerd
      const outbox = yield* folder
      let down = false
      const url = yield* between(base, (path) => down && path.includes("/claim"))
      const agent = yield* agentOf(url, { OCTOPOID_SCOPE: "silent", OCTOPOID_OUTBOX: outbox })
      yield* done(agent, "claim_task")
      yield* send("POST", "/api/v1/tasks", task("silent", "four"))
      down = true
      const text = yield* refused(agent, "claim_task")
      assert.include(text, `The server at ${url} does not answer: `)
      assert.include(text, "Wait a minute and call again.")
      down = false
      assert.strictEqual((yield* done(agent, "claim_task")).task.task_id, "four")
    }))
})
