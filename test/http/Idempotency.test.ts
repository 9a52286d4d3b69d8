/** Every POST under an idempotency key: repeated, it has one effect and the same answer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { endpoints } from "../../src/http/Endpoints.ts"
import { table } from "../support/access.ts"
import * as Faulty from "../support/Faulty.ts"
import * as server from "../support/server.ts"

const posts = endpoints.filter(({ method }) => method === "POST").map(({ method, path }) => `${method} ${path}`)
const Secret = "a secret of the server"
const bearer = { authorization: `Bearer ${Secret}` }
const under = (key: string) => ({ ...bearer, "idempotency-key": key })
// `renew_after_seconds` depends on the time of the answer.
const shown = ({ body, status }: server.Answer) => ({ status, body: { ...body, renew_after_seconds: undefined } })

/** How many batches a request sends before the last one. */
const earlier: Record<string, number> = {
  "POST /api/v1/tasks/:id/force-queue": 1,
  "POST /api/v1/drafts/:id/promote": 1,
  "POST /api/v1/tasks/bulk": 3,
  "POST /api/v1/webhooks/:id/test": 1
}

/** A server with a secret, the request of an endpoint's row, and the whole database. */
const asked = Effect.fnUntraced(function*(name: string) {
  const faulty = Faulty.make()
  const { send } = yield* server.make({ API_SECRET_KEY: Secret }, faulty.open)
  const admin = (method: string, path: string, body?: unknown) =>
    Effect.map(send(method, path, body, bearer), ({ body }) => body)
  // Every scope has a key, as on a server that is in use.
  yield* admin("POST", "/api/v1/scopes/red/keys")
  const question = table[name]!.ask("red", admin)
  const [path, body] = Effect.isEffect(question) ? yield* question : question
  const ask = (headers: Record<string, string>, changed: unknown = body) => send("POST", path, changed, headers)
  return { ...faulty, ask, body, path, send, everything: () => Faulty.everything(faulty.raw) }
})

describe("every POST", () => {
  it("is tested here", () => {
    assert.isAtLeast(posts.length, 19)
    assert.includeMembers(Object.keys(table), posts)
  })

  it.effect.each(posts)(
    "%s: repeated under its key it has one effect and the same answer",
    (name) =>
      Effect.gen(function*() {
        const { ask, everything } = yield* asked(name)
        const first = yield* ask(under("k"))
        assert.strictEqual(first.status, table[name]!.success, JSON.stringify(first.body))
        assert.isNull(first.headers.get("idempotent-replayed"))
        const after = everything()
        assert.lengthOf(after.idempotency_keys!, 1)
        yield* TestClock.adjust("5 seconds")
        const second = yield* ask(under("k"))
        assert.deepStrictEqual(shown(second), shown(first))
        assert.strictEqual(second.headers.get("idempotent-replayed"), "true")
        assert.deepStrictEqual(everything(), after)
      })
  )

  it.effect.each(posts)("%s: another body under the key is refused", (name) =>
    Effect.gen(function*() {
      const { ask, body, everything } = yield* asked(name)
      yield* ask(under("k"))
      const after = everything()
      const changed = body === undefined ? {} : { ...body as object, unknown_to_the_server: 1 }
      const refused = yield* ask(under("k"), changed)
      assert.strictEqual(refused.status, 422, JSON.stringify(refused.body))
      assert.strictEqual(refused.body._tag, "IdempotencyKeyReused")
      assert.isNull(refused.headers.get("idempotent-replayed"))
      assert.deepStrictEqual(everything(), after)
    }))

  it.effect.each(posts)("%s: two at once have one effect and one answer", (name) =>
    Effect.gen(function*() {
      const { ask, everything } = yield* asked(name)
      const [one, two] = yield* Effect.all([ask(under("k")), ask(under("k"))], { concurrency: 2 })
      assert.deepStrictEqual(shown(one), shown(two))
      assert.strictEqual(one.status, table[name]!.success)
      const replayed = [one, two].filter(({ headers }) => headers.get("idempotent-replayed") === "true")
      assert.lengthOf(replayed, 1)
      assert.lengthOf(everything().idempotency_keys!, 1)
    }))

  it.effect.each(posts)(
    "%s: a repetition gets a lost answer, and has the effect of a lost request",
    (name) =>
      Effect.gen(function*() {
        const { ask, everything, faults } = yield* asked(name)
        faults.push("lost request")
        assert.strictEqual((yield* ask(under("k"))).status, 503)
        assert.lengthOf(everything().idempotency_keys!, 0)
        // The batch with the effect is the last one of a request, and these have others before that.
        for (let n = 0; n < (earlier[name] ?? 0); n++) faults.push(undefined)
        faults.push("lost answer")
        assert.strictEqual((yield* ask(under("k"))).status, 503)
        const after = everything()
        assert.lengthOf(after.idempotency_keys!, 1)
        yield* TestClock.adjust("5 seconds")
        const again = yield* ask(under("k"))
        assert.strictEqual(again.status, table[name]!.success, JSON.stringify(again.body))
        assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
        assert.deepStrictEqual(everything(), after)
      })
  )

  it.effect.each(posts)("%s: an invalid key is refused without any effect", (name) =>
    Effect.gen(function*() {
      const { ask, everything } = yield* asked(name)
      const before = everything()
      for (const key of ["", "k".repeat(256), "schlüssel"]) {
        const refused = yield* ask(under(key))
        assert.strictEqual(refused.status, 400, key)
        assert.strictEqual(refused.body._tag, "InvalidRequest")
        assert.deepStrictEqual(refused.body.issues[0].path, ["headers", "Idempotency-Key"])
      }
      assert.deepStrictEqual(everything(), before)
    }))
})

