/** The typed client and answers that the server did not give, or not whole: they settle nothing, and what may be repeated is. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as TestClock from "effect/testing/TestClock"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as client from "../../src/client.ts"
import { names, type Page, pages } from "../support/OnTheWay.ts"
import * as server from "../support/server.ts"

const query = {}
const id = client.TaskId.make("a")
const machine = client.OrchestratorId.make("k-m")

const connect = (options: Partial<client.Options> = {}) =>
  client.make({ baseUrl: "http://server", ...options }).pipe(Effect.provide(FetchHttpClient.layer))

/** A server with a task and a machine, whose answers to a path are replaced, so many of them. */
const start = Effect.fnUntraced(function*(replace: Page, path: string, times: number) {
  const { fetch, send } = yield* server.make()
  yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })
  yield* send("POST", "/api/v1/tasks", { id, file_path: "a.md", branch: "main" })
  const keys: Array<string | null> = []
  const replacing = (async (input: string | URL | Request, init?: RequestInit) => {
    const answer = await fetch(input, init)
    if (!String(input).includes(path)) return answer
    keys.push(new Headers(init?.headers).get("idempotency-key"))
    return keys.length > times ? answer : replace({ status: answer.status, text: await answer.text() })
  }) as typeof globalThis.fetch
  return { keys, send, connect, through: Effect.provideService(FetchHttpClient.Fetch, replacing) }
})

const claim = (api: client.Client) =>
  api.tasks.claim({ query, payload: { orchestrator_id: machine, agent_name: "ann" } })

describe("something between the typed client and the server", () => {
  it.live.each(names)("answers a claim with %s: the claim is repeated under its key", (name) =>
    Effect.gen(function*() {
      const { connect, keys, through } = yield* start(pages[name]!, "/claim", 1)
      const task = yield* through(claim(yield* connect()))
      assert.strictEqual(task.id, id)
      assert.strictEqual(task.fencing_token, 1)
      assert.strictEqual(keys.length, 2)
      assert.strictEqual(keys[0], keys[1])
      assert.isNotNull(keys[0])
    }))

  it.live.each(names)(
    "answers everything with %s: the call fails with one class that describes the answer",
    (name) =>
      Effect.gen(function*() {
        const { connect, keys, through } = yield* start(pages[name]!, "/api/v1", Infinity)
        const api = yield* connect({ retries: 0 })
        const errors = [
          yield* Effect.flip(through(api.tasks.get({ query, params: { id } }))),
          yield* Effect.flip(through(claim(api))),
          yield* Effect.flip(through(api.tasks.patch({ query, params: { id }, payload: { title: "other" } })))
        ]
        for (const error of errors) {
          assert.instanceOf(error, client.NoUsableAnswer)
          assert.isAbove((error as client.NoUsableAnswer).status!, 199)
          assert.match(
            error.message,
            /^The answer to (GET|POST|PATCH) \/api\/v1\/tasks\/\w+ is not one of the server: \d{3} /
          )
          assert.isBelow(error.message.length, 500)
        }
        assert.strictEqual(keys.length, 3)
      })
  )

  it.live("does not make the client repeat a change without a key", () =>
    Effect.gen(function*() {
      const { connect, keys, through } = yield* start(pages["a bad gateway"]!, "/tasks/a", Infinity)
      const api = yield* connect()
      yield* Effect.flip(through(api.tasks.patch({ query, params: { id }, payload: { title: "other" } })))
      assert.strictEqual(keys.length, 1)
    }))

  it.effect.each(
    [
      ["0", 0],
      ["7", 7],
      ["2.5", 2.5],
      ["86400", 60],
      ["Thu, 01 Jan 2026 00:00:09 GMT", 9],
      ["Thu, 01 Jan 2099 00:00:00 GMT", 60],
      ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
      ["soon", 0],
      ["-5", 0]
    ] as const
  )("says Retry-After: %s, and the next try waits %d s, at most a minute", ([said, seconds]) =>
    Effect.gen(function*() {
      const { connect, keys, through } = yield* start(
        () =>
          new Response("soon", {
            status: 503,
            headers: { "date": "Thu, 01 Jan 2026 00:00:00 GMT", "retry-after": said }
          }),
        "/tasks/a",
        1
      )
      const api = yield* connect()
      const began = yield* Clock.currentTimeMillis
      const fiber = yield* Effect.forkChild(through(api.tasks.get({ query, params: { id } })))
      while (keys.length < 2) {
        yield* Effect.promise(() => new Promise((done) => setImmediate(done)))
        if (keys.length === 1) yield* TestClock.adjust("100 millis")
      }
      const waited = (yield* Clock.currentTimeMillis) - began
      assert.isAtLeast(waited, seconds * 1000)
      assert.isAtMost(waited, seconds * 1000 + 1000)
      assert.strictEqual((yield* Fiber.join(fiber)).id, id)
    }))
})

/** How an answer of a task does not come whole, over a socket. */
const breaks: Readonly<Record<string, (response: ServerResponse, body: string) => void>> = {
  "breaks off in the middle": (response, body) => {
    response.writeHead(200, { "content-type": "application/json" })
    response.write(body.slice(0, 100), () => response.destroy())
  },
  "breaks off before what its length says": (response, body) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": String(body.length) })
    response.write(body.slice(0, 100), () => response.destroy())
  },
  "is longer than its length says": (response, body) => {
    response.socket!.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n${body}`
    )
  },
  "breaks off before its head": (response) => {
    response.destroy()
  },
  "never ends": (response, body) => {
    response.writeHead(200, { "content-type": "application/json" })
    response.write(body.slice(0, 100))
  },
  "never begins": () => undefined,
  "is longer than any answer": (response) => {
    response.writeHead(200, { "content-type": "application/json" })
    const chunk = Buffer.alloc(1024 * 1024, " ")
    let left = 33
    const more = () => {
      while (left-- > 0) if (!response.write(chunk)) return void response.once("drain", more)
      response.end()
    }
    more()
  }
}

describe("an answer to the typed client over a socket", () => {
  it.live.each(Object.keys(breaks))("%s: it is asked for again", (name) =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      yield* send("POST", "/api/v1/tasks", { id, file_path: "a.md", branch: "main" })
      const { body } = yield* send("GET", "/api/v1/tasks/a")
      let asked = 0
      const listener = createServer((request, response) => {
        request.resume()
        const text = JSON.stringify(body)
        if (++asked === 1) return breaks[name]!(response, text)
        response.writeHead(200, { "content-type": "application/json" }).end(text)
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => new Promise<void>((done) => listener.listen(0, "127.0.0.1", done))),
        () => Effect.promise(() => new Promise((done) => listener.close(done).closeAllConnections()))
      )
      const api = yield* client.make({
        baseUrl: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
        // A machine that does other things too may take longer than this for an answer: then it is asked for once more.
        timeout: name.startsWith("never") ? "2 seconds" : "1 minute",
        retries: 8
      }).pipe(Effect.provide(FetchHttpClient.layer))
      assert.strictEqual((yield* api.tasks.get({ query, params: { id } })).id, id)
      assert.isAtLeast(asked, 2)
    }))
})
