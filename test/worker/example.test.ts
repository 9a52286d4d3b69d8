/** examples/worker.ts as a process of its own, against the Worker in workerd: told to stop, it leaves nothing held. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { Workerd } from "../support/harness.ts"

/** The harness is asked by calls, and the process by a socket. */
const listening = Effect.gen(function*() {
  const { harness } = yield* Workerd
  const listener = createServer(async (request, response) => {
    const body = request.method === "GET" ? undefined : await text(request)
    const answer = await harness.fetch(`http://localhost${request.url}`, {
      method: request.method ?? "GET",
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body })
    })
    response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text())
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((done) => listener.listen(0, "127.0.0.1", done))),
    () => Effect.promise(() => new Promise((done) => listener.close(done).closeAllConnections()))
  )
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
})

const example = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["examples/worker.ts"], {
        env: { ...process.env, OCTOPOID_URL: url, OCTOPOID_SCOPE: "example" },
        stdio: ["ignore", "pipe", "pipe"]
      })
      const seen = { output: "" }
      child.stdout.on("data", (chunk) => seen.output += String(chunk))
      child.stderr.on("data", (chunk) => seen.output += String(chunk))
      return { child, seen, ended: new Promise<number | null>((done) => child.once("exit", done)) }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("the example", (it) => {
  it.effect("works, and gives back what it has not finished when it is told to stop", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const { child, ended, seen } = yield* example(yield* listening)
      const started = Date.now()
      while (!/step 1 of 3[^]*step 1 of 3/.test(seen.output)) {
        if (Date.now() - started > 40_000) assert.fail(seen.output)
        yield* Effect.sleep("50 millis")
      }
      const { body: held } = yield* send("GET", "/api/v1/tasks?scope=example&queue=claimed")
      assert.strictEqual(held.total, 2)
      child.kill("SIGINT")
      assert.strictEqual(yield* Effect.promise(() => ended), 0, seen.output)
      assert.match(seen.output, /Stopped\./)
      const { body: left } = yield* send("GET", "/api/v1/tasks?scope=example")
      assert.deepStrictEqual(
        left.tasks.map((task: any) => [task.queue, task.claimed_by, task.attempt_count]),
        [["incoming", null, 0], ["incoming", null, 0], ["incoming", null, 0]]
      )
      // What was written down until then is there for whoever goes on.
      const { body: handoff } = yield* send("GET", `/api/v1/tasks/${held.tasks[0].id}/handoff`)
      assert.match(handoff.checkpoint.notes, /^step \d of 3 is done$/)
    }), 60_000)
})
