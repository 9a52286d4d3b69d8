/** A refused POST keeps nothing under its idempotency key: repeated once its cause is gone, it is carried out. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { DatabaseSync } from "node:sqlite"
import { endpoints } from "../../src/http/Endpoints.ts"
import { table } from "../support/access.ts"
import * as Faulty from "../support/Faulty.ts"
import * as server from "../support/server.ts"

const posts = endpoints.filter(({ method }) => method === "POST").map(({ method, path }) => `${method} ${path}`)
const Secret = "a secret of the server"
const bearer = { authorization: `Bearer ${Secret}` }
const under = (key: string) => ({ ...bearer, "idempotency-key": key })

/** What requests may be about. Keys stay, since a request needs one to be let in. */
const records = [
  "tasks",
  "dependencies",
  "history",
  "orchestrators",
  "projects",
  "drafts",
  "messages",
  "actions",
  "roles",
  "flows",
  "webhooks"
]

/** Removes every record from the database; the returned function restores them. */
const empty = (raw: DatabaseSync) => {
  raw.exec("PRAGMA foreign_keys = OFF")
  const taken = records.map((name) => {
    const columns = raw.prepare(`SELECT name FROM pragma_table_xinfo('${name}') WHERE hidden = 0`).all()
    const list = columns.map((column) => column.name).join(", ")
    const rows = raw.prepare(`SELECT ${list} FROM ${name}`).all()
    raw.exec(`DELETE FROM ${name}`)
    return { insert: `INSERT INTO ${name} (${list}) VALUES (${columns.map(() => "?").join(", ")})`, rows }
  })
  return () => {
    for (const { insert, rows } of taken) {
      for (const row of rows) raw.prepare(insert).run(...Object.values(row))
    }
    raw.exec("PRAGMA foreign_keys = ON")
  }
}

type Send = (method: string, path: string, body?: unknown) => Effect.Effect<server.Answer>

/** Why a request for the scope red is refused that needs no record, and what ends that. */
interface Cause {
  readonly why: string
  /** Further fields of the body. */
  readonly body?: object
  /** Makes it so that the request is refused, if the body alone does not. It knows the body as it will be sent. */
  readonly before?: (send: Send, body: any, raw: DatabaseSync) => Effect.Effect<unknown>
  readonly cure: (send: Send, body: any, raw: DatabaseSync) => Effect.Effect<unknown>
}

const taskOf = (scope: string, body: any) => ({
  id: body.id,
  scope,
  file_path: `elsewhere-${body.id}.md`,
  branch: "b"
})
const sql = (text: string) => (_send: Send, _body: any, raw: DatabaseSync) => Effect.sync(() => raw.exec(text))

const unknownProject = (body: object): Cause => ({
  why: `it names a project that is not there, and ${JSON.stringify(body)}`,
  body: { project_id: "nope", ...body },
  cure: (send) => send("POST", "/api/v1/projects", { id: "nope", scope: "red", title: "t", branch: "b" })
})

/** The refusals of requests that make something new. */
const causes: Record<string, ReadonlyArray<Cause>> = {
  "POST /api/v1/breakers/close": [{
    why: "its scope has no breaker",
    before: (send, { scope }) => send("PUT", "/api/v1/breakers", { scope, threshold: null }),
    cure: (send, { scope }) => send("PUT", "/api/v1/breakers", { scope, threshold: 2 })
  }],
  "POST /api/v1/tasks": [
    unknownProject({}),
    unknownProject({ queue: "failed" }),
    unknownProject({ blocked_by: "x" }),
    unknownProject({ depends_on: [{ task_id: "x", on_failure: "fail" }] }),
    unknownProject({ external_key: "one" }),
    {
      why: "its id is taken in another scope",
      before: (send, body) => send("POST", "/api/v1/tasks", taskOf("green", body)),
      cure: (send, body) => send("DELETE", `/api/v1/tasks/${body.id}`)
    },
    {
      why: "it would wait in a circle",
      body: { blocked_by: "ring" },
      before: (send, body) =>
        send("POST", "/api/v1/tasks", { ...taskOf("red", body), id: "ring", blocked_by: body.id }),
      cure: (send) => send("DELETE", "/api/v1/tasks/ring")
    },
    {
      why: "its role is not known",
      body: { role: "builder" },
      before: sql("INSERT INTO roles VALUES ('red', 'reviewer', NULL, 'incoming', 'k-m', 0)"),
      cure: sql("DELETE FROM roles")
    }
  ],
  "POST /api/v1/messages": [{
    why: "it answers a message that is not there",
    body: { parent_message_id: "gone" },
    cure: sql(`INSERT INTO messages (id, scope, task_id, from_actor, type, content, created_at)
      VALUES ('gone', 'red', 't', 'a', 'comment', 'c', 0)`)
  }],
  "POST /api/v1/projects": [{
    why: "its id is taken in another scope",
    before: (send, { id }) => send("POST", "/api/v1/projects", { id, scope: "green", title: "t", branch: "b" }),
    cure: (send, { id }) => send("DELETE", `/api/v1/projects/${id}`)
  }],
  "POST /api/v1/orchestrators/register": [{
    why: "its id is another machine's",
    body: { cluster: "a", machine_id: "b-c" },
    before: (send) => send("POST", "/api/v1/orchestrators/register", { scope: "red", cluster: "a-b", machine_id: "c" }),
    cure: (send) => send("DELETE", "/api/v1/orchestrators/a-b-c")
  }],
  "POST /api/v1/webhooks": [{
    why: "its scope has as many as it may have",
    before: sql(`INSERT INTO webhooks (id, scope, url, secret, position, created_by, created_at)
      WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20)
      SELECT 'w' || n, 'red', 'https://example.com/', 's', 0, 'a', 0 FROM numbers`),
    cure: sql("DELETE FROM webhooks WHERE id = 'w1'")
  }],
  "POST /api/v1/orchestrators/scopes/:scope/rotate-key": [{
    why: "its scope has no key",
    before: sql("CREATE TEMP TABLE away AS SELECT * FROM api_keys; DELETE FROM api_keys"),
    cure: sql("INSERT INTO api_keys SELECT * FROM away")
  }]
}

