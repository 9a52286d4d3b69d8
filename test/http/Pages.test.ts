/** What a person with a browser sees: the way from `/` to the page, the documentation, an icon. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { endpoints } from "../../src/http/Endpoints.ts"
import * as server from "../support/server.ts"

// What browsers send, and what programs do.
const browsers = [
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "text/html",
  "TEXT/HTML ; q=0.9",
  "application/json;q=0.5, text/html",
  "text/html, application/json"
]
const programs = [
  undefined,
  "*/*",
  "application/json",
  "application/json, text/plain, */*",
  "text/*",
  "application/json, text/html;q=0.9",
  "text/html;q=0",
  "text/html;q=x",
  "text/htmlx",
  "application/xml, image/text/html"
]

const json = JSON.stringify({
  name: "Octopoid Server",
  version: "2.0.0",
  documentation: "/docs",
  endpoints: endpoints.map(({ method, path }) => `${method} ${path}`)
})

const get = Effect.fnUntraced(function*(path: string, headers: Record<string, string> = {}) {
  const { fetch } = yield* server.make({})
  const response = yield* Effect.promise(() => fetch(`http://server${path}`, { headers }))
  return { response, bytes: new Uint8Array(yield* Effect.promise(() => response.arrayBuffer())) }
})
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe("/", () => {
  it.effect.each(browsers)("leads a browser to the page: %s", (accept) =>
    Effect.gen(function*() {
      const { response } = yield* get("/", { accept })
      assert.strictEqual(response.status, 302)
      assert.strictEqual(response.headers.get("location"), "app/")
      assert.include(response.headers.get("vary"), "Accept")
    }))

  it.effect.each(programs)("is the usual JSON for a program: %s", (accept) =>
    Effect.gen(function*() {
      const { bytes, response } = yield* get("/", accept === undefined ? {} : { accept })
      assert.strictEqual(response.headers.get("content-type"), "application/json")
      assert.include(response.headers.get("vary"), "Accept")
      assert.strictEqual(text(bytes), json)
    }))

  it.effect("may be read by a page of this machine", () =>
    Effect.gen(function*() {
      const page = yield* get("/", { accept: "application/json", origin: "http://localhost:5173" })
      assert.strictEqual(page.response.headers.get("access-control-allow-origin"), "http://localhost:5173")
      assert.include(page.response.headers.get("vary"), "Accept")
      assert.include(page.response.headers.get("vary"), "Origin")
    }))
})

describe("what a browser requests besides", () => {
  it.effect("/docs/ leads to /docs, where the names of the index are separated", () =>
    Effect.gen(function*() {
      for (const path of ["/docs/", "/docs//"]) {
        const { response } = yield* get(path)
        assert.deepStrictEqual([response.status, response.headers.get("location")], [302, "../docs"], path)
      }
      const { bytes, response } = yield* get("/docs")
      assert.strictEqual(response.status, 200)
      assert.match(text(bytes), /Authentication<\/strong><\/a><\/p>\s*<p><strong>Tasks<\/strong><\/p>/)
      for (const path of ["/openapi.json/", "/api/health/", "/docs/x"]) {
        assert.strictEqual((yield* get(path)).response.status, 404, path)
      }
    }))

  it.effect("/favicon.ico is an icon, and the pages may show it", () =>
    Effect.gen(function*() {
      const { bytes, response } = yield* get("/favicon.ico")
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers.get("content-type"), "image/x-icon")
      assert.deepStrictEqual(bytes.slice(0, 6), Uint8Array.of(0, 0, 1, 0, 1, 0))
      assert.strictEqual(text(bytes.slice(23, 26)), "PNG")
      const policy = (yield* get("/docs", { accept: "text/html" })).response.headers.get("content-security-policy")
      assert.include(policy, "img-src 'self'")
      assert.include(policy, "default-src 'none'")
    }))
})
