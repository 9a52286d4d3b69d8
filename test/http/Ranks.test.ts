/** The ranks of keys over HTTP: how they are issued, kept and refused, and what a machine shows to move a task. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as client from "../../src/client.ts"
import { type Rank, ranks } from "../../src/domain/access/Rank.ts"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const start = (config: Record<string, string> = {}) =>
  Effect.map(server.make({ API_SECRET_KEY: Secret, ...config }), ({ connect, send, withFetch }) => {
    const admin = (method: string, path: string, body?: unknown) =>
      send(method, `/api/v1/${path}`, body, bearer(Secret))
    /** Issues a key of the rank for the scope, and answers what sends with it. */
    const as = (rank: Rank, scope = "red") =>
      Effect.map(admin("POST", `scopes/${scope}/keys`, { rank }), ({ body }) => {
        const ask = (method: string, path: string, body?: unknown, headers = {}) =>
          send(method, `/api/v1/${path}`, body, { ...bearer(key.api_key), ...headers })
        const key = body as { readonly id: string; readonly api_key: string }
        return { ...key, ask, post: (path: string, body: unknown = {}) => ask("POST", path, body) }
      })
    const create = (id: string, rest: object = {}) =>
      admin("POST", "tasks", { id, scope: "red", file_path: id, branch: "b", ...rest })
    return { admin, as, connect, create, send, withFetch }
  })

/** A machine with a key of the rank `work`, and a task of its scope that it holds. */
const holding = Effect.gen(function*() {
  const all = yield* start()
  const machine = yield* all.as("work")
  yield* machine.post("orchestrators/register", { cluster: "k", machine_id: "m" })
  yield* all.create("t", { hooks: [{ name: "tests", point: "before_submit" }] })
  const claim = { orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60 }
  const { body } = yield* machine.post("tasks/claim", claim)
  const task = Effect.map(all.admin("GET", "tasks/t"), ({ body }) => body)
  return { ...all, machine, claim, task, fencing_token: body.fencing_token as number }
})

const moves = [
  ["submit", { commits_count: 1, turns_used: 1 }],
  ["requeue", {}],
  ["requeue", { release: true }],
  ["fail", { reason: "r" }]
] as const

