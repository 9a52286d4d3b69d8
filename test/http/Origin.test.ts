/** Which web pages may call the server, and under which host names a local server answers. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { foreignOrigins, loopbackOrigins } from "../support/origins.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const bearer = { authorization: `Bearer ${Secret}` }
const Page = "https://app.example"

/** A server, and what of it a page must not reach: its tasks. */
const make = Effect.fnUntraced(function*(config: Record<string, string> = {}) {
  const made = yield* server.make(config)
  const own = config["API_SECRET_KEY"] === undefined ? {} : bearer
  let last = 0
  /** Creates a task with these headers, and says how it was answered and whether the task is there. */
  const write = Effect.fnUntraced(function*(headers: Record<string, string>, url = "http://server") {
    const id = `t${++last}`
    const response = yield* Effect.promise(() =>
      made.fetch(`${url}/api/v1/tasks`, {
        method: "POST",
        headers: { ...own, ...headers },
        body: JSON.stringify({ id, file_path: id, branch: "b" })
      })
    )
    const body = (yield* Effect.promise(() => response.json())) as { readonly _tag?: string; readonly error?: string }
    const found = (yield* Effect.promise(() =>
      made.fetch(`http://localhost/api/v1/tasks/${id}`, { headers: own })
    )).status === 200
    return { status: response.status, headers: response.headers, body, found }
  })
  return { ...made, write, own }
})

const refused = {
  status: 403,
  found: false,
  tag: "OriginNotAllowed"
}
const accepted = { status: 201, found: true, tag: undefined }
const outcome = ({ body, found, status }: {
  readonly body: { readonly _tag?: string }
  readonly found: boolean
  readonly status: number
}) => ({ status, found, tag: body._tag })

