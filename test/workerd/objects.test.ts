/** What only objects do: they wake by themselves, and let claims wait. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Socket from "effect/socket/Socket"
import { randomBytes } from "node:crypto"
import { request } from "node:http"
import type { Duplex } from "node:stream"
import * as Worker from "../../src/client/Worker.ts"
import { MaxSockets } from "../../src/objects/push/Sockets.ts"
import { start } from "../support/command.ts"
import { Workerd } from "../support/harness.ts"
import * as ObjectFiles from "../support/ObjectFiles.ts"

const Secret = "a secret of the server"
const Page = "https://app.example"
const task = (id: string, scope: string, rest: object = {}) => ({
  id,
  scope,
  file_path: `${id}.md`,
  branch: "b",
  ...rest
})
const claim = (scope: string, rest: object = {}) => ({ scope, orchestrator_id: "k-m", agent_name: "ann", ...rest })

const until = (done: () => boolean) => Effect.repeat(Effect.sleep("20 millis"), { until: () => done() })

/** The numbers of the changes that a socket got. */
const seqs = (messages: ReadonlyArray<any>) =>
  messages.filter(({ type }) => type === "events").flatMap(({ events }) => events.map(({ seq }: any) => seq))

/** The subprotocols that a page offers. */
const offered = (key: string) => ["octopoid.events.v1", `octopoid.key.${Buffer.from(key).toString("base64url")}`]

/** The status and the subprotocol with which the server answers a request for a socket. A WebSocket would not tell a refusal. The socket is closed, or kept in `held`. */
const handshake = (url: URL, headers: Record<string, string>, held?: Array<Duplex>) =>
  new Promise<readonly [number | undefined, string | undefined]>((done, fail) => {
    const upgrade = {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64")
    }
    const asked = request(url, { headers: { ...upgrade, ...headers }, agent: false }, (answer) => {
      answer.resume()
      done([answer.statusCode, answer.headers["sec-websocket-protocol"]])
    })
    asked.on("upgrade", (answer, socket) => {
      if (held === undefined) socket.destroy()
      else held.push(socket)
      done([answer.statusCode, answer.headers["sec-websocket-protocol"]])
    })
    asked.on("error", fail)
    asked.end()
  })

