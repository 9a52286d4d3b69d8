/** What every endpoint costs on Durable Objects, in the object of one scope: the requests of the budget of D1, on the same records. */
import * as Effect from "effect/Effect"
import type { DatabaseSync } from "node:sqlite"
import { routeOf } from "../../../src/objects/Route.ts"
import { type Admin, claimed, type Question } from "../../support/access.ts"
import { migrated } from "../../support/layers.ts"
import type { Case } from "../cases.ts"
import * as Filled from "../Filled.ts"
import { asked } from "../Measure.ts"
import * as Objects from "./Objects.ts"
import { type MeasuredObjects, tally } from "./Tally.ts"

/** What the budget of D1 has and this has not, with the reason. Requests for every scope are in `Scopes.ts`. */
const leftOut: Readonly<Record<string, string>> = {
  "POST /api/v1/tasks/claim: nothing, of a machine that 85 other scopes have too":
    "the other scopes are other objects, and no statement of this one reads them"
}

const Minute = 60_000
const Hour = 60 * Minute

/** The rows of one scope, as its object has them. */
const rowsOf = (raw: DatabaseSync, scope: string): DatabaseSync => {
  const one = migrated().raw as DatabaseSync & { deserialize: (image: Uint8Array) => void }
  one.deserialize((raw as unknown as { serialize: () => Uint8Array }).serialize())
  one.exec("PRAGMA foreign_keys = OFF")
  const tables = one.prepare(
    "SELECT m.name FROM sqlite_schema AS m WHERE type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'scope')"
  ).all().map(({ name }) => String(name)).filter((name) => name !== "queue_counts")
  for (const table of tables) one.prepare(`DELETE FROM ${table} WHERE scope <> ?`).run(scope)
  one.exec("DELETE FROM dependencies WHERE task_id NOT IN (SELECT id FROM tasks)")
  // The counters of a project stand under its id.
  one.prepare(
    "DELETE FROM queue_counts WHERE scope <> ? AND scope NOT IN (SELECT char(31) || id FROM projects)"
  ).run(scope)
  return one
}

const task = (id: string, scope = Filled.scope) => ({ scope, id, file_path: `TASK-${id}.md`, branch: "b" })

/** Measures in the scope `deep`, which has the records that are given. */
export const measure = Effect.fnUntraced(function*({ raw, since }: Filled.Filled) {
  const objects = yield* Objects.make
  let now = since + Hour
  const dirty = new Set<string>()
  const send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    Effect.tap(objects.send(now, method, path, body, headers), ({ taken }) =>
      Effect.sync(() => {
        for (const { scope, written } of taken.executions) if (scope !== undefined && written > 0) dirty.add(scope)
      }))
  const succeed: Admin = (method, path, body) =>
    Effect.flatMap(
      send(method, path, body),
      ({ body: answer, status }) =>
        status < 300
          ? Effect.succeed(answer)
          : Effect.die(new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`))
    )
  // The scopes exist before their records do: the control object has to know them. A change and a look have also been there,
  // so that what follows the first of them is not measured.
  const restores = new Map<string, Effect.Effect<unknown>>()
  for (const scope of [Filled.scope, "stopped"]) {
    yield* succeed("POST", "/api/v1/tasks", task("before", scope))
    yield* succeed("GET", `/api/v1/tasks?scope=${scope}`)
    const db = objects.database(scope)
    const rows = rowsOf(raw, scope)
    yield* Effect.promise(() =>
      db.batch(["tasks", "history", "queue_counts"].map((table) => db.prepare(`DELETE FROM ${table}`)))
    )
    const { restore } = yield* Filled.into(db, { raw: rows, since })
    // With this request the object tells of its machines, which are found by that.
    yield* succeed("GET", `/api/v1/tasks?scope=${scope}`)
    restores.set(scope, Effect.andThen(restore, Effect.promise(() => db.batch([db.prepare("DELETE FROM _notices")]))))
  }
  const restore = Effect.suspend(() => {
    const changed = [...dirty]
    dirty.clear()
    return Effect.forEach(changed, (scope) => restores.get(scope) ?? Effect.void)
  })
  yield* restore

  const depth = String(raw.prepare("SELECT count(*) AS n FROM drafts").get()!["n"])
  const all: Array<MeasuredObjects> = []
  const note = (name: string, taken: Objects.Taken) => void all.push(tally(name, depth, taken))

  const one = Effect.fnUntraced(function*(name: string, { ask, headers, known, method, status }: Case) {
    const question = ask(Filled.scope, succeed)
    const [path, body]: Question = Effect.isEffect(question) ? yield* question : question
    const url = new URL(path, "http://localhost")
    const { to } = routeOf({
      method,
      path: url.pathname,
      query: url.searchParams,
      body: (body ?? {}) as Record<string, unknown>
    })
    // Measured with several scopes.
    if (to === "every") return
    const stated = to === "record" ? `${path}${path.includes("?") ? "&" : "?"}scope=${Filled.scope}` : path
    const tag = known === true ? (yield* send(method, stated)).headers.get("etag") : null
    const answer = yield* send(method, stated, body, {
      ...headers,
      ...(tag === null ? {} : { "if-none-match": tag })
    })
    if (answer.status !== status) {
      return yield* Effect.die(new Error(`${name}: ${answer.status} ${JSON.stringify(answer.body)}`))
    }
    note(name, answer.taken)
  })
  for (const [name, each] of asked) {
    if (name in leftOut) continue
    yield* one(name, each)
    yield* restore
  }

  // What only objects do. The alarm that is set stands at the end of the minute.
  note("alarm: after changes", yield* objects.duties(now += Minute, Filled.scope))
  for (let n = 0; n < 3; n++) yield* objects.duties(now += Hour, Filled.scope)
  note("alarm: nothing to do", yield* objects.duties(now += Hour, Filled.scope))
  const created = yield* send("POST", "/api/v1/tasks", task("after-an-hour"))
  note("POST /api/v1/tasks: after an hour without changes", created.taken)
  for (let n = 0; n < 5; n++) yield* claimed(Filled.scope, succeed)
  note(
    "alarm: five leases ran out and five machines fell silent",
    yield* objects.duties(now += Hour, Filled.scope)
  )
  yield* objects.end(Filled.scope)
  note("GET /api/v1/tasks/:id: wakes the object", (yield* send("GET", "/api/v1/tasks/deep-0?scope=deep")).taken)
  const { api_key: key } = yield* succeed("POST", `/api/v1/scopes/${Filled.scope}/keys`, { name: "n" })
  const withKey = (name: string) =>
    Effect.map(
      send("GET", "/api/v1/tasks/deep-0", undefined, { authorization: `Bearer ${key}` }),
      ({ status, taken }) => {
        if (status !== 200) throw new Error(`${name}: ${status}`)
        note(name, taken)
      }
    )
  yield* withKey("GET /api/v1/tasks/:id: with a key that is seen for the first time")
  yield* withKey("GET /api/v1/tasks/:id: with a key")
  const first = yield* send("POST", "/api/v1/tasks", task("one", "new"))
  note("POST /api/v1/tasks: the first of a scope", first.taken)
  return all
}, Effect.scoped)