describe("an open server", () => {
  it.effect.each(foreignOrigins)(
    "refuses every request of a page of %s, and lets it read nothing",
    (origin) =>
      Effect.gen(function*() {
        const { send, write } = yield* make()
        const written = yield* write({ origin })
        assert.deepStrictEqual(outcome(written), refused)
        assert.strictEqual(
          written.body.error,
          "A web page of another origin may not call a server without API_SECRET_KEY: add the page's origin to CORS_ORIGINS."
        )
        // A form or a beacon sends a content type that needs no preflight.
        assert.deepStrictEqual(outcome(yield* write({ origin, "content-type": "text/plain" })), refused)
        for (
          const [method, path, body] of [
            ["GET", "/api/v1/tasks"],
            ["GET", "/api/health"],
            ["GET", "/"],
            ["GET", "/openapi.json"],
            ["HEAD", "/api/v1/tasks"],
            ["GET", "/api/v1/nowhere"],
            ["GET", "/api/v1/tasks/%E0%A4%A"],
            ["PROPFIND", "/api/v1/tasks"],
            ["POST", "/api/v1/scopes/default/keys", {}],
            ["POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" }],
            ["DELETE", "/api/v1/tasks/t1"],
            ["OPTIONS", "/api/v1/tasks"]
          ] as const
        ) {
          const answer = yield* send(method, path, body, { origin, "access-control-request-method": "POST" })
          assert.strictEqual(answer.status, 403, `${method} ${path}`)
          assert.isNull(answer.headers.get("access-control-allow-origin"), `${method} ${path}`)
          assert.include(answer.headers.get("vary"), "Origin")
          assert.isString(answer.headers.get("x-request-id"))
        }
      })
  )

  it.effect.each(loopbackOrigins)(
    "answers a page of %s, which the same machine serves",
    (origin) =>
      Effect.gen(function*() {
        const { send, write } = yield* make()
        const written = yield* write({ origin })
        assert.deepStrictEqual(outcome(written), accepted)
        assert.strictEqual(written.headers.get("access-control-allow-origin"), origin)
        assert.include(written.headers.get("vary"), "Origin")
        const preflight = yield* send("OPTIONS", "/api/v1/tasks", undefined, {
          origin,
          "access-control-request-method": "PATCH",
          "access-control-request-headers": "content-type"
        })
        assert.strictEqual(preflight.status, 204)
        assert.strictEqual(preflight.headers.get("access-control-allow-origin"), origin)
        assert.include(preflight.headers.get("access-control-allow-methods"), "PATCH")
      })
  )

  it.effect("answers its own pages, under any host name and behind a proxy that ends TLS", () =>
    Effect.gen(function*() {
      const { write } = yield* make()
      for (
        const [url, origin, expected] of [
          ["http://server", "http://server", accepted],
          ["http://name.workers.dev", "https://name.workers.dev", accepted],
          ["http://NAME.workers.dev", "https://name.workers.dev", accepted],
          ["http://name.workers.dev:8443", "https://name.workers.dev:8443", accepted],
          ["http://[2001:db8::1]:8787", "http://[2001:db8::1]:8787", accepted],
          ["http://server:8787", "http://server:8788", refused],
          ["http://name.workers.dev", "https://other.workers.dev", refused],
          ["http://name.workers.dev", "https://evil@name.workers.dev", refused],
          ["http://name.workers.dev", "ftp://name.workers.dev", refused]
        ] as const
      ) assert.deepStrictEqual(outcome(yield* write({ origin }, url)), expected, `${origin} at ${url}`)
      const forwarded = { origin: "https://evil.example", "x-forwarded-host": "evil.example", host: "evil.example" }
      assert.deepStrictEqual(outcome(yield* write({ ...forwarded, "x-forwarded-proto": "https" })), refused)
    }))

  it.effect("answers the origins in CORS_ORIGINS, where * names none", () =>
    Effect.gen(function*() {
      const named = yield* make({ CORS_ORIGINS: `*, ${Page} , chrome-extension://abc` })
      for (const origin of [Page, Page.toUpperCase(), "chrome-extension://abc"]) {
        const written = yield* named.write({ origin })
        assert.deepStrictEqual(outcome(written), accepted)
        assert.strictEqual(written.headers.get("access-control-allow-origin"), origin)
      }
      for (const origin of ["https://b.example", `${Page}.evil.example`, `${Page}:8443`, "http://app.example"]) {
        assert.deepStrictEqual(outcome(yield* named.write({ origin })), refused, origin)
      }
      const any = yield* make({ CORS_ORIGINS: "*" })
      assert.deepStrictEqual(outcome(yield* any.write({ origin: Page })), refused)
    }))

  it.effect("uses Sec-Fetch-Site if a browser sends no Origin, and allows following links", () =>
    Effect.gen(function*() {
      const { send, write } = yield* make()
      for (const site of ["cross-site", "same-site", "Cross-Site"]) {
        const headers = { "sec-fetch-site": site }
        assert.deepStrictEqual(outcome(yield* write(headers)), refused, site)
        assert.deepStrictEqual(outcome(yield* write({ ...headers, "sec-fetch-mode": "navigate" })), refused, site)
        assert.strictEqual((yield* send("GET", "/api/v1/tasks", undefined, headers)).status, 403, site)
        const link = { ...headers, "sec-fetch-mode": "navigate" }
        for (const path of ["/", "/docs", "/api/v1/tasks"]) {
          assert.strictEqual((yield* send("GET", path, undefined, link)).status, 200, `${site} ${path}`)
        }
      }
      for (const site of ["same-origin", "none"]) {
        assert.deepStrictEqual(outcome(yield* write({ "sec-fetch-site": site })), accepted, site)
      }
    }))

  it.effect("does not affect clients that are no browser, with any content type", () =>
    Effect.gen(function*() {
      const { write } = yield* make()
      for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
        assert.deepStrictEqual(outcome(yield* write({ "content-type": type })), accepted, type)
      }
      assert.deepStrictEqual(outcome(yield* write({ "sec-fetch-mode": "cors", "user-agent": "node" })), accepted)
    }))
})