describe("the rank of a key", () => {
  it.effect("is manage unless it is given, and the lists of keys show it", () =>
    Effect.gen(function*() {
      const { admin } = yield* start()
      const given = [...ranks, null, undefined]
      for (const rank of given) {
        const issued = yield* admin("POST", "scopes/red/keys", { name: String(rank), rank })
        assert.deepStrictEqual([issued.status, issued.body.rank], [201, rank ?? "manage"])
      }
      assert.strictEqual((yield* admin("POST", "scopes/red/keys")).body.rank, "manage")
      for (const path of ["scopes/red/keys", "keys", "scopes/red/keys?limit=50"]) {
        const { keys } = (yield* admin("GET", path)).body
        const named = keys.filter((key: any) => ranks.includes(key.name))
        assert.deepStrictEqual(named.map((key: any) => key.rank).toSorted(), [...ranks].toSorted())
      }
    }))

  it.effect.each<unknown>(["admin", "", "Read", 1, ["read"]])(
    "is refused by name if there is no such rank: %j",
    (rank) =>
      Effect.gen(function*() {
        const { admin } = yield* start()
        const refused = yield* admin("POST", "scopes/red/keys", { rank })
        assert.strictEqual(refused.status, 400)
        assert.match(refused.body.error, /^body\.rank: .*"fence" \| "read" \| "work" \| "manage"/)
        assert.deepStrictEqual((yield* admin("GET", "keys")).body.keys, [])
      })
  )

  it.effect("stays when the key is rotated, by its machine or by the administrator", () =>
    Effect.gen(function*() {
      const { admin, as } = yield* start()
      const rotate = "orchestrators/scopes/red/rotate-key"
      for (const rank of ranks) {
        const { id } = yield* as(rank)
        yield* admin("POST", rotate, { key_id: id })
      }
      const machine = yield* as("work")
      assert.strictEqual((yield* machine.post(rotate)).status, 200)
      const { keys } = (yield* admin("GET", "scopes/red/keys")).body
      const counted = Map.groupBy<string, any>(keys, ({ rank }) => rank)
      assert.deepStrictEqual(ranks.map((rank) => counted.get(rank)?.length), [2, 2, 4, 2])
    }))

  it.effect("is the same for a request that is repeated under its idempotency key", () =>
    Effect.gen(function*() {
      const { send } = yield* start()
      const issue = send("POST", "/api/v1/scopes/red/keys", { rank: "read" }, {
        ...bearer(Secret),
        "idempotency-key": "one"
      })
      const [first, second] = [yield* issue, yield* issue]
      assert.deepStrictEqual(second.body, first.body)
      assert.strictEqual(second.body.rank, "read")
    }))

  it.effect("is manage in an answer that release 2.0.0 kept under an idempotency key", () =>
    Effect.gen(function*() {
      const { db, raw } = migrated()
      const { send } = yield* server.make({ API_SECRET_KEY: Secret }, () => db)
      const issue = send("POST", "/api/v1/scopes/red/keys", {}, { ...bearer(Secret), "idempotency-key": "one" })
      const first = yield* issue
      raw.exec("UPDATE idempotency_keys SET answer = json_remove(answer, '$[0].rank')")
      const second = yield* issue
      assert.deepStrictEqual([second.status, second.body], [201, first.body])
    }))

  it.effect("counts in every isolate that has seen the key, and on an open server too", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { api_key } = (yield* send("POST", "/api/v1/scopes/red/keys", { rank: "read" })).body
      const create = send("POST", "/api/v1/drafts", { title: "t", author: "a" }, bearer(api_key))
      for (const pause of ["0 seconds", "20 seconds", "40 seconds"] as const) {
        yield* TestClock.adjust(pause)
        const refused = yield* create
        assert.deepStrictEqual([refused.status, refused.body._tag], [403, "RankTooLow"])
        assert.strictEqual((yield* send("GET", "/api/v1/drafts", undefined, bearer(api_key))).status, 200)
      }
      // A key of a lower rank issues no key of a higher one.
      assert.strictEqual((yield* send("POST", "/api/v1/scopes/red/keys", {}, bearer(api_key))).status, 403)
    }))

  it.effect("says in the refusal which rank the key has, which is needed, and what to do", () =>
    Effect.gen(function*() {
      const { as } = yield* start()
      const [screen, machine, hook] = [yield* as("read"), yield* as("work"), yield* as("fence")]
      assert.deepStrictEqual((yield* screen.post("tasks/claim")).body, {
        _tag: "RankTooLow",
        error:
          `Key ${screen.id} has the rank "read", and POST /api/v1/tasks/claim needs the rank "work" or higher. Send a key of that rank, or ask the administrator for one.`,
        rank: "read",
        needed: "work"
      })
      assert.include((yield* machine.post("tasks/t/accept")).body.error, "needs the rank \"manage\". Send")
      assert.include(
        (yield* hook.ask("GET", "tasks/t")).body.error,
        "GET /api/v1/tasks/:id needs the rank \"read\" or higher."
      )
    }))

  it.effect("does not give a caller more than its scope", () =>
    Effect.gen(function*() {
      const { as, create } = yield* start()
      yield* create("t")
      for (const rank of ["read", "work", "manage"] as const) {
        const stranger = yield* as(rank, "blue")
        assert.strictEqual((yield* stranger.ask("GET", "tasks/t")).status, 404)
        assert.strictEqual((yield* stranger.ask("GET", "tasks?scope=red")).status, 403)
      }
    }))

  it.live("arrives at the typed client, as a value and as an error", () =>
    Effect.gen(function*() {
      const { connect, withFetch } = yield* start()
      yield* withFetch(Effect.gen(function*() {
        const admin = yield* connect({ token: Secret })
        const issued = yield* admin.keys.issue({ params: { scope: "red" }, payload: { rank: "read" } })
        assert.strictEqual(issued.rank, "read")
        const screen = yield* connect({ token: issued.api_key })
        const refused = yield* Effect.flip(screen.drafts.create({ query: {}, payload: { title: "t", author: "a" } }))
        assert.instanceOf(refused, client.RankTooLow)
      }))
    }))
})

