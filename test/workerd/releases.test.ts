/**
 * Two releases at once. A deployment migrates first and replaces the Worker afterwards, so the Worker of the last release has to
 * work on the new schema. A Worker that comes before its migrations says so and changes nothing.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { NeededMigration } from "../../src/sql/upkeep/SchemaVersion.ts"
import * as Releases from "../releases/Releases.ts"
import { table } from "../support/access.ts"
import { migrated } from "../support/layers.ts"

const { last, migrations, numberOf } = Releases
const newest = numberOf(migrations.at(-1)!)

class Both extends Context.Service<Both, Awaited<ReturnType<typeof Releases.start>>>()("test/Both") {
  /** Both Workers on a database with the migrations up to this one. */
  static readonly at = (migration: number) =>
    Layer.effect(
      Both,
      Effect.acquireRelease(
        Effect.promise(async () => {
          const both = await Releases.start()
          await both.migrate(1, migration)
          return both
        }),
        ({ close }) => Effect.promise(close)
      )
    )
}

const names = Object.keys(table)
const other = (worker: Releases.WorkerName): Releases.WorkerName => worker === "old" ? "new" : "old"

/** Asks for the invariants that this migration and those before it brought. */
const soundAt = Effect.fnUntraced(function*(migration: number) {
  const { db } = yield* Both
  for (const { name, sql } of integrity.filter(({ since = 0 }) => since <= migration)) {
    const { results } = yield* Effect.promise(() => db.prepare(sql).all())
    assert.deepStrictEqual(results, [], name)
  }
})
const sound = soundAt(newest)

layer(Both.at(newest), { excludeTestServices: true, timeout: "10 minutes" })(
  "on the schema of this code",
  (it) => {
    for (const worker of ["old", "new"] as const) {
      it.effect(
        `every endpoint of the ${worker} Worker works on records of the ${other(worker)} one`,
        () =>
          Effect.gen(function*() {
            const { send } = yield* Both
            const { body: document } = yield* Effect.promise(() => send(worker, "GET", "/openapi.json"))
            for (const name of names) {
              const [method = "", path = ""] = name.split(" ")
              // An endpoint that came with this code.
              if (document.paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()] === undefined) continue
              const scope = `${worker}-${names.indexOf(name)}`
              // Release 2.0.0 makes no webhooks and no breakers, and parks no accounts.
              const makerOf = (to: string) =>
                /^\/api\/v1\/(webhooks|breakers)$|\/park$/.test(to) ? "new" : other(worker)
              const admin = (verb: string, to: string, body?: unknown) =>
                Effect.promise(() => send(makerOf(to), verb, to, body)).pipe(
                  Effect.tap((answer) =>
                    Effect.sync(() => assert.isBelow(answer.status, 300, JSON.stringify(answer.body)))
                  ),
                  Effect.map(({ body }) => body)
                )
              yield* admin("POST", `/api/v1/scopes/${scope}/keys`)
              const asked = table[name]!.ask(scope, admin)
              const [to, body] = Effect.isEffect(asked) ? yield* asked : asked
              const answer = yield* Effect.promise(() => send(worker, method, to, body))
              assert.strictEqual(answer.status, table[name]!.success, `${name}: ${JSON.stringify(answer.body)}`)
            }
            yield* sound
          }),
        { timeout: 900_000 }
      )
    }

    it.effect("both Workers serve the same tasks, alternating with each step", () =>
      Effect.gen(function*() {
        const { send } = yield* Both
        let turn: Releases.WorkerName = "old"
        const step = Effect.fnUntraced(function*(status: number, method: string, path: string, body?: unknown) {
          turn = other(turn)
          const answer = yield* Effect.promise(() => send(turn, method, path, { scope: "life", ...body as object }))
          assert.strictEqual(answer.status, status, `${turn} ${method} ${path}: ${JSON.stringify(answer.body)}`)
          return answer.body
        })
        const { orchestrator_id } = yield* step(201, "POST", "/api/v1/orchestrators/register", {
          cluster: "k",
          machine_id: "m"
        })
        for (let n = 0; n < 6; n++) {
          const id = `life-${n}`
          // An odd number of steps, so that the next life begins with the other Worker.
          yield* step(201, "POST", "/api/v1/tasks", { id, file_path: id, branch: "b" })
          yield* step(201, "POST", "/api/v1/tasks", {
            id: `${id}-next`,
            file_path: `${id}-n`,
            branch: "b",
            blocked_by: id
          })
          const claim = { orchestrator_id, agent_name: "ann" }
          const held = yield* step(200, "POST", "/api/v1/tasks/claim", claim)
          assert.strictEqual(held.id, id)
          const { fencing_token } = held
          yield* step(200, "POST", `/api/v1/tasks/${id}/renew`, { fencing_token, checkpoint: { notes: "half" } })
          const beat = yield* step(200, "POST", `/api/v1/orchestrators/${orchestrator_id}/heartbeat`, {
            leases: [{ task_id: id, fencing_token }]
          })
          assert.deepInclude(beat, { lost: [] })
          yield* step(200, "POST", `/api/v1/tasks/${id}/submit`, { commits_count: 1, turns_used: 2, fencing_token })
          yield* step(200, "POST", `/api/v1/tasks/${id}/reject`, { reason: "no", rejected_by: "ben" })
          const again = yield* step(200, "POST", "/api/v1/tasks/claim", claim)
          assert.isAbove(again.fencing_token, fencing_token)
          yield* step(409, "POST", `/api/v1/tasks/${id}/submit`, { commits_count: 1, turns_used: 2, fencing_token })
          yield* step(200, "POST", `/api/v1/tasks/${id}/submit`, { commits_count: 1, turns_used: 2 })
          yield* step(200, "POST", `/api/v1/tasks/${id}/accept`, { accepted_by: "ben" })
          const next = yield* step(200, "POST", "/api/v1/tasks/claim", claim)
          assert.strictEqual(next.id, `${id}-next`)
          yield* step(200, "PATCH", `/api/v1/tasks/${id}-next`, { queue: "failed", claimed_by: "ann" })
        }
        yield* sound
      }), { timeout: 900_000 })

    for (
      const path of ["tasks?queue=incoming&", "messages?", "drafts?", "projects?", "scheduler/poll?", "orchestrators?"]
    ) {
      it.effect(`an ETag of one Worker never hides what the other one changed: ${path}`, () =>
        Effect.gen(function*() {
          const { send } = yield* Both
          const scope = `etag-${path.replace(/\W/g, "-")}`
          const change = Effect.fnUntraced(function*(by: Releases.WorkerName, n: number) {
            const bodies: ReadonlyArray<readonly [string, object]> = [
              ["tasks", { id: `${scope}-${n}`, file_path: `${n}`, branch: "b" }],
              ["messages", { task_id: "t", from_actor: "a", type: "comment", content: String(n) }],
              ["drafts", { title: "d", author: "a" }],
              ["projects", { id: `${scope}-${n}`, title: "p", branch: "b" }],
              ["orchestrators/register", { cluster: "k", machine_id: `${scope}-${n}` }]
            ]
            for (const [to, body] of bodies) {
              const { status } = yield* Effect.promise(() => send(by, "POST", `/api/v1/${to}`, { scope, ...body }))
              assert.strictEqual(status, 201, to)
            }
          })
          const look = (by: Releases.WorkerName, tag: string) =>
            Effect.promise(() => send(by, "GET", `/api/v1/${path}scope=${scope}`, undefined, { "if-none-match": tag }))
          for (let n = 0; n < 4; n++) {
            const [asked, changed] = n % 2 === 0 ? ["new", "old"] as const : ["old", "new"] as const
            const first = yield* look(asked, "")
            const tag = first.headers.get("etag")!
            assert.strictEqual((yield* look(asked, tag)).status, 304)
            assert.strictEqual((yield* look(changed, tag)).status, 200, "a tag of another release is unknown")
            yield* change(changed, n)
            const after = yield* look(asked, tag)
            assert.strictEqual(after.status, 200)
            assert.notDeepEqual(after.body, first.body)
          }
        }), { timeout: 900_000 })
    }
  }
)

