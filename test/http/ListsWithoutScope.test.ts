/** The lists of orchestrators, projects and drafts without a scope: they show all that the caller may see, as on the old server. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const scopes = ["red", "blue", "green"] as const

const lists = {
  orchestrators: (scope: string, name: string) =>
    ["/api/v1/orchestrators/register", { scope, cluster: "k", machine_id: name }] as const,
  projects: (scope: string, name: string) =>
    ["/api/v1/projects", { scope, id: `${scope}-${name}`, title: name, branch: "b" }] as const,
  drafts: (scope: string, name: string) => ["/api/v1/drafts", { scope, title: name, author: "ann" }] as const
}
type Kind = keyof typeof lists
const kinds = Object.keys(lists) as ReadonlyArray<Kind>

/** Two records of the kind in each scope. The machines of the scopes have the same ids. */
const filled = Effect.fnUntraced(function*(kind: Kind, config: Record<string, string>) {
  const { send } = yield* server.make(config)
  const admin = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    send(method, path, body, { ...(config.API_SECRET_KEY === undefined ? {} : bearer(Secret)), ...headers })
  for (const scope of scopes) {
    for (const name of ["a", "b"]) {
      const [path, body] = lists[kind](scope, name)
      const made = yield* admin("POST", path, body)
      assert.strictEqual(made.status, 201, JSON.stringify(made.body))
    }
  }
  return { send, admin }
})

const scopesOf = (kind: Kind, body: any): ReadonlyArray<string> =>
  body[kind].map(({ scope }: { readonly scope: string }) => scope).toSorted()

const everyScope = ["blue", "blue", "green", "green", "red", "red"]

describe.each(kinds)("a list of %s without a scope", (kind) => {
  const path = `/api/v1/${kind}`

  it.effect.each(["false", "true"])(
    "shows every scope of an open server, with REQUIRE_SCOPE=%s",
    (REQUIRE_SCOPE) =>
      Effect.gen(function*() {
        const { send } = yield* filled(kind, { REQUIRE_SCOPE })
        const { body, status } = yield* send("GET", path)
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(scopesOf(kind, body), everyScope)
        assert.strictEqual(body.total, 6)
        const one = yield* send("GET", `${path}?scope=red`)
        assert.deepStrictEqual([scopesOf(kind, one.body), one.body.total], [["red", "red"], 2])
      })
  )

  it.effect.each(["false", "true"])(
    "shows the administrator every scope and a key its own, with REQUIRE_SCOPE=%s",
    (REQUIRE_SCOPE) =>
      Effect.gen(function*() {
        const { admin, send } = yield* filled(kind, { REQUIRE_SCOPE, API_SECRET_KEY: Secret })
        const { body } = yield* admin("GET", path)
        assert.deepStrictEqual([scopesOf(kind, body), body.total], [everyScope, 6])
        const { api_key } = (yield* admin("POST", "/api/v1/scopes/blue/keys")).body
        const own = yield* send("GET", path, undefined, bearer(api_key))
        assert.deepStrictEqual([scopesOf(kind, own.body), own.body.total], [["blue", "blue"], 2])
        assert.strictEqual((yield* send("GET", path)).status, 401)
      })
  )

  it.effect("is read page by page, each record once", () =>
    Effect.gen(function*() {
      const { send } = yield* filled(kind, {})
      const seen: Array<string> = []
      let next = "first"
      for (let page = 0; page < 3; page++) {
        const { body } = yield* send("GET", `${path}?limit=2&cursor=${next}`)
        assert.strictEqual(body[kind].length, 2)
        assert.strictEqual(body.total, 6)
        seen.push(
          ...body[kind].map(({ id, scope }: { readonly id: string; readonly scope: string }) => `${scope} ${id}`)
        )
        next = body.next_cursor
      }
      assert.isNull(next)
      assert.strictEqual(new Set(seen).size, 6)
    }))

  it.effect("is a 304 until a record of any scope changes", () =>
    Effect.gen(function*() {
      const { send } = yield* filled(kind, {})
      let tag = ""
      const changed = Effect.gen(function*() {
        const answer = yield* send("GET", path, undefined, { "if-none-match": tag })
        tag = answer.headers.get("etag") ?? tag
        return answer.status === 200
      })
      assert.isTrue(yield* changed)
      assert.isFalse(yield* changed)
      for (const scope of scopes) {
        const [create, body] = lists[kind](scope, "c")
        yield* send("POST", create, body)
        assert.isTrue(yield* changed)
        assert.isFalse(yield* changed)
      }
    }))
})

describe("a list of projects or drafts without a scope", () => {
  it.effect.each(["projects?status=draft", "drafts?author=ann"])(
    "is narrowed by its filters: %s",
    (path) =>
      Effect.gen(function*() {
        const kind = path.split("?")[0] as Kind
        const { send } = yield* filled(kind, {})
        assert.strictEqual((yield* send("GET", `/api/v1/${path}`)).body.total, 6)
        assert.strictEqual((yield* send("GET", `/api/v1/${path}-other`)).body.total, 0)
      })
  )
})
