/** examples/agent.mjs: agents without MCP, as a process, with the Worker in workerd. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { Workerd } from "../support/harness.ts"
import { until } from "./support.ts"

/** Starts the loop with a shell command for each task. */
const loop = Effect.fnUntraced(function*(scope: string, command: string) {
  const { base } = yield* Workerd
  return yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["examples/agent.mjs", "sh", "-c", command], {
        env: { PATH: process.env.PATH, OCTOPOID_URL: String(base).replace(/\/$/, ""), OCTOPOID_SCOPE: scope },
        stdio: ["ignore", "pipe", "pipe"]
      })
      const seen = { output: "" }
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => seen.output += String(chunk))
      return { child, seen, ended: new Promise<number | null>((done) => child.once("exit", done)) }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )
})

const create = Effect.fnUntraced(function*(scope: string, id: string, rest: object = {}) {
  const { send } = yield* Workerd
  yield* send("POST", "/api/v1/tasks", { id, scope, file_path: id, branch: "main", ...rest })
})

const taskOf = (id: string) =>
  Effect.flatMap(Workerd, ({ send }) => Effect.map(send("GET", `/api/v1/tasks/${id}`), ({ body }) => body))

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("the loop without MCP", (it) => {
  it.effect("runs a command for each task, and hands in what it said", () =>
    Effect.gen(function*() {
      yield* create("loop", "good", { title: "Greet", content: "Say hello.", priority: "P0" })
      yield* create("loop", "bad", { content: "Break.", max_attempts: 1 })
      const { ended, seen } = yield* loop("loop", `read title; echo "$title by $OCTOPOID_BRANCH"; ! grep -q Break`)
      assert.strictEqual(yield* Effect.promise(() => ended), 0, seen.output)
      const good = yield* taskOf("good")
      assert.include(good, { queue: "provisional", execution_notes: "Greet by octopoid/good/1\n" })
      assert.include(yield* taskOf("bad"), { queue: "failed", attempt_count: 1 })
      assert.include(seen.output, "good is in provisional")
    }))

  it.effect("stops its command and gives the task back when it is stopped, and says so if its lease was taken", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      yield* create("stop", "stopped")
      const first = yield* loop("stop", "sleep 600")
      yield* until("it is claimed", Effect.map(taskOf("stopped"), ({ queue }) => queue === "claimed"))
      first.child.kill("SIGINT")
      assert.strictEqual(yield* Effect.promise(() => first.ended), 0, first.seen.output)
      assert.include(yield* taskOf("stopped"), { queue: "incoming", claimed_by: null, attempt_count: 0 })

      const second = yield* loop("stop", "exec sleep 600")
      yield* until("it is claimed", Effect.map(taskOf("stopped"), ({ queue }) => queue === "claimed"))
      const { claimed_by, fencing_token } = yield* taskOf("stopped")
      assert.match(claimed_by, /^loop-/)
      // The lease is taken: the next call of the loop about it is refused.
      yield* send("POST", "/api/v1/tasks/stopped/requeue", { fencing_token })
      yield* send("POST", "/api/v1/tasks/stopped/fail", { reason: "The test ends." })
      second.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => second.ended), 0, second.seen.output)
      assert.include(second.seen.output, "is over: the task has failed.")
    }))
})
