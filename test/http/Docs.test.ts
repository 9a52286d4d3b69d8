import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import { createHash } from "node:crypto"
import { Api } from "../../src/api/Api.ts"
import { render } from "../../src/http/docs/Page.ts"
import { curlOf, sampleOf } from "../../src/http/docs/Samples.ts"
import * as server from "../support/server.ts"

const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found)

describe("GET /docs", () => {
  it.effect("describes every endpoint in one page that loads nothing else", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { body, headers, status } = yield* send("GET", "/docs")
      assert.strictEqual(status, 200)
      assert.strictEqual(headers.get("content-type"), "text/html; charset=utf-8")
      const ids = matches(body, / id="([^"]+)"/g)
      assert.strictEqual(new Set(ids).size, ids.length)
      for (const group of Object.values(Api.groups)) {
        for (const name of Object.keys(group.endpoints)) {
          assert.include(ids, group.topLevel ? name : `${group.identifier}.${name}`)
        }
      }
      for (const link of matches(body, / href="#([^"]+)"/g)) assert.include(ids, link)
      assert.notMatch(body, /<script |<link|<img|url\(|@import|(src|href)="(https?:)?\/\//)
      assert.notInclude(/<style>([^]*)<\/style>/.exec(body)?.[1] ?? "&", "&", "a stylesheet is not HTML text")
      assert.notInclude(body, "[object Object]")
    }))

  it.effect("runs only the script of the search, which its policy names by the hash", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { body, headers } = yield* send("GET", "/docs")
      const scripts = matches(body, /<script>([^]*?)<\/script>/g)
      assert.lengthOf(scripts, 1)
      const hash = createHash("sha256").update(scripts[0]!).digest("base64")
      assert.match(
        headers.get("content-security-policy")!,
        /^default-src 'none'; script-src 'sha256-[^';]+'; img-src 'self';/
      )
      assert.include(headers.get("content-security-policy"), `'sha256-${hash}'`)
    }))

  it.effect("has samples of every endpoint that the server takes as they are", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const spec = OpenApi.fromApi(Api)
      const { body: page } = yield* send("GET", "/docs")
      const endpoints = Object.entries(spec.paths).flatMap(([path, item]) =>
        Object.entries(item).map(([method, operation]) => ({ path, method, operation: operation as never }))
      )
      assert.lengthOf(matches(page, /<code class="curl">/g), endpoints.length)
      assert.lengthOf(matches(page, /<code class="typescript">/g), endpoints.length)
      const refused: Array<string> = []
      for (const endpoint of endpoints) {
        const { body, method, path } = sampleOf(endpoint, spec.components.schemas as never)
        const answer = yield* send(method, path, body)
        if (answer.body?._tag === "InvalidRequest" || answer.status >= 500) {
          refused.push(`${method} ${path}: ${answer.status} ${answer.body?.error}`)
        }
      }
      assert.deepStrictEqual(refused, [])
    }))

  it("quotes a body for the shell", () => {
    const sample = { method: "POST", path: "/x", body: { a: "it's $HOME" } }
    assert.include(curlOf(sample, true), String.raw`-d '{"a":"it'\''s $HOME"}'`)
    assert.notInclude(curlOf(sample, true), "Authorization")
  })

  it.effect("says how to authenticate, and which endpoints need no key", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { body } = yield* send("GET", "/docs")
      const section = /<h2 id="authentication">[^]*?<\/section>/.exec(body)?.[0] ?? ""
      assert.include(section, "<code>Authorization: Bearer &lt;key&gt;</code>")
      assert.include(section, "or the server&#39;s secret for the administrator")
      const summaries = matches(body, /<summary>([^]*?)<\/summary>/g).map(String)
      const open = summaries.filter((summary) => summary.includes("<small>public</small>"))
      assert.deepStrictEqual(open.flatMap((summary) => matches(summary, /<code>([^<]+)<\/code>/g)), [
        "/",
        "/api/health"
      ])
    }))

  it.effect("shows the fields of a body that is a component, and which bodies are optional", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { body } = yield* send("GET", "/docs")
      const rotation = /id="orchestrators.rotateKey">[^]*?<h4>Responses/.exec(body)?.[0] ?? ""
      assert.include(rotation, "<h4>Body <small>may be left out</small></h4>")
      assert.include(rotation, "<code>overlap_seconds</code>")
      const creation = /id="tasks.create">[^]*?<h4>Responses/.exec(body)?.[0] ?? ""
      assert.include(creation, "<h4>Body</h4>")
    }))

  it("escapes values", () => {
    const page = render({
      openapi: "3.1.0",
      info: { title: "<b>&\"", version: "'1'", description: "`<i>` and <i>" },
      paths: {},
      components: { schemas: {}, securitySchemes: {} },
      security: [],
      tags: [{ name: "<u>" }]
    })
    assert.include(page, "&lt;b&gt;&amp;&quot; <small>&#39;1&#39;</small>")
    assert.include(page, "<code>&lt;i&gt;</code> and &lt;i&gt;")
    assert.notMatch(page, /<[bui]>/)
  })
})
