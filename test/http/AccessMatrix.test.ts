/** Every endpoint, called by every caller about every record: nobody sees or changes records outside of its scope. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { rankNeeded } from "../../src/api/access/Authorization.ts"
import { Api } from "../../src/api/Api.ts"
import { type Rank, ranks, reaches } from "../../src/domain/access/Rank.ts"
import { endpoints, methodsOf } from "../../src/http/Endpoints.ts"
import { table } from "../support/access.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const names = endpoints.map(({ method, path }) => `${method} ${path}`)
// Those with the name of a rank have a key of the scope red with this rank.
const callers = ["nobody", "wrong", "red", "blue", "administrator", ...ranks] as const
const isRank = (caller: string): caller is Rank => (ranks as ReadonlyArray<string>).includes(caller)
const scopes = ["red", "blue"] as const

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** The rank that a row says its endpoint needs. */
const neededBy = (name: string): Rank => table[name]?.rank ?? (name.startsWith("GET ") ? "read" : "manage")

/** The record a path is about, where it can be read. */
const recordOf = (path: string): string | undefined => {
  const record = /^\/api\/v1\/[^/]+\/[^/?]+/.exec(path)?.[0]
  return record !== undefined && methodsOf(record).includes("GET") ? record : undefined
}

describe("the access matrix", () => {
  it("has exactly one row for each endpoint", () => {
    assert.sameMembers(Object.keys(table), names)
  })

  it("has the rank that each endpoint declares", () => {
    const declared = Object.values(Api.groups).flatMap(({ endpoints }) => Object.values(endpoints)).map(rankNeeded)
    assert.deepStrictEqual(
      Object.fromEntries(names.map((name, i) => [name, declared[i]])),
      Object.fromEntries(names.map((name) => [name, neededBy(name)]))
    )
  })

  it.effect.each(names)("D1, D3, D13: %s", (name) =>
    Effect.gen(function*() {
      const row = table[name]
      assert.isDefined(row, `${name} has no row in test/support/access.ts`)
      const { send } = yield* server.make({ API_SECRET_KEY: Secret })
      const admin = (method: string, path: string, body?: unknown) =>
        Effect.map(send(method, path, body, bearer(Secret)), (answer) => {
          assert.isBelow(answer.status, 300, `${method} ${path}: ${JSON.stringify(answer.body)}`)
          return answer.body
        })
      const method = name.slice(0, name.indexOf(" "))
      for (const caller of callers) {
        for (const record of scopes) {
          // Every cell has scopes, keys and records of its own.
          const real = (scope: string) => `${scope}-${caller}-${record}`
          const keys = { red: "", blue: "" }
          for (const scope of scopes) {
            const rank = isRank(caller) && scope === "red" ? { rank: caller } : undefined
            keys[scope] = (yield* admin("POST", `/api/v1/scopes/${real(scope)}/keys`, rank)).api_key
          }
          const asked = row.ask(real(record), admin)
          const [path, plain] = Effect.isEffect(asked) ? yield* asked : asked
          const body = caller === "work" && row.held !== undefined ? { ...plain as object, ...row.held } : plain
          const home = isRank(caller) ? "red" : caller
          const tooLow = isRank(caller) && !row.open && !reaches(caller, neededBy(name))
          const headers = caller === "nobody"
            ? {}
            : caller === "wrong"
            ? bearer(`oct_${"0".repeat(64)}`)
            : bearer(home === "blue" || home === "red" ? keys[home] : Secret)
          const expected = row.open || caller === "administrator"
            ? row.success
            : caller === "nobody" || caller === "wrong"
            ? 401
            : tooLow
            ? 403
            : home === record
            ? row.key ?? row.success
            : row.denied
          const about = row.denied === 404 && expected !== row.success ? recordOf(path) : undefined
          const before = about === undefined ? undefined : yield* admin("GET", about)
          const answer = yield* send(method, path, body, headers)
          const cell = `${caller}, about a record of ${record}`
          assert.strictEqual(answer.status, expected, `${cell}: ${JSON.stringify(answer.body)}`)
          if (answer.status >= 400) assert.isString(answer.body.error, cell)
          if (tooLow) {
            const { _tag, needed, rank } = answer.body
            assert.deepStrictEqual([_tag, rank, needed], ["RankTooLow", caller, neededBy(name)], cell)
          }
          if (about !== undefined) assert.deepStrictEqual(yield* admin("GET", about), before, cell)
          // What a key answers holds nothing of the other scope.
          if (home !== record && (home === "red" || home === "blue") && !row.open && expected === 404) {
            assert.notInclude(JSON.stringify(answer.body), real(record), cell)
          }
        }
      }
    }))

  // The caller "page of another origin" may know everything. It still changes nothing that its origin may not change.
  it.effect.each(names)("a page of another origin: %s", (name) =>
    Effect.gen(function*() {
      const row = table[name]!
      const method = name.slice(0, name.indexOf(" "))
      const page = { origin: "https://evil.example" }
      const servers = [
        { config: {}, token: {}, reads: false },
        { config: { API_SECRET_KEY: Secret, CORS_ORIGINS: "https://app.example" }, token: bearer(Secret), reads: true }
      ]
      for (const { config, reads, token } of servers) {
        const { send } = yield* server.make(config)
        const admin = (method: string, path: string, body?: unknown) =>
          Effect.map(send(method, path, body, token), ({ body }) => body)
        // A rotation needs a key.
        yield* admin("POST", "/api/v1/scopes/red/keys")
        const asked = row.ask("red", admin)
        const [path, body] = Effect.isEffect(asked) ? yield* asked : asked
        // An open server has no administrator, whose secret would rotate.
        const success = name.endsWith("/rotate-key") && !("authorization" in token) ? 401 : row.success
        const refused = yield* send(method, path, body, { ...token, ...page })
        if (reads && method === "GET") assert.strictEqual(refused.status, success)
        else assert.deepStrictEqual([refused.status, refused.body._tag], [403, "OriginNotAllowed"])
        assert.isNull(refused.headers.get("access-control-allow-origin"))
        // Had the refused request had an effect, this one would meet it: the id would be taken, the task moved or gone.
        assert.strictEqual((yield* send(method, path, body, token)).status, success)
      }
    }))
})
