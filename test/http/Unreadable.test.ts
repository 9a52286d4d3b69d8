/** What cannot be read, or only by halves: paths as nobody spells them, bodies too deep, names with half a character. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { gzipSync } from "node:zlib"
import * as Faulty from "../support/Faulty.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const administrator = { authorization: `Bearer ${Secret}` }

describe("a path", () => {
  it.effect.each(["//[", "//a:b/", "///", "//%5b", "/api//[", "//[/api/v1/tasks"])(
    "is answered: %s",
    (path) =>
      Effect.gen(function*() {
        const { send } = yield* server.make()
        const { body, status } = yield* send("GET", path)
        assert.isBelow(status, 500)
        assert.isObject(body)
      })
  )

  it.effect("is the same with double slashes, as a base URL with a slash at the end makes them", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make({ API_SECRET_KEY: Secret })
      const listed = yield* send("GET", "//api/v1//tasks", undefined, administrator)
      assert.strictEqual(listed.status, 200)
      assert.isNotNull(listed.headers.get("server-timing"))
      const unknown = yield* send("GET", "//api/v1/nowhere", undefined, administrator)
      assert.strictEqual(
        unknown.body.message,
        "Endpoint GET /api/v1/nowhere not found. GET / lists the endpoints, and /docs describes them."
      )
      assert.strictEqual((yield* send("GET", "//api/v1/nowhere")).status, 401)
      assert.strictEqual((yield* send("GET", "//api/v1/tasks/")).status, 401)
    }))

  it.effect("has to be in lower case, except for ids", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      assert.strictEqual((yield* send("GET", "/API/V1/TASKS")).body._tag, "RouteNotFound")
      yield* send("POST", "/api/v1/tasks", { id: "Camel", file_path: "f", branch: "b" })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/Camel")).body.id, "Camel")
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/camel")).status, 404)
    }))

  it.effect("with an id that is too long is an invalid request, for any length", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      for (const length of [201, 1000, 1001, 20_000]) {
        const { body, status } = yield* send("DELETE", `/api/v1/tasks/${"x".repeat(length)}`)
        assert.strictEqual(status, 400, String(length))
        assert.strictEqual(body._tag, "InvalidRequest")
      }
    }))

  it.effect("that is not UTF-8 is an invalid request", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      for (const segment of ["%", "%zz", "%ff%fe", "%ed%a0%80", "%c0%af"]) {
        const { body, status } = yield* send("GET", `/api/v1/tasks/a${segment}`)
        assert.strictEqual(status, 400, segment)
        assert.strictEqual(body._tag, "InvalidRequest")
        assert.deepStrictEqual(body.issues.map((issue: any) => issue.path), [["path"]])
        const head = yield* send("HEAD", `/api/v1/tasks/a${segment}`)
        assert.deepStrictEqual([head.status, head.body], [400, ""])
      }
    }))

  it.effect("may contain a semicolon", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      yield* send("POST", "/api/v1/tasks", { id: "a", file_path: "a", branch: "b" })
      yield* send("POST", "/api/v1/tasks", { id: "a;b", file_path: "a;b", branch: "b" })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks;a=b")).status, 404)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a;b")).body.id, "a;b")
      assert.strictEqual((yield* send("DELETE", "/api/v1/tasks/a;c")).status, 404)
      assert.strictEqual((yield* send("DELETE", "/api/v1/tasks/a;b")).body.task_id, "a;b")
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a")).status, 200)
    }))
})

describe("a body that nests too deeply", () => {
  it.effect("is an invalid request", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      for (const depth of [200, 10_000, 100_000]) {
        for (
          const value of [`${"[".repeat(depth)}${"]".repeat(depth)}`, `${"{\"a\":".repeat(depth)}1${"}".repeat(depth)}`]
        ) {
          const task = `{"id":"t","file_path":"t","branch":"b","metadata":${value}}`
          const { body, status } = yield* send("POST", "/api/v1/tasks", task)
          assert.strictEqual(status, 400)
          assert.strictEqual(body._tag, "InvalidRequest")
          assert.strictEqual(body.issues[0].path[0], "body")
        }
      }
    }))
})

describe("the name of a machine", () => {
  it.effect("may not contain half of a surrogate pair", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const machine = { cluster: "k", machine_id: "m" }
      for (const field of ["cluster", "machine_id"] as const) {
        const half = { ...machine, [field]: "x\ud800" }
        const { body, status } = yield* send("POST", "/api/v1/orchestrators/register", half)
        assert.strictEqual(status, 400, field)
        assert.deepStrictEqual(body.issues.map((issue: any) => issue.path), [["body", field]])
      }
      const whole = yield* send("POST", "/api/v1/orchestrators/register", { ...machine, cluster: "🐙" })
      assert.strictEqual(whole.status, 201)
    }))
})

describe("a defect", () => {
  it.effect("is answered as the document says", () =>
    Effect.gen(function*() {
      const faulty = Faulty.make()
      const { send } = yield* server.make({}, faulty.open)
      faulty.faults.push(new Error("D1_ERROR: no such table: tasks: SQLITE_ERROR"))
      const { body, status } = yield* send("GET", "/api/v1/tasks")
      assert.strictEqual(status, 500)
      const { body: spec } = yield* send("GET", "/openapi.json")
      assert.sameMembers(Object.keys(body), Object.keys(spec.components.schemas.InternalErrorEncoded.properties))
    }))
})

describe("a compressed body", () => {
  it.effect.each(["gzip", "br", "deflate", "GZIP", "identity, gzip", "zstd", "x"])(
    "is refused: %s",
    (encoding) =>
      Effect.gen(function*() {
        const { fetch, send } = yield* server.make()
        const text = JSON.stringify({ id: "a", file_path: "a", branch: "b" })
        for (
          const [method, path] of [["POST", "/api/v1/tasks"], ["PATCH", "/api/v1/tasks/a"], ["PUT", "/api/v1/flows/f"]]
        ) {
          // Bytes that are compressed, and text that only claims to be.
          for (const body of [gzipSync(text), text]) {
            const response = yield* Effect.promise(() =>
              fetch(`http://server${path}`, { method: method!, headers: { "content-encoding": encoding }, body })
            )
            assert.strictEqual(response.status, 415, `${method} ${path}`)
            assert.deepStrictEqual(yield* Effect.promise(() => response.json()), {
              _tag: "EncodingNotSupported",
              error: "The server reads no compressed bodies: send the body as it is, without Content-Encoding."
            })
          }
        }
        assert.strictEqual((yield* send("GET", "/api/v1/tasks/a")).status, 404)
        assert.strictEqual(
          (yield* send("GET", "/api/v1/tasks", undefined, { "content-encoding": encoding })).status,
          200
        )
      })
  )

  it.effect("is not one encoded as identity or not at all", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      for (const [index, encoding] of ["identity", "Identity", "", "identity, identity", " "].entries()) {
        const body = { id: `a${index}`, file_path: `a${index}`, branch: "b" }
        const { status } = yield* send("POST", "/api/v1/tasks", body, { "content-encoding": encoding })
        assert.strictEqual(status, 201, encoding)
      }
    }))
})