// Nothing but their input is ever refused of these.
const neverRefused = new Set(
  ["actions", "drafts", "tasks/bulk", "scopes/:scope/import", "scopes/:scope/keys"].map((path) =>
    `POST /api/v1/${path}`
  )
)

/**
 * A server, the request of an endpoint's row, and a rival: a request of another scope that reaches the database just
 * before one of the batches of the next request, in the same millisecond.
 */
const asked = Effect.fnUntraced(function*(name: string, rest: object = {}) {
  const { open, raw } = Faulty.make()
  let batches = 0
  let rival: { readonly at: number; readonly acts: () => Promise<unknown> } | undefined
  const interleaved: typeof open = () => {
    const db = open()
    const batch: typeof db.batch = async (statements) => {
      if (rival !== undefined && rival.at === batches++) {
        const { acts } = rival
        rival = undefined
        await acts()
      }
      return db.batch(statements)
    }
    return Object.assign(Object.create(db), { prepare: db.prepare.bind(db), batch })
  }
  const { send } = yield* server.make({ API_SECRET_KEY: Secret }, interleaved)
  const admin: Send = (method, path, body) => send(method, path, body, bearer)
  yield* admin("POST", "/api/v1/scopes/red/keys")
  const question = table[name]!.ask("red", (...request) => Effect.map(admin(...request), ({ body }) => body))
  const [path, body] = Effect.isEffect(question) ? yield* question : question
  const sent = body === undefined ? undefined : { ...body as object, ...rest }
  return {
    raw,
    admin,
    sent,
    ask: (changed: unknown = sent) => send("POST", path, changed, under("k")),
    /** The rival asks for the same in the scope blue, before the batch with this number of the next request. */
    rivalAt: (at: number) => {
      batches = 0
      const theirs = body === undefined ? body : { ...body as object, scope: "blue" }
      rival = { at, acts: () => Effect.runPromise(admin("POST", path.replaceAll("red", "blue"), theirs)) }
    },
    kept: () => raw.prepare("SELECT count(*) AS n FROM idempotency_keys").get()!.n
  }
})

// A request that is refused sends one batch, or two: the second to find out why.
const rivals = [undefined, 0, 1]

describe("a refused POST keeps nothing under its key, and succeeds later", () => {
  it.effect.each(posts)("%s: after a wrong body", (name) =>
    Effect.gen(function*() {
      const { ask, kept, sent } = yield* asked(name)
      const refused = yield* ask("{\"broken")
      // An endpoint without a body takes anything for none.
      if (refused.status < 400) return assert.isUndefined(sent)
      assert.strictEqual(refused.status, 400)
      assert.strictEqual(kept(), 0)
      const done = yield* ask()
      assert.strictEqual(done.status, table[name]!.success, JSON.stringify(done.body))
      assert.isNull(done.headers.get("idempotent-replayed"))
    }))

  it.effect.each(posts)("%s: after a missing record", (name) =>
    Effect.gen(function*() {
      for (const at of rivals) {
        const { ask, kept, raw, rivalAt } = yield* asked(name)
        const putBack = empty(raw)
        if (at !== undefined) rivalAt(at)
        const refused = yield* ask()
        if (refused.status < 400) {
          assert.isTrue(name in causes || neverRefused.has(name), `${name} needs a cause to be refused`)
          return
        }
        assert.strictEqual(kept(), 0, `${at}: ${JSON.stringify(refused.body)}`)
        const again = yield* ask()
        assert.deepStrictEqual([again.status, again.body], [refused.status, refused.body])
        empty(raw)
        putBack()
        const done = yield* ask()
        assert.strictEqual(done.status, table[name]!.success, JSON.stringify(done.body))
        assert.isNull(done.headers.get("idempotent-replayed"))
        assert.strictEqual(kept(), 1)
      }
    }))

  const cases = Object.entries(causes).flatMap(([name, list]) => list.map((cause) => ({ name, ...cause })))
  it.effect.each(cases)("$name: after $why", ({ before, body, cure, name }) =>
    Effect.gen(function*() {
      for (const at of rivals) {
        const { admin, ask, kept, raw, rivalAt, sent } = yield* asked(name, body)
        if (before !== undefined) yield* before(admin, sent, raw)
        if (at !== undefined) rivalAt(at)
        const refused = yield* ask()
        assert.include([400, 404, 409], refused.status, `${at}: ${JSON.stringify(refused.body)}`)
        assert.strictEqual(kept(), 0, `${at}: ${JSON.stringify(refused.body)}`)
        const again = yield* ask()
        assert.include([400, 404, 409], again.status, `${at}: ${JSON.stringify(again.body)}`)
        yield* cure(admin, sent, raw)
        // Removes what the rival created, if it is in the way.
        for (const { id } of raw.prepare("SELECT id FROM tasks WHERE scope = 'blue'").all()) {
          yield* admin("DELETE", `/api/v1/tasks/${id}`)
        }
        raw.exec("DELETE FROM projects WHERE scope = 'blue'")
        const done = yield* ask()
        assert.strictEqual(done.status, table[name]!.success, `${at}: ${JSON.stringify(done.body)}`)
        assert.isNull(done.headers.get("idempotent-replayed"))
        assert.strictEqual(kept(), 1)
      }
    }))
})