describe("a server with a secret", () => {
  it.effect("lets every page with a key write, unless CORS_ORIGINS names origins", () =>
    Effect.gen(function*() {
      const any = yield* make({ API_SECRET_KEY: Secret })
      for (const origin of [...foreignOrigins, ...loopbackOrigins]) {
        const written = yield* any.write({ origin })
        assert.deepStrictEqual(outcome(written), accepted, origin)
        assert.strictEqual(written.headers.get("access-control-allow-origin"), "*")
      }
      assert.deepStrictEqual(outcome(yield* any.write({ "sec-fetch-site": "cross-site" })), accepted)
      assert.strictEqual((yield* any.write({ origin: Page, authorization: "" })).status, 401)
    }))

  it.effect("refuses a write of a page that CORS_ORIGINS does not name, without any effect", () =>
    Effect.gen(function*() {
      const { fetch, own, send, write } = yield* make({ API_SECRET_KEY: Secret, CORS_ORIGINS: Page })
      assert.deepStrictEqual(outcome(yield* write({ origin: Page })), accepted)
      assert.deepStrictEqual(outcome(yield* write({})), accepted)
      assert.deepStrictEqual(outcome(yield* write({ origin: "http://server" })), accepted)
      for (const origin of [...foreignOrigins, ...loopbackOrigins]) {
        const written = yield* write({ origin })
        assert.deepStrictEqual(outcome(written), refused, origin)
        assert.strictEqual(
          written.body.error,
          "A web page of this origin may not change anything on this server: add the origin to CORS_ORIGINS."
        )
      }
      assert.deepStrictEqual(outcome(yield* write({ "sec-fetch-site": "cross-site" })), refused)
      for (const method of ["PATCH", "DELETE"]) {
        const response = yield* Effect.promise(() =>
          fetch("http://server/api/v1/tasks/t1", {
            method,
            headers: { ...own, origin: "https://b.example" },
            body: JSON.stringify({ title: "changed" })
          })
        )
        assert.strictEqual(response.status, 403, method)
      }
      const { body } = yield* send("GET", "/api/v1/tasks/t1", undefined, own)
      assert.notStrictEqual(body.title, "changed")
      // The browser hides the answer from the page, as before.
      const read = yield* send("GET", "/api/v1/tasks", undefined, { ...own, origin: "https://b.example" })
      assert.deepStrictEqual([read.status, read.headers.get("access-control-allow-origin")], [200, null])
      // It does not hide the messages of a WebSocket.
      for (const [origin, status] of [["https://b.example", 403], [Page, 200], ["http://server", 200]] as const) {
        const opened = yield* send("GET", "/api/v1/events", undefined, { ...own, origin, upgrade: "websocket" })
        assert.strictEqual(opened.status, status, origin)
      }
      const preflight = yield* send("OPTIONS", "/api/v1/tasks", undefined, { origin: "https://b.example" })
      assert.deepStrictEqual([preflight.status, preflight.headers.get("access-control-allow-origin")], [204, null])
    }))
})

describe("a local server", () => {
  const hosts = [
    ["localhost:8787", true],
    ["LocalHost:8787", true],
    ["localhost.:8787", true],
    ["octopoid.localhost", true],
    ["127.0.0.1:8787", true],
    ["127.8.8.8", true],
    ["192.168.0.7:8787", true],
    ["2130706433", true],
    ["[::1]:8787", true],
    ["[::ffff:7f00:1]", true],
    ["desk.example:9000", true],
    ["DESK.example.", true],
    ["evil.example:8787", false],
    ["desk.example.evil.example", false],
    ["localhost.evil.example", false],
    ["evil-localhost", false],
    ["127.0.0.1.evil.example", false],
    ["127.0.0.1.nip.io", false],
    ["localhost@evil.example", false],
    ["xn--lcalhost-54a", false]
  ] as const

  it.effect("answers to localhost, addresses and ALLOWED_HOSTS, and to no other name", () =>
    Effect.gen(function*() {
      const { write } = yield* make({ LOCAL: "true", ALLOWED_HOSTS: "other.example, Desk.Example" })
      for (const [host, allowed] of hosts) {
        const url = new URL(`http://${host}`)
        // A page of a name that was made to resolve here is of the server's own origin, and its reads have no `Origin`.
        for (const headers of [{}, { origin: url.origin }]) {
          const written = yield* write(headers, url.origin)
          assert.strictEqual(written.status, allowed ? 201 : 403, host)
          assert.strictEqual(written.found, allowed, host)
          if (allowed) continue
          assert.deepStrictEqual(written.body, {
            _tag: "HostNotAllowed",
            error:
              "A local server does not answer under this host name: use localhost or an address, or add the name to ALLOWED_HOSTS."
          })
        }
      }
    }))

  it.effect("with a secret does the same, also for reads and preflights", () =>
    Effect.gen(function*() {
      const { fetch } = yield* make({ LOCAL: "true", API_SECRET_KEY: Secret })
      for (const method of ["GET", "HEAD", "OPTIONS", "POST"]) {
        const response = yield* Effect.promise(() =>
          fetch("http://evil.example:8787/api/v1/tasks", { method, headers: bearer })
        )
        assert.strictEqual(response.status, 403, method)
      }
    }))

  it.effect("is distinguished from a deployed server, which answers to its own name", () =>
    Effect.gen(function*() {
      const { write } = yield* make()
      for (const [host] of hosts) {
        assert.deepStrictEqual(outcome(yield* write({}, new URL(`http://${host}`).origin)), accepted, host)
      }
    }))
})
