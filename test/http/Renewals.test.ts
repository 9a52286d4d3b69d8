/** Renewals over HTTP: of one lease and of all leases of a machine, and what the next agent gets. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as TestClock from "effect/testing/TestClock"
import * as client from "../../src/client.ts"
import * as server from "../support/server.ts"

const claim = (agent_name: string) => ({ orchestrator_id: "k-m", agent_name, lease_duration_seconds: 60 })

const start = Effect.gen(function*() {
  const { fetch, send } = yield* server.make()
  const post = (path: string, body: unknown = {}) => send("POST", `/api/v1/${path}`, body)
  yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
  for (const id of ["a", "b"]) yield* post("tasks", { id, file_path: id, branch: "b" })
  return { fetch, send, post }
})

describe("POST /tasks/:id/renew", () => {
  it.effect("answers the lease, or refuses with the holder or the queue of the task", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const claimed = (yield* post("tasks/claim", claim("ann"))).body
      assert.deepInclude(claimed, {
        renew_after_seconds: 20,
        handoff: {
          checkpoint: null,
          setbacks: [],
          answers: [],
          last_rejection_reason: null,
          execution_notes: null,
          check_results: null
        }
      })
      const { fencing_token } = claimed
      yield* TestClock.adjust("10 seconds")
      const checkpoint = { branch: "x", notes: "n" }
      const renewed = yield* post("tasks/a/renew", { fencing_token, checkpoint })
      assert.deepStrictEqual([renewed.status, renewed.body], [200, {
        task_id: "a",
        fencing_token,
        lease_expires_at: "1970-01-01T00:01:10.000Z",
        deadline_at: null,
        renew_after_seconds: 20,
        checkpoint_version: 1,
        reattached: false,
        directive: "continue",
        cancel_reason: null,
        pause_reason: null,
        pause_kind: null
      }])
      const handoff = yield* send("GET", "/api/v1/tasks/a/handoff")
      assert.deepStrictEqual(handoff.body, {
        task_id: "a",
        checkpoint: {
          version: 1,
          fencing_token,
          branch: "x",
          head_commit: null,
          notes: "n",
          open_questions: [],
          at: "1970-01-01T00:00:10.000Z"
        },
        setbacks: [],
        answers: [],
        last_rejection_reason: null,
        execution_notes: null,
        check_results: null
      })
      assert.strictEqual((yield* post("tasks/nowhere/renew", { fencing_token })).status, 404)
      assert.strictEqual((yield* post("tasks/a/renew?scope=other", { fencing_token })).status, 404)
      const taken = yield* post("tasks/a/renew", { fencing_token: fencing_token + 1 })
      assert.deepInclude(taken.body, { _tag: "LeaseLost", reason: "taken", claimed_by: "ann", queue: "claimed" })
      yield* post("tasks/a/reject", { reason: "r", rejected_by: "x" })
      const moved = yield* post("tasks/a/renew", { fencing_token })
      assert.strictEqual(moved.status, 409)
      assert.deepInclude(moved.body, { _tag: "LeaseLost", reason: "moved", claimed_by: null, queue: "incoming" })
      assert.include(moved.body.error, "claim again")
    }))

  it.effect("names the fields that do not fit", () =>
    Effect.gen(function*() {
      const { post } = yield* start
      const { fencing_token } = (yield* post("tasks/claim", claim("ann"))).body
      assert.include((yield* post("tasks/a/renew")).body.error, "Missing required field: fencing_token")
      for (const wrong of [{ fencing_token: "1" }, { fencing_token, checkpoint: [] }, { fencing_token: 1.5 }]) {
        assert.deepInclude(
          (yield* post("tasks/a/renew", wrong)).body,
          { _tag: "InvalidRequest" },
          JSON.stringify(wrong)
        )
      }
      const long = yield* post("tasks/a/renew", { fencing_token, lease_duration_seconds: 86_401 })
      assert.deepStrictEqual([long.status, long.body.field], [400, "lease_duration_seconds"])
      const large = yield* post("tasks/a/renew", { fencing_token, checkpoint: { notes: "x".repeat(16_384) } })
      assert.deepStrictEqual([large.status, large.body._tag, large.body.max_bytes], [413, "CheckpointTooLarge", 16_384])
    }))

  it.live("is repeated by the typed client when an answer is lost", () =>
    Effect.gen(function*() {
      const { fetch, post } = yield* start
      const { fencing_token } = (yield* post("tasks/claim", claim("ann"))).body
      const calls: Array<string> = []
      const losing = (async (input: string | URL | Request, init?: RequestInit) => {
        const answer = await fetch(input, init)
        calls.push(new URL(String(input)).pathname)
        return calls.length === 1 ? new Response("{}", { status: 503 }) : answer
      }) as typeof globalThis.fetch
      const api = yield* client.make({ baseUrl: "http://server" }).pipe(Effect.provide(FetchHttpClient.layer))
      const query = {}
      yield* Effect.gen(function*() {
        const lease = yield* api.tasks.renew({
          params: { id: client.TaskId.make("a") },
          payload: { fencing_token },
          query
        })
        assert.strictEqual(lease.directive, "continue")
        assert.deepStrictEqual(calls, ["/api/v1/tasks/a/renew", "/api/v1/tasks/a/renew"])
        const beat = yield* api.orchestrators.heartbeat({
          params: { id: client.OrchestratorId.make("k-m") },
          payload: { leases: [{ task_id: client.TaskId.make("a"), fencing_token }] },
          query
        })
        assert.isTrue("renewed" in beat && beat.renewed.length === 1)
      }).pipe(Effect.provideService(FetchHttpClient.Fetch, losing))
    }))
})

describe("a heartbeat with leases", () => {
  it.effect("says which leases go on, which are lost and why, and what to do", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const ann = (yield* post("tasks/claim", claim("ann"))).body.fencing_token
      const bob = (yield* post("tasks/claim", { ...claim("bob"), lease_duration_seconds: 30 })).body.fencing_token
      assert.deepStrictEqual((yield* post("orchestrators/k-m/heartbeat")).body, {
        success: true,
        last_heartbeat: "1970-01-01T00:00:00.000Z"
      })
      yield* TestClock.adjust("31 seconds")
      yield* post("tasks/claim", { ...claim("eve"), lease_duration_seconds: 1 })
      yield* send("PATCH", "/api/v1/orchestrators/k-m", { status: "maintenance" })
      const beat = yield* post("orchestrators/k-m/heartbeat", {
        leases: [
          { task_id: "x", fencing_token: 1 },
          { task_id: "b", fencing_token: bob },
          { task_id: "a", fencing_token: ann, checkpoint: { notes: "n" } }
        ]
      })
      assert.deepStrictEqual([beat.status, beat.body], [200, {
        success: true,
        last_heartbeat: "1970-01-01T00:00:31.000Z",
        renewed: [{
          task_id: "a",
          fencing_token: ann,
          lease_expires_at: "1970-01-01T00:01:31.000Z",
          deadline_at: null,
          renew_after_seconds: 20,
          checkpoint_version: 1,
          reattached: false
        }],
        refused: [],
        lost: [
          {
            task_id: "x",
            fencing_token: 1,
            reason: "not_found",
            error: "Task not found: x.",
            queue: null,
            claimed_by: null
          },
          {
            task_id: "b",
            fencing_token: bob,
            reason: "taken",
            error: `The lease ${bob} of task b is over: eve holds the task now. Stop working on it, and claim again.`,
            queue: "claimed",
            claimed_by: "eve"
          }
        ],
        directives: [{
          task_id: "a",
          directive: "pause",
          reason: "Orchestrator k-m is in maintenance.",
          pause_kind: "maintenance"
        }],
        renew_after_seconds: 20
      }])
      assert.deepInclude((yield* post("orchestrators/k-m/heartbeat", { leases: [] })).body, {
        renewed: [],
        refused: [],
        lost: [],
        directives: [],
        renew_after_seconds: null
      })
    }))

  it.effect("refuses an invalid heartbeat, and renews nothing", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const { fencing_token } = (yield* post("tasks/claim", claim("ann"))).body
      const before = (yield* send("GET", "/api/v1/tasks/a")).body
      yield* TestClock.adjust("10 seconds")
      const lease = { task_id: "a", fencing_token }
      const many = yield* post("orchestrators/k-m/heartbeat", { leases: Array.from({ length: 201 }, () => lease) })
      assert.deepStrictEqual([many.status, many.body._tag], [400, "InvalidRequest"])
      const wrong = yield* post("orchestrators/k-m/heartbeat", { leases: [lease, { task_id: "b" }] })
      assert.deepStrictEqual(wrong.body.issues[0].path, ["body", "leases", 1, "fencing_token"])
      const long = yield* post("tasks/a/renew", { fencing_token, lease_duration_seconds: -1 })
      assert.deepStrictEqual([long.status, long.body._tag], [400, "InvalidTask"])
      assert.strictEqual((yield* post("orchestrators/x/heartbeat", { leases: [lease] })).status, 404)
      assert.deepStrictEqual((yield* send("GET", "/api/v1/tasks/a")).body, before)
      assert.strictEqual(
        (yield* post("orchestrators/k-m/heartbeat", { leases: Array.from({ length: 200 }, () => lease) })).body.renewed
          .length,
        1
      )
    }))

  it.effect("refuses the invalid part of one renewal, and renews every lease", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const [a, b] = [(yield* post("tasks/claim", claim("ann"))).body, (yield* post("tasks/claim", claim("ann"))).body]
      yield* TestClock.adjust("10 seconds")
      const leases = [
        { task_id: "a", fencing_token: a.fencing_token, checkpoint: { notes: "x".repeat(20_000) } },
        { task_id: "b", fencing_token: b.fencing_token, lease_duration_seconds: 1e9 }
      ]
      const { body } = yield* post("orchestrators/k-m/heartbeat", { leases })
      assert.deepStrictEqual(body.renewed.map((lease: any) => [lease.task_id, lease.lease_expires_at]), [
        ["a", "1970-01-01T00:01:10.000Z"],
        ["b", "1970-01-01T00:01:10.000Z"]
      ])
      assert.deepStrictEqual(body.refused.map((lease: any) => lease.task_id), ["a", "b"])
      assert.include(body.refused[0].error, "checkpoint")
      assert.isNull((yield* send("GET", "/api/v1/tasks/a/handoff")).body.checkpoint)
    }))

  it.effect("an empty checkpoint does not erase the one before", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const { fencing_token } = (yield* post("tasks/claim", claim("ann"))).body
      yield* post("tasks/a/renew", { fencing_token, checkpoint: { notes: "n" } })
      for (const checkpoint of [{}, { note: "oops" }, { notes: null }]) {
        assert.strictEqual((yield* post("tasks/a/renew", { fencing_token, checkpoint })).status, 400)
      }
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a/handoff")).body.checkpoint.notes, "n")
    }))

  it.effect("a machine with the same name in another scope pauses no lease here", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const { fencing_token } = (yield* post("tasks/claim", claim("ann"))).body
      yield* send("DELETE", "/api/v1/orchestrators/k-m?scope=default")
      yield* post("orchestrators/register", { cluster: "k", machine_id: "m", scope: "other" })
      yield* send("PATCH", "/api/v1/orchestrators/k-m?scope=other", { status: "maintenance" })
      assert.strictEqual((yield* post("tasks/a/renew", { fencing_token })).body.directive, "continue")
    }))

  it.effect("a heartbeat that names a lease twice refuses the entry that is not used", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const { fencing_token } = (yield* post("tasks/claim", claim("ann"))).body
      const lease = { task_id: "a", fencing_token }
      const note = (notes: string) => ({ ...lease, checkpoint: { notes } })
      const beat = (leases: ReadonlyArray<object>, key: string) =>
        Effect.map(
          send("POST", "/api/v1/orchestrators/k-m/heartbeat", { leases }, { "idempotency-key": key }),
          ({ body }) => body
        )
      const error =
        `The lease ${fencing_token} of task a is listed twice. The last entry counts: the checkpoint and the duration of this one were not used.`
      for (
        const [key, leases, refused, kept] of [
          ["k1", [note("first"), note("second")], 1, "second"],
          ["k2", [note("third"), lease], 1, "second"],
          ["k3", [lease, note("fourth")], 0, "fourth"],
          ["k4", [note("fifth"), note("fifth"), lease, note("fifth")], 0, "fifth"],
          ["k5", [{ ...lease, lease_duration_seconds: 600 }, note("x".repeat(20_000)), note("sixth")], 2, "sixth"]
        ] as const
      ) {
        const body = yield* beat(leases, key)
        assert.strictEqual(body.renewed.length, 1)
        assert.deepStrictEqual(
          body.refused,
          Array.from({ length: refused }, () => ({ task_id: "a", fencing_token, error })),
          key
        )
        assert.strictEqual((yield* send("GET", "/api/v1/tasks/a/handoff")).body.checkpoint.notes, kept)
        assert.deepStrictEqual((yield* beat(leases, key)).refused, body.refused)
      }
    }))

  it.effect("a repeated heartbeat that names a lease twice gets the same answer", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const { fencing_token } = (yield* post("tasks/claim", claim("ann"))).body
      const lease = { task_id: "a", fencing_token }
      const beat = () =>
        send("POST", "/api/v1/orchestrators/k-m/heartbeat", {
          leases: [lease, lease, { task_id: "z", fencing_token: 1 }]
        }, {
          "idempotency-key": "k"
        })
      const first = yield* beat()
      assert.deepStrictEqual([first.body.renewed.length, first.body.lost.length], [1, 1])
      assert.deepStrictEqual((yield* beat()).body, first.body)
    }))
})

describe("a renewal under an idempotency key", () => {
  it.effect("says reattached as its first answer did, even if another renewal came in the same millisecond", () =>
    Effect.gen(function*() {
      const { send } = yield* start
      const post = (path: string, body: unknown, key: string) =>
        send("POST", `/api/v1/${path}`, body, { "idempotency-key": key })
      yield* post("tasks/claim", claim("ann"), "claim")
      yield* TestClock.adjust("2 minutes")
      yield* post("tasks/claim", { ...claim("bob"), queue: "needs_continuation" }, "other")
      const renew = (key: string) =>
        Effect.map(post("tasks/a/renew", { fencing_token: 1 }, key), ({ body }) => body.reattached)
      const leases = [{ task_id: "a", fencing_token: 1 }]
      const beat = (key: string) =>
        Effect.map(post("orchestrators/k-m/heartbeat", { leases }, key), ({ body }) => body.renewed[0].reattached)
      assert.deepStrictEqual([yield* renew("x"), yield* renew("y")], [true, false])
      assert.deepStrictEqual([yield* renew("x"), yield* renew("y")], [true, false])
      assert.deepStrictEqual([yield* beat("z"), yield* beat("z")], [false, false])
    }))
})
