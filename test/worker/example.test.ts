/**
 * examples/worker.ts as a process, with the Worker in workerd: stopped, it leaves nothing held; killed, it loses no
 * result.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { Workerd } from "../support/harness.ts"

/** Stands between the process and the server. While `isDown` says so of a path, nothing is answered. */
const listening = Effect.fnUntraced(function*(isDown: (path: string) => boolean = () => false) {
  const { fetch } = yield* Workerd
  const listener = createServer(async (request, response) => {
    const body = request.method === "GET" ? undefined : await text(request)
    if (isDown(String(request.url))) return void response.destroy()
    const answer = await fetch(`http://localhost${request.url}`, {
      method: request.method ?? "GET",
      headers: {
        "content-type": "application/json",
        ...(request.headers["idempotency-key"] === undefined
          ? {}
          : { "idempotency-key": String(request.headers["idempotency-key"]) })
      },
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

const example = (url: string, scope: string, outbox: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, ["examples/worker.ts"], {
        env: { ...process.env, OCTOPOID_URL: url, OCTOPOID_SCOPE: scope, OCTOPOID_OUTBOX: outbox },
        stdio: ["ignore", "pipe", "pipe"]
      })
      const seen = { output: "" }
      child.stdout.on("data", (chunk) => seen.output += String(chunk))
      child.stderr.on("data", (chunk) => seen.output += String(chunk))
      return { child, seen, ended: new Promise<number | null>((done) => child.once("exit", done)) }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "outbox-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const until = Effect.fnUntraced(function*(seen: { readonly output: string }, holds: () => boolean) {
  for (let left = 1200; !holds(); left--) {
    if (left === 0) assert.fail(seen.output)
    yield* Effect.sleep("50 millis")
  }
})

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("the example", (it) => {
  it.effect("works, and releases unfinished tasks when it is stopped", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const { child, ended, seen } = yield* example(yield* listening(), "example", yield* directory)
      yield* until(seen, () => /step 1 of 3[^]*step 1 of 3/.test(seen.output))
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
      // The saved checkpoint is there for the next holder.
      const { body: handoff } = yield* send("GET", `/api/v1/tasks/${held.tasks[0].id}/handoff`)
      assert.match(handoff.checkpoint.notes, /^step \d of 3 is done$/)
    }))

  it.effect("asks a person, and goes on with the answer", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const scope = "asking"
      yield* send("POST", "/api/v1/tasks", { id: "ask", file_path: "ask", branch: "main", scope, content: "Why?" })
      const { child, ended, seen } = yield* example(yield* listening(), scope, yield* directory)
      yield* until(seen, () => / asked /.test(seen.output))
      const [, list] = /GET (\S+) has the question/.exec(seen.output)!
      assert.notInclude(seen.output, "interrupted")
      let asked: any
      for (let left = 200; asked === undefined && left > 0; left--) {
        asked = (yield* send("GET", list!)).body.messages[0]
        yield* Effect.sleep("50 millis")
      }
      const reply = { scope, task_id: "ask", from_actor: "eve", type: "comment", parent_message_id: asked.id }
      assert.strictEqual((yield* send("POST", "/api/v1/messages", { ...reply, content: "Because." })).status, 201)
      child.kill("SIGINT")
      yield* Effect.promise(() => ended)
      const next = yield* example(yield* listening(), scope, yield* directory)
      yield* until(next.seen, () => next.seen.output.includes("done, for review"))
      assert.match(next.seen.output, /eve answered: Because\./)
      next.child.kill("SIGINT")
      yield* Effect.promise(() => next.ended)
    }))

  it.effect(
    "killed between finishing and handing in, hands the result in after a restart",
    () =>
      Effect.gen(function*() {
        const { send } = yield* Workerd
        let down = true
        const url = yield* listening((path) => down && path.includes("/submit"))
        const outbox = yield* directory
        const names = ["one", "two"]
        for (const id of names) {
          yield* send("POST", "/api/v1/tasks", { id, file_path: id, branch: "main", scope: "killed" })
        }
        const queues = Effect.forEach(
          names,
          (id) => Effect.map(send("GET", `/api/v1/tasks/${id}`), ({ body }) => body.queue)
        )
        const first = yield* example(url, "killed", outbox)
        yield* until(first.seen, () => readdirSync(outbox).filter((name) => name.endsWith(".json")).length === 2)
        first.child.kill("SIGKILL")
        yield* Effect.promise(() => first.ended)
        assert.deepStrictEqual(yield* queues, ["claimed", "claimed"])

        down = false
        const second = yield* example(url, "killed", outbox)
        yield* until(second.seen, () => readdirSync(outbox).length === 0)
        assert.match(second.seen.output, /one +finished but not handed in/)
        assert.match(second.seen.output, /two +finished but not handed in/)
        assert.deepStrictEqual(yield* queues, ["provisional", "provisional"])
        for (const id of names) {
          const { body } = yield* send("GET", `/api/v1/tasks/${id}/history`)
          assert.deepStrictEqual(body.history.map((entry: any) => entry.event), ["created", "claimed", "submitted"])
        }
      })
  )
})