describe("a key of the rank work", () => {
  it.effect("is enough for the day of a machine", () =>
    Effect.gen(function*() {
      const { claim, fencing_token, machine, task } = yield* holding
      const result = { commits_count: 1, turns_used: 1, fencing_token }
      const day: ReadonlyArray<readonly [path: string, body: object, status: number]> = [
        ["orchestrators/register", { cluster: "k", machine_id: "m" }, 200],
        ["roles/register", { orchestrator_id: "k-m", roles: [{ name: "r" }] }, 200],
        ["orchestrators/k-m/heartbeat", { leases: [{ task_id: "t", fencing_token }] }, 200],
        ["tasks/t/renew", { fencing_token, checkpoint: { notes: "n" } }, 200],
        ["tasks/t/hooks/tests/complete", { status: "passed", fencing_token }, 200],
        ["messages", { task_id: "t", from_actor: "ann", type: "comment", content: "c" }, 201],
        ["actions", { entity_type: "task", entity_id: "t", label: "l", proposed_by: "ann" }, 201],
        ["tasks/t/submit", result, 200],
        ["tasks/claim", claim, 404]
      ]
      assert.isUndefined(
        (yield* machine.post("orchestrators/register", { cluster: "k", machine_id: "m" })).body.api_key
      )
      for (const [path, body, status] of day) {
        const answer = yield* machine.post(path, body)
        assert.strictEqual(answer.status, status, `${path}: ${JSON.stringify(answer.body)}`)
      }
      assert.strictEqual((yield* machine.ask("GET", "scheduler/poll?orchestrator_id=k-m")).status, 200)
      const [message] = (yield* machine.ask("GET", "messages")).body.messages
      assert.strictEqual((yield* machine.ask("PATCH", `messages/${message.id}`, { status: "done" })).status, 200)
      assert.strictEqual((yield* task).queue, "provisional")
    }))

  it.effect.each(moves)(
    "moves the task that it holds under its token: %s %j",
    ([move, body]) =>
      Effect.gen(function*() {
        const { fencing_token, machine } = yield* holding
        const moved = yield* machine.post(`tasks/t/${move}`, { ...body, fencing_token })
        assert.deepStrictEqual([moved.status, moved.body.claimed_by], [200, null])
      })
  )

  it.effect.each(moves)(
    "moves no held task without its token, or with another: %s %j",
    ([move, body]) =>
      Effect.gen(function*() {
        const { fencing_token, machine, task } = yield* holding
        const before = yield* task
        const unnamed = yield* machine.post(`tasks/t/${move}`, { ...body, requeued_by: "ann", failed_by: "ann" })
        assert.deepStrictEqual([unnamed.status, unnamed.body], [409, {
          _tag: "LeaseLost",
          error:
            "Task t is held by ann, and a key of the rank \"work\" moves only what its caller holds. Send the fencing_token that the claim was answered with.",
          task_id: "t",
          queue: "claimed",
          claimed_by: "ann",
          reason: "unnamed"
        }])
        const wrong = yield* machine.post(`tasks/t/${move}`, { ...body, fencing_token: fencing_token + 1 })
        assert.deepStrictEqual([wrong.status, wrong.body._tag], [409, "LeaseLost"])
        assert.deepStrictEqual(yield* task, before)
      })
  )

  it.effect.each(moves)("moves no task that nobody holds: %s %j", ([move, body]) =>
    Effect.gen(function*() {
      const { admin, fencing_token, machine, task } = yield* holding
      yield* admin("POST", "tasks/t/submit", { commits_count: 1, turns_used: 1 })
      const before = yield* task
      const unnamed = yield* machine.post(`tasks/t/${move}`, body)
      assert.deepStrictEqual([unnamed.status, unnamed.body.reason, unnamed.body.error], [
        409,
        "unnamed",
        "Nobody holds task t, and a key of the rank \"work\" moves only what its caller holds. Claim the task, or send a key of the rank \"manage\"."
      ])
      const late = yield* machine.post(`tasks/t/${move}`, { ...body, fencing_token })
      assert.deepStrictEqual([late.status, late.body._tag], [409, "LeaseLost"])
      assert.deepStrictEqual(yield* task, before)
    }))

  it.effect("submits after its lease expired, under its token only", () =>
    Effect.gen(function*() {
      const { fencing_token, machine, task } = yield* holding
      yield* TestClock.adjust("2 minutes")
      // The claim takes the expired lease back, and is for another queue.
      yield* machine.post("tasks/claim", { orchestrator_id: "k-m", agent_name: "bob", queue: "provisional" })
      const result = { commits_count: 1, turns_used: 1 }
      const unnamed = yield* machine.post("tasks/t/submit", result)
      assert.deepStrictEqual([unnamed.status, unnamed.body.reason], [409, "unnamed"])
      assert.strictEqual((yield* machine.post("tasks/t/submit", { ...result, fencing_token })).status, 200)
      assert.strictEqual((yield* task).queue, "provisional")
    }))

  it.effect("completes a hook of a held task under its token, and of another task without one", () =>
    Effect.gen(function*() {
      const { admin, fencing_token, machine } = yield* holding
      const complete = (rest: object = {}) =>
        machine.post("tasks/t/hooks/tests/complete", { status: "passed", ...rest })
      const unnamed = yield* complete()
      assert.deepStrictEqual([unnamed.status, unnamed.body._tag, unnamed.body.reason], [409, "LeaseLost", "unnamed"])
      assert.strictEqual((yield* complete({ fencing_token })).status, 200)
      yield* admin("POST", "tasks/t/submit", { commits_count: 1, turns_used: 1 })
      assert.strictEqual((yield* complete()).status, 200)
    }))

  it.effect("learns nothing of a task of another scope by moving it", () =>
    Effect.gen(function*() {
      const { as } = yield* holding
      const stranger = yield* as("work", "blue")
      for (const [move, body] of moves) {
        for (const rest of [{}, { fencing_token: 1 }]) {
          const answer = yield* stranger.post(`tasks/t/${move}`, { ...body, ...rest })
          assert.deepStrictEqual([answer.status, answer.body._tag], [404, "TaskNotFound"])
        }
      }
    }))

  it.effect("keeps nothing under the idempotency key of a refused move", () =>
    Effect.gen(function*() {
      const { admin, fencing_token, machine } = yield* holding
      const fail = (body: object) =>
        machine.ask("POST", "tasks/t/fail", { reason: "r", ...body }, { "idempotency-key": "one" })
      assert.strictEqual((yield* fail({})).status, 409)
      assert.strictEqual((yield* fail({ fencing_token })).status, 200)
      yield* admin("POST", "tasks/t/redrive")
      assert.strictEqual((yield* fail({ fencing_token })).headers.get("idempotent-replayed"), "true")
    }))
})