const task = (id: string, rest: object = {}) => ({ id, file_path: id, branch: "b", ...rest })

describe("a key", () => {
  const setup = Effect.gen(function*() {
    const faulty = Faulty.make()
    const { send } = yield* server.make({ API_SECRET_KEY: Secret }, faulty.open)
    const keyOf = (scope: string) =>
      Effect.map(send("POST", `/api/v1/scopes/${scope}/keys`, undefined, bearer), ({ body }) => String(body.api_key))
    const post = (path: string, body?: unknown, key = "k", token = Secret) =>
      send("POST", path, body, { authorization: `Bearer ${token}`, "idempotency-key": key })
    return { ...faulty, send, post, keyOf }
  })

  it.effect("belongs to its caller and the scope of the request", () =>
    Effect.gen(function*() {
      const { keyOf, post } = yield* setup
      const [red, blue] = [yield* keyOf("red"), yield* keyOf("blue")]
      const draft = { title: "t", author: "a" }
      const ids: Array<number> = []
      for (const token of [red, blue]) ids.push((yield* post("/api/v1/drafts", draft, "k", token)).body.id)
      for (const scope of ["red", "blue"]) ids.push((yield* post(`/api/v1/drafts?scope=${scope}`, draft)).body.id)
      ids.push((yield* post("/api/v1/drafts", { ...draft, scope: "green" })).body.id)
      assert.strictEqual(new Set(ids).size, 5)
      // Another key of the same scope is another caller.
      const other = yield* keyOf("red")
      const theirs = yield* post("/api/v1/drafts", { ...draft, title: "theirs" }, "k", other)
      assert.strictEqual(theirs.status, 201)
      assert.notInclude(ids, theirs.body.id)
      for (const [token, title, id] of [[red, "t", ids[0]], [other, "theirs", theirs.body.id]]) {
        const again = yield* post("/api/v1/drafts", { ...draft, title }, "k", token)
        assert.deepStrictEqual([again.body.id, again.headers.get("idempotent-replayed")], [id, "true"])
      }
      const issued = [
        yield* post("/api/v1/scopes/red/keys", undefined, "issue"),
        yield* post("/api/v1/scopes/blue/keys", undefined, "issue")
      ]
      assert.deepStrictEqual(issued.map(({ body, status }) => [status, body.scope]), [[201, "red"], [201, "blue"]])
    }))

  it.effect("two API keys of a scope that rotate under the same key each get their own successor", () =>
    Effect.gen(function*() {
      const { keyOf, post, send } = yield* setup
      const old = [yield* keyOf("red"), yield* keyOf("red")]
      const rotate = (token: string) => post("/api/v1/orchestrators/scopes/red/rotate-key", undefined, "k", token)
      const successors = yield* Effect.forEach(old, rotate)
      const newKeys = successors.map(({ body }) => String(body.api_key))
      assert.strictEqual(new Set([...old, ...newKeys]).size, 4)
      // An answer that was lost is got with the old key, as long as that works.
      assert.deepStrictEqual((yield* Effect.forEach(old, rotate)).map(({ body }) => String(body.api_key)), newKeys)
      for (const token of newKeys) {
        const listed = yield* send("GET", "/api/v1/tasks", undefined, { authorization: `Bearer ${token}` })
        assert.strictEqual(listed.status, 200)
      }
      // The successor is another caller: what its predecessor sent under a key is sent afresh under the successor.
      const draft = { title: "t", author: "a" }
      const [before, after] = [old[0]!, newKeys[0]!]
      const first = yield* post("/api/v1/drafts", draft, "d", before)
      assert.strictEqual((yield* post("/api/v1/drafts", draft, "d", before)).body.id, first.body.id)
      assert.notStrictEqual((yield* post("/api/v1/drafts", draft, "d", after)).body.id, first.body.id)
    }))

  it.effect("belongs to one path and query as well", () =>
    Effect.gen(function*() {
      const { keyOf, post } = yield* setup
      const red = yield* keyOf("red")
      yield* post("/api/v1/drafts", { title: "t", author: "a" }, "k", red)
      for (const path of ["/api/v1/drafts?scope=red", "/api/v1/messages"]) {
        const body = { title: "t", author: "a", task_id: "t", from_actor: "a", type: "comment", content: "c" }
        const other = yield* post(path, path === "/api/v1/messages" ? body : { title: "t", author: "a" }, "k", red)
        assert.strictEqual(other.status, 422, path)
      }
    }))

  it.effect("is forgotten after 24 hours", () =>
    Effect.gen(function*() {
      const { post, raw } = yield* setup
      const draft = { title: "t", author: "a" }
      const first = yield* post("/api/v1/drafts", draft)
      yield* TestClock.adjust("1439 minutes")
      assert.strictEqual((yield* post("/api/v1/drafts", draft)).body.id, first.body.id)
      yield* TestClock.adjust("1 minute")
      const fresh = yield* post("/api/v1/drafts", draft)
      assert.notStrictEqual(fresh.body.id, first.body.id)
      assert.isNull(fresh.headers.get("idempotent-replayed"))
      assert.strictEqual((yield* post("/api/v1/drafts", draft)).body.id, fresh.body.id)
      assert.lengthOf(Faulty.everything(raw).idempotency_keys!, 1)
    }))

  it.effect("keeps no refusal: a refused request is tried again", () =>
    Effect.gen(function*() {
      const { post, send } = yield* setup
      const submit = () => post("/api/v1/tasks/a/submit", { commits_count: 1, turns_used: 1 })
      assert.strictEqual((yield* submit()).status, 404)
      yield* post("/api/v1/tasks", task("a", { queue: "claimed" }), "create")
      assert.strictEqual((yield* submit()).body.queue, "provisional")
      yield* send("DELETE", "/api/v1/tasks/a", undefined, bearer)
      // The answer is the same, although there is no such task any more.
      assert.strictEqual((yield* submit()).body.queue, "provisional")
      assert.strictEqual((yield* post("/api/v1/tasks/a/accept", { accepted_by: "x" })).status, 422)
    }))

  it.effect("a repeated create is distinguished from a new task with the same id", () =>
    Effect.gen(function*() {
      const { post, send } = yield* setup
      const first = yield* post("/api/v1/tasks", task("a", { blocked_by: "x,y", external_key: "e" }))
      assert.strictEqual(first.body.blocked_by, "x,y")
      yield* post("/api/v1/tasks/a/fail", { reason: "r" }, "f")
      const again = yield* post("/api/v1/tasks", task("a", { blocked_by: "x,y", external_key: "e" }))
      assert.deepStrictEqual(shown(again), shown(first))
      const taken = yield* post("/api/v1/tasks", task("a"), "another")
      assert.strictEqual(taken.status, 409)
      const done = yield* post("/api/v1/tasks", task("d", { queue: "done" }), "done")
      assert.deepStrictEqual(shown(yield* post("/api/v1/tasks", task("d", { queue: "done" }), "done")), shown(done))
      // A blocker that is done keeps its key's answer for those that wait as well.
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/d/history", undefined, bearer)).body.total, 1)
    }))

  it.effect("text that looks like JSON, or like its end, is answered unchanged", () =>
    Effect.gen(function*() {
      const { post } = yield* setup
      const odd = task("odd", {
        title: "}}\"}",
        content: "{\"a\": [1, \"}\"]}\n\u0001😀",
        complexity: "}",
        type: "}",
        hooks: [{ name: "h", point: "p" }],
        metadata: { deep: [{ "}": "}" }], n: 1.5, no: null }
      })
      const first = yield* post("/api/v1/tasks", odd)
      assert.strictEqual(first.status, 201)
      assert.deepStrictEqual(shown(yield* post("/api/v1/tasks", odd)), shown(first))
    }))

  it.effect("an answer from before a deployment with new columns is still valid", () =>
    Effect.gen(function*() {
      const { post, raw } = yield* setup
      const first = yield* post("/api/v1/tasks", task("a"))
      raw.exec(`UPDATE idempotency_keys SET answer = json_remove(answer, '$[0].cancel_reason', '$[0].checkpoint')`)
      assert.deepStrictEqual(shown(yield* post("/api/v1/tasks", task("a"))), shown(first))
    }))

  it.effect("a secret is answered again, although the database never holds it", () =>
    Effect.gen(function*() {
      const { post, raw, send } = yield* setup
      const machine = { cluster: "k", machine_id: "m", scope: "red" }
      const registered = yield* post("/api/v1/orchestrators/register", machine, "r")
      const issued = yield* post("/api/v1/scopes/red/keys", { name: "n" }, "i")
      const path = "/api/v1/orchestrators/scopes/red/rotate-key"
      const rotated = yield* post(path, {}, "k", issued.body.api_key)
      const secrets = [registered, issued, rotated].map(({ body }) => String(body.api_key))
      assert.strictEqual(new Set(secrets).size, 3)
      const dump = JSON.stringify(Faulty.everything(raw))
      for (const secret of secrets) {
        assert.match(secret, /^oct_[0-9a-f]{64}$/)
        assert.notInclude(dump, secret.slice(12))
        const { status } = yield* send("GET", "/api/v1/tasks", undefined, { authorization: `Bearer ${secret}` })
        assert.strictEqual(status, 200)
      }
      assert.deepStrictEqual(shown(yield* post("/api/v1/orchestrators/register", machine, "r")), shown(registered))
      assert.deepStrictEqual(shown(yield* post("/api/v1/scopes/red/keys", { name: "n" }, "i")), shown(issued))
      assert.deepStrictEqual(shown(yield* post(path, {}, "k", issued.body.api_key)), shown(rotated))
      // The new key is another caller, whose own successor this would be.
      const next = yield* post(path, {}, "k", rotated.body.api_key)
      assert.notInclude(secrets, next.body.api_key)
      // The same key with another salt is another secret.
      const other = yield* post("/api/v1/scopes/blue/keys", { name: "n" }, "i")
      assert.notStrictEqual(other.body.api_key, issued.body.api_key)
    }))

  it.effect("a repeated registration of a known machine gets the same answer", () =>
    Effect.gen(function*() {
      const { post } = yield* setup
      const machine = { cluster: "k", machine_id: "m", scope: "red" }
      const path = "/api/v1/orchestrators/register"
      const first = yield* post(path, machine, "1")
      assert.deepStrictEqual([first.status, typeof first.body.api_key], [201, "string"])
      yield* TestClock.adjust("1 minute")
      const known = yield* post(path, machine, "2")
      assert.deepStrictEqual([known.status, known.body.known, known.body.api_key], [200, true, undefined])
      assert.deepStrictEqual(shown(yield* post(path, machine, "2")), shown(known))
      assert.deepStrictEqual(shown(yield* post(path, machine, "1")), shown(first))
      // A refused request has no answer to keep.
      const taken = { cluster: "k-x", machine_id: "y", scope: "red" }
      yield* post(path, taken, "3")
      const same = { cluster: "k", machine_id: "x-y", scope: "red" }
      for (let i = 0; i < 2; i++) assert.strictEqual((yield* post(path, same, "4")).status, 409)
    }))

  it.effect("an import reports the same again, conflicts and all", () =>
    Effect.gen(function*() {
      const { post } = yield* setup
      const at = "2026-01-01T00:00:00.000Z"
      const imported = (id: string, rest: object = {}) => ({
        ...task(id),
        title: id,
        queue: "incoming",
        priority: "P1",
        created_at: at,
        updated_at: at,
        ...rest
      })
      yield* post("/api/v1/tasks", task("elsewhere", { scope: "blue" }), "other")
      const records = {
        drafts: [{ id: 1, title: "t", status: "idea", author: "a", created_at: at }, { id: 1, created_at: at }, {}],
        projects: [{ id: "p", title: "p", status: "active", branch: "b", created_at: at }],
        tasks: [imported("a"), imported("a"), imported("elsewhere"), imported("b", { project_id: "p" }), {}]
      }
      const path = "/api/v1/scopes/red/import"
      const rehearsed = yield* post(path, { ...records, dry_run: true }, "dry")
      const first = yield* post(path, records)
      assert.strictEqual(first.status, 200)
      assert.include(first.body.imported, { tasks: 2, projects: 1 })
      assert.isAtLeast(first.body.conflicts.length, 3)
      const again = yield* post(path, records)
      assert.deepStrictEqual(shown(again), shown(first))
      assert.deepStrictEqual(shown(yield* post(path, { ...records, dry_run: true }, "dry")), shown(rehearsed))
      // Without a key it is another import, which finds everything there.
      assert.strictEqual((yield* post(path, records, "later")).body.imported.tasks, 0)
    }))

  it.effect("an action is answered as it was then, even if it has expired since", () =>
    Effect.gen(function*() {
      const { post } = yield* setup
      yield* TestClock.setTime(Date.parse("2026-01-01T00:00:00Z"))
      const action = {
        entity_type: "task",
        entity_id: "t",
        action_type: "archive",
        label: "l",
        proposed_by: "a",
        expires_at: "2026-01-01T00:01:00Z"
      }
      const first = yield* post("/api/v1/actions", action)
      assert.strictEqual(first.body.status, "proposed")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(shown(yield* post("/api/v1/actions", action)), shown(first))
    }))

  it.effect("may be sent by a page in a browser", () =>
    Effect.gen(function*() {
      const { send } = yield* setup
      const preflight = yield* send("OPTIONS", "/api/v1/tasks", undefined, {
        origin: "http://localhost:5173",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,idempotency-key"
      })
      assert.include(preflight.headers.get("access-control-allow-headers"), "idempotency-key")
      const exposed = (yield* send("GET", "/api/health")).headers.get("access-control-expose-headers")
      assert.include(exposed, "Idempotent-Replayed")
    }))

  it.effect("has no effect on methods other than POST", () =>
    Effect.gen(function*() {
      const { raw, send } = yield* setup
      const listed = yield* send("GET", "/api/v1/tasks", undefined, under(""))
      assert.strictEqual(listed.status, 200)
      assert.lengthOf(Faulty.everything(raw).idempotency_keys!, 0)
    }))
})