layer(Workerd.layerWith({ API_SECRET_KEY: Secret, CORS_ORIGINS: Page }), {
  excludeTestServices: true,
  timeout: "10 minutes"
})(
  "objects",
  (it) => {
    const asked = Effect.map(
      Workerd,
      ({ send }) => (method: string, path: string, body?: unknown) => send(method, path, body, Secret)
    )

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
        while (!(yield* events).includes("lease_expired")) {
          yield* Effect.sleep("100 millis")
        }
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
          tasks: ["w2", "w3"].map((id) =>
            task(id, "wait")
          )
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

    it.effect("a socket gets the changes of its scope from its place on, or is called when there is work", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        const { base } = yield* Workerd
        yield* ask("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m", scope: "feed" })
        yield* ask("POST", "/api/v1/tasks", task("s1", "feed"))
        const open = Effect.fnUntraced(function*(query: string, key = Secret) {
          const url = new URL(`/api/v1/events?scope=feed${query}`, base)
          url.protocol = "ws:"
          const socket = new WebSocket(url, { headers: { authorization: `Bearer ${key}` } } as any)
          const messages: Array<any> = []
          socket.addEventListener("message", ({ data }) => messages.push(data === "pong" ? data : JSON.parse(data)))
          const closed = new Promise<number>((done) => socket.addEventListener("close", ({ code }) => done(code)))
          const opened = yield* Effect.promise(() =>
            Promise.race([
              new Promise((done) => socket.addEventListener("open", () => done(true))),
              closed.then(() => false)
            ])
          )
          return { opened, socket, messages, closed }
        })
        assert.isFalse((yield* open("", "oct_wrong")).opened)
        assert.isFalse((yield* open("&types=nothing")).opened)
        const all = yield* open("&after=0")
        const work = yield* open("&feed=false")
        work.socket.send(JSON.stringify({ type: "wait", queue: "incoming" }))
        yield* until(() => seqs(all.messages).length === 1)
        // There is a task already.
        yield* until(() => work.messages.length === 1)
        yield* ask("POST", "/api/v1/tasks", task("s2", "feed"))
        yield* ask("POST", "/api/v1/tasks/claim", claim("feed"))
        yield* until(() => seqs(all.messages).length === 3)
        assert.deepStrictEqual(seqs(all.messages), [1, 2, 3])
        all.socket.send("ping")
        yield* until(() => all.messages.includes("pong"))
        all.socket.close()
        yield* Effect.promise(() => all.closed)
        yield* ask("POST", "/api/v1/tasks", task("s3", "feed"))
        const resumed = yield* open("&after=3")
        yield* until(() => seqs(resumed.messages).length === 1)
        assert.deepStrictEqual(seqs(resumed.messages), [4])
        resumed.socket.close()
        assert.deepStrictEqual(work.messages, [{ type: "work" }])
        work.socket.close()

        // A socket ends with its key.
        const { api_key, id } = (yield* ask("POST", "/api/v1/scopes/feed/keys", { rank: "read" })).body
        const keyed = yield* open("", api_key)
        assert.isTrue(keyed.opened)
        yield* ask("DELETE", `/api/v1/scopes/feed/keys/${id}`)
        assert.strictEqual(yield* Effect.promise(() => keyed.closed), 4401)
      }))

    it.effect("a worker is called when a task is ready, and claims again when its socket was cut", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        const { base } = yield* Workerd
        const claims: Array<unknown> = []
        const counting = ((input: string | URL | Request, init?: RequestInit) => {
          const { pathname } = new URL(input instanceof Request ? input.url : input)
          if (pathname.endsWith("/claim")) claims.push(JSON.parse(new TextDecoder().decode(init?.body as Uint8Array)))
          return globalThis.fetch(input, init)
        }) as typeof globalThis.fetch
        const sockets: Array<WebSocket> = []
        const worker = Worker.run({
          client: { baseUrl: base.origin, token: Secret, scope: "signal" },
          machine: { cluster: "k", machine_id: "s" },
          agentName: "ann",
          waitSeconds: 1
        }, () => Effect.succeed({ commits_count: 1, turns_used: 1 })).pipe(
          Effect.provideService(FetchHttpClient.Fetch, counting),
          Effect.provideService(Socket.WebSocketConstructor, (url, options) => {
            const socket = new WebSocket(url, options as any)
            sockets.push(socket)
            return socket as Socket.WebSocketLike
          })
        )
        const running = yield* Effect.forkChild(worker)
        const done = (id: string) =>
          Effect.repeat(Effect.andThen(Effect.sleep("50 millis"), ask("GET", `/api/v1/tasks/${id}`)), {
            until: ({ body }) => body.queue === "provisional"
          })
        yield* until(() => sockets[0]?.readyState === WebSocket.OPEN)
        yield* Effect.sleep("1500 millis")
        const before = claims.length
        yield* ask("POST", "/api/v1/tasks", task("g1", "signal"))
        yield* done("g1")
        assert.isAtMost(claims.length, before + 2)
        assert.deepInclude(claims.at(-1), { wait_seconds: 0 })
        sockets[0]!.close()
        yield* ask("POST", "/api/v1/tasks", task("g2", "signal"))
        yield* done("g2")
        yield* until(() => sockets[1]?.readyState === WebSocket.OPEN)
        yield* Fiber.interrupt(running)
        yield* until(() => sockets.every(({ readyState }) => readyState >= WebSocket.CLOSING))
      }))

    it.effect("a page opens a socket with its key as a subprotocol, unless its origin may not", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        const { base } = yield* Workerd
        assert.strictEqual((yield* ask("GET", "/api/health")).body.push, "websocket")
        yield* ask("POST", "/api/v1/tasks", task("p1", "pages"))
        const { api_key, id } = (yield* ask("POST", "/api/v1/scopes/pages/keys", { rank: "read" })).body
        const url = new URL("/api/v1/events?scope=pages&after=0", base)
        // A key of the scope and the server's secret, which has other characters than a key.
        for (const key of [api_key, Secret]) {
          const socket = new WebSocket(url, { protocols: offered(key), headers: { origin: Page } } as any)
          const messages: Array<any> = []
          socket.addEventListener("message", ({ data }) => messages.push(JSON.parse(data)))
          yield* until(() => messages.length === 1)
          assert.deepStrictEqual(seqs(messages), [1])
          assert.strictEqual(socket.protocol, "octopoid.events.v1")
          if (key === api_key) {
            yield* ask("DELETE", `/api/v1/scopes/pages/keys/${id}`)
            // The end of the connection, with its code, comes ten seconds after the server's word.
            yield* until(() => socket.readyState >= WebSocket.CLOSING)
          } else socket.close()
        }
        const answer = (protocols: ReadonlyArray<string>, origin: string, headers: Record<string, string> = {}) =>
          Effect.promise(() => handshake(url, { origin, "sec-websocket-protocol": protocols.join(", "), ...headers }))
        assert.deepStrictEqual(yield* answer(offered(Secret), Page), [101, "octopoid.events.v1"])
        // Without the name of the messages, none is answered.
        assert.deepStrictEqual(yield* answer(offered(Secret).slice(1), Page), [101, undefined])
        for (const key of [api_key, "oct_wrong", "", "two\r\nlines"]) {
          assert.deepStrictEqual(yield* answer(offered(key), Page), [401, undefined], key)
        }
        assert.deepStrictEqual(yield* answer(["octopoid.events.v1", "octopoid.key.%"], Page), [401, undefined])
        assert.deepStrictEqual(yield* answer(["octopoid.events.v1"], Page), [401, undefined])
        // `Authorization` counts more, as from clients that are no browser.
        const wrong = { authorization: "Bearer oct_wrong" }
        assert.deepStrictEqual(yield* answer(offered(Secret), Page, wrong), [401, undefined])
        assert.deepStrictEqual(yield* answer(offered(Secret), "https://evil.example"), [403, undefined])
        assert.deepStrictEqual(yield* answer(offered(Secret), base.origin), [101, "octopoid.events.v1"])
      }))

    it.effect("a request for a socket that the server refuses ends no socket of others", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        const { base } = yield* Workerd
        yield* ask("POST", "/api/v1/tasks", task("l1", "long"))
        const url = new URL("/api/v1/events?scope=long&after=0", base)
        const socket = new WebSocket(url, { headers: { authorization: `Bearer ${Secret}` } } as any)
        const messages: Array<any> = []
        socket.addEventListener("message", ({ data }) => messages.push(JSON.parse(data)))
        yield* until(() => messages.length === 1)
        const status = (query: string) =>
          Effect.promise(async () =>
            (await handshake(new URL(`${url}&${query}`), { authorization: `Bearer ${Secret}` }))[0]
          )
        const long = "x".repeat(17_000)
        assert.strictEqual(yield* status("feed=no"), 400)
        assert.strictEqual(yield* status(`types=${Array.from({ length: 2000 }, () => "created").join(",")}`), 400)
        assert.strictEqual(yield* status(`unknown=${long.slice(0, 10_000)}`), 101, "only what a page knows is kept")
        yield* ask("POST", "/api/v1/tasks", task("l2", "long"))
        yield* until(() => messages.length === 2)
        assert.deepStrictEqual(seqs(messages), [1, 2])
        socket.close()
      }))

    it.effect("a scope has 500 sockets, also if more are opened in one moment", () =>
      Effect.gen(function*() {
        const { base } = yield* Workerd
        const ask = yield* asked
        yield* ask("POST", "/api/v1/tasks", task("many", "many"))
        const url = new URL("/api/v1/events?scope=many", base)
        const headers = { authorization: `Bearer ${Secret}` }
        const held: Array<Duplex> = []
        const opened = yield* Effect.promise(() =>
          Promise.all(Array.from({ length: MaxSockets + 20 }, () => handshake(url, headers, held)))
        )
        const statuses = Object.groupBy(opened, ([status]) => String(status))
        assert.deepStrictEqual([statuses["101"]?.length, statuses["429"]?.length], [MaxSockets, 20])
        // Those that only wait for work are counted by themselves.
        const waits = new URL("/api/v1/events?scope=many&feed=false", base)
        assert.strictEqual((yield* Effect.promise(() => handshake(waits, headers)))[0], 101)
        for (const socket of held) socket.destroy()
        while ((yield* Effect.promise(() => handshake(url, headers)))[0] !== 101) yield* Effect.sleep("50 millis")
      }))

    it.effect("the command watch shows a change that it is told of, without looking", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        const { base } = yield* Workerd
        yield* ask("POST", "/api/v1/tasks", task("seen", "watched"))
        const env = { OCTOPOID_URL: base.origin, OCTOPOID_API_KEY: Secret, OCTOPOID_SCOPE: "watched" }
        const child = yield* Effect.promise(() =>
          // The Node of the tests has WebSockets, which an older one lacks.
          start(["watch", "--json", "--every", "3600", "--after", "0"], { env }, process.execPath)
        )
        let shown = ""
        child.stdout!.on("data", (chunk) => shown += String(chunk))
        yield* until(() => shown.includes("seen"))
        yield* ask("POST", "/api/v1/tasks", task("told", "watched"))
        yield* until(() => shown.includes("told"))
        const ended = new Promise<number | null>((done) => child.on("close", done))
        child.kill("SIGINT")
        assert.strictEqual(yield* Effect.promise(() => ended), 130)
        assert.deepStrictEqual(shown.trimEnd().split("\n").map((line) => JSON.parse(line).seq), [1, 2])
      }))

    it.effect("a refused request leaves a page of 4 KB of a new object, and the object works on", () =>
      Effect.gen(function*() {
        const ask = yield* asked
        const { duties, storage } = yield* Workerd
        const before = ObjectFiles.sizes(storage)
        const created = () => [...ObjectFiles.sizes(storage)].filter(([name]) => !before.has(name))
        assert.strictEqual((yield* ask("POST", "/api/v1/tasks", { scope: "refused" })).status, 400)
        assert.isAbove(created().reduce((sum, [, size]) => sum + size, 0), 100_000)
        yield* duties("refused")
        assert.isBelow(created().reduce((sum, [, size]) => sum + size, 0), 5000)
        assert.strictEqual((yield* ask("POST", "/api/v1/tasks", task("r", "refused"))).status, 201)
        yield* duties("refused")
        assert.strictEqual((yield* ask("GET", "/api/v1/tasks/r?scope=refused")).status, 200)
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