layer(Both.at(last.migration), { excludeTestServices: true, timeout: "10 minutes" })(
  `on the schema of ${last.version}`,
  (it) => {
    it.effect(
      "the new Worker says that the database lacks a migration, changes nothing, and serves after the migration",
      () =>
        Effect.gen(function*() {
          const { db, migrate, send } = yield* Both
          const ask = (method: string, path: string, body?: unknown) =>
            Effect.promise(() => send("new", method, path, body))
          const rows = Effect.promise(async () => {
            const { results } = await db.prepare(
              "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'"
            ).all<{ readonly name: string }>()
            const tables = await db.batch(results.map(({ name }) => db.prepare(`SELECT * FROM "${name}"`)))
            return tables.map(({ results }, n) => [results[n], results])
          })
          const health = yield* ask("GET", "/api/health")
          assert.strictEqual(health.status, 503)
          assert.deepInclude(health.body, { _tag: "Unhealthy", database: "unmigrated" })
          assert.include(health.body.error, `this release needs migration ${NeededMigration}`)

          // No request is a 500: it is carried out as ever, or a 503 that changed nothing.
          let lacking = 0
          for (const name of names) {
            const scope = `behind-${names.indexOf(name)}`
            const admin = (verb: string, to: string, body?: unknown) =>
              Effect.map(Effect.promise(() => send("old", verb, to, body)), (answer) => answer.body)
            yield* admin("POST", `/api/v1/scopes/${scope}/keys`)
            const asked = table[name]!.ask(scope, admin)
            const [to, body] = Effect.isEffect(asked) ? yield* asked : asked
            const before = yield* rows
            const answer = yield* ask(name.split(" ")[0]!, to, body)
            if (answer.status < 300) continue
            assert.strictEqual(answer.status, 503, `${name}: ${JSON.stringify(answer.body)}`)
            assert.deepStrictEqual(yield* rows, before, name)
            if (name === "GET /api/health") continue
            lacking++
            assert.strictEqual(answer.body._tag, "DatabaseUnavailable")
            assert.include(answer.body.error, "lacks a migration")
            assert.strictEqual(answer.headers.get("retry-after"), "10")
          }
          assert.isAbove(lacking, 0)
          yield* soundAt(last.migration)

          yield* Effect.promise(() => migrate(last.migration + 1, newest))
          assert.strictEqual((yield* ask("GET", "/api/health")).status, 200)
          const created = yield* ask("POST", "/api/v1/tasks", { scope: "s2", id: "z", file_path: "z", branch: "b" })
          assert.strictEqual(created.status, 201)
          yield* sound
        }),
      { timeout: 900_000 }
    )
  }
)

describe("the number of the schema", () => {
  it.effect("is that of the newest migration, in the database and in the code", () =>
    Effect.gen(function*() {
      assert.strictEqual(NeededMigration, newest)
      const [row] = migrated().raw.prepare("SELECT migration FROM schema_version").all()
      assert.strictEqual(row?.migration, newest)
    }))
})
