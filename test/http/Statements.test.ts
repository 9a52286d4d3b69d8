/** The statements of a request over HTTP, with all that goes along: the key of the caller, its refresh, and an idempotency key. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { MaxStatements } from "../../src/sql/Database.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import { some } from "../support/runs.ts"
import * as server from "../support/server.ts"

const secret = "0123456789abcdef"
const configs: ReadonlyArray<Record<string, string>> = [
  {},
  { BACKOFF_SECONDS: "60" },
  { API_SECRET_KEY: secret },
  { API_SECRET_KEY: secret, BACKOFF_SECONDS: "60" }
]

/** A server with a registered machine, and a request that says how many statements it sent. */
const start = Effect.fnUntraced(function*(config: Record<string, string>) {
  const { db, raw } = migrated()
  let sent = 0
  const batch: typeof db.batch = (statements) => {
    sent += statements.length
    return db.batch(statements)
  }
  const open = () => new Proxy(db, { get: (_, name) => name === "batch" ? batch : Reflect.get(db, name) })
  const { send } = yield* server.make(config, open)
  const authorize = (key: string) => config["API_SECRET_KEY"] === undefined ? {} : { authorization: `Bearer ${key}` }
  const { body: { api_key } } = yield* send(
    "POST",
    "/api/v1/orchestrators/register",
    { cluster: "k", machine_id: "m", scope: "red" },
    authorize(secret)
  )
  const request = (method: string, path: string, body: object = {}, key?: string) => {
    sent = 0
    return Effect.map(
      send(method, `/api/v1${path}`, body, {
        ...authorize(api_key),
        ...(key === undefined ? {} : { "idempotency-key": key })
      }),
      (answer) => ({ ...answer, sent })
    )
  }
  const create = (id: string, rest: object = {}) =>
    request("POST", "/tasks", { id, scope: "red", file_path: id, branch: "b", ...rest })
  const claim = (rest: object = {}, key?: string) =>
    request("POST", "/tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", scope: "red", ...rest }, key)
  return { claim, create, open, raw, request, total: () => sent, reset: () => void (sent = 0) }
})

// From 15 s after its last check on, the key is checked along with the request.
const refreshAlong = "20 seconds"

describe("a request over HTTP sends at most as many statements as D1's free plan allows", () => {
  for (const config of some(configs, 2)) {
    const name = Object.keys(config).join(" and ") || "nothing configured"

    it.effect(`to claim, where leases ran out, with ${name}`, () =>
      Effect.gen(function*() {
        for (const asks of [{}, { queue: "custom" }, { role_filter: ["reviewer"] }]) {
          for (const key of [undefined, "k"]) {
            for (const refused of [false, true]) {
              const { claim, create, raw, request } = yield* start(config)
              yield* request("POST", "/roles/register", {
                orchestrator_id: "k-m",
                roles: [{ name: "reviewer", claims_from: "provisional" }]
              })
              yield* create("blocker")
              for (const id of ["doomed-1", "doomed-2", "freed", "stuck-1", "stuck-2"]) {
                yield* create(id, { priority: "P0", max_lease_losses: 1 })
              }
              for (let n = 0; n < 5; n++) yield* claim({ lease_duration_seconds: 1 })
              yield* create("dependent", { depends_on: [{ task_id: "doomed-1", on_failure: "skip" }] })
              yield* request("PUT", "/tasks/freed/dependencies/blocker", { on_failure: "fail" })
              yield* request("POST", "/tasks/blocker/fail", { reason: "broken" })
              raw.exec("UPDATE tasks SET max_lease_losses = NULL WHERE id = 'freed'")
              if (refused) {
                raw.exec(`CREATE TRIGGER refuses BEFORE UPDATE ON tasks
                  WHEN OLD.id GLOB 'stuck-*' AND NEW.claimed_by IS NULL BEGIN SELECT RAISE(ABORT, 'refused'); END`)
              }
              yield* TestClock.adjust(refreshAlong)
              for (let n = 0; n < 3; n++) {
                const { sent, status } = yield* claim(asks, key === undefined ? key : `${key}${n}`)
                assert.oneOf(status, [200, 404])
                assert.isAtMost(sent, MaxStatements, JSON.stringify({ asks, key, n, refused }))
              }
              // A claim that looks into two queues has no room for it, and leaves it to the cron.
              if (refused || "role_filter" in asks) continue
              const left = raw.prepare("SELECT id FROM tasks WHERE claimed_by IS NOT NULL AND id GLOB 'doomed-*'").all()
              assert.isEmpty(left, JSON.stringify({ asks, key }))
            }
          }
        }
      }))

    it.effect(`to change a task that others change each time it was read, with ${name}`, () =>
      Effect.gen(function*() {
        const { create, raw, request } = yield* start(config)
        for (const id of ["a", "b"]) yield* create(id)
        yield* request("PUT", "/tasks/b/dependencies/a")
        raw.exec(`CREATE TRIGGER contends BEFORE INSERT ON history WHEN NEW.event NOT IN ('created', 'claimed')
          BEGIN SELECT RAISE(IGNORE); END`)
        for (
          const [method, path, body] of [
            ["PATCH", "/tasks/a", { title: "x" }],
            ["PATCH", "/tasks/a", { queue: "failed", blocked_by: "c,d", external_key: "e" }],
            ["POST", "/tasks/a/force-queue", { queue: "failed", reason: "x" }],
            ["PUT", "/tasks/a/dependencies", { depends_on: [{ task_id: "c", on_failure: "fail" }] }],
            ["PUT", "/tasks/a/dependencies/c", { on_failure: "fail" }],
            ["DELETE", "/tasks/b/dependencies/a", {}]
          ] as const
        ) {
          for (const key of [undefined, "k"]) {
            yield* TestClock.adjust(refreshAlong)
            const { body: answer, sent, status } = yield* request(method, path, body, key)
            // Where there is a secret, only the administrator may force a move.
            const forbidden = path.endsWith("force-queue") && "API_SECRET_KEY" in config
            assert.strictEqual(status, forbidden ? 403 : 409, JSON.stringify(answer))
            assert.isAtMost(sent, MaxStatements, `${method} ${path} ${key}`)
          }
        }
      }))

    it.effect(`to import, and to renew many leases, with ${name}`, () =>
      Effect.gen(function*() {
        const { claim, create, request } = yield* start(config)
        const leases: Array<object> = []
        for (let n = 0; n < 20; n++) {
          yield* create(`t${n}`)
          const { body } = yield* claim({ lease_duration_seconds: 1 })
          leases.push({ task_id: body.id, fencing_token: body.fencing_token, checkpoint: { notes: "x" } })
        }
        yield* TestClock.adjust(refreshAlong)
        const beat = yield* request("POST", "/orchestrators/k-m/heartbeat", { leases }, "k1")
        assert.strictEqual(beat.status, 200)
        assert.isAtMost(beat.sent, MaxStatements)
        yield* TestClock.adjust(refreshAlong)
        const at = "2026-01-01T00:00:00Z"
        const records = {
          tasks: [{ id: "i", file_path: "i", branch: "b", created_at: at, queue: "done", blocked_by: "t0" }],
          drafts: [{ id: 7, title: "t", author: "a", status: "idea", created_at: at }],
          messages: [{ id: "m", task_id: "i", from_actor: "a", type: "t", content: "c", created_at: at }]
        }
        for (const dry_run of [true, false]) {
          const { sent } = yield* request("POST", "/scopes/red/import", { ...records, dry_run }, `k2${dry_run}`)
          assert.isAtMost(sent, MaxStatements)
        }
      }))

    it.effect(`by the cron, where everything is due at once, with ${name}`, () =>
      Effect.gen(function*() {
        for (const refused of ["stuck-*", "*", "none"]) {
          const all = {
            ...config,
            RETAIN_HISTORY_DAYS: "1",
            RETAIN_MESSAGES_DAYS: "1",
            RETAIN_FINISHED_TASKS_DAYS: "1"
          }
          const { claim, create, open, raw, request, reset, total } = yield* start(all)
          yield* create("blocker")
          for (const id of ["old", "freed", "doomed", "backs-off"]) yield* create(id, { priority: "P0" })
          for (let n = 0; n < 40; n++) yield* create(`stuck-${n}`, { priority: "P0" })
          for (let n = 0; n < 44; n++) yield* claim({ lease_duration_seconds: 60 })
          yield* request("POST", "/messages", {
            task_id: "old",
            from_actor: "a",
            type: "t",
            content: "c",
            scope: "red"
          })
          yield* request("PUT", "/tasks/freed/dependencies/blocker", { on_failure: "fail" })
          yield* request("POST", "/tasks/blocker/fail", { reason: "broken" })
          raw.exec(`
            UPDATE tasks SET claimed_by = NULL, claimed_at = NULL, orchestrator_id = NULL, claimed_from = NULL, lease_expires_at = NULL,
              queue = 'incoming', available_at = 1 WHERE id = 'backs-off';
            UPDATE tasks SET max_lease_losses = 1 WHERE id IN ('doomed', 'stuck-3');
            CREATE TRIGGER refuses BEFORE UPDATE ON tasks WHEN OLD.id GLOB '${refused}' AND OLD.claimed_by IS NOT NULL
              AND NEW.claimed_by IS NULL BEGIN SELECT RAISE(ABORT, 'refused'); END`)
          yield* TestClock.adjust("2 days")
          const services = yield* Layer.build(servicesWith(all, open))
          const { tick } = Context.get(services, Maintenance)
          for (let turn = 0; turn < 20; turn++) {
            reset()
            yield* tick
            assert.isAtMost(total(), MaxStatements, `${refused}, turn ${turn}`)
            yield* TestClock.adjust("1 minute")
          }
          const free = raw.prepare("SELECT id FROM tasks WHERE claimed_by IS NULL AND id IN ('doomed', 'freed')").all()
          if (refused !== "*") assert.lengthOf(free, 2)
        }
      }).pipe(Effect.scoped))
  }
})
