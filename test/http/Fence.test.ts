/** `GET /tasks/:id/fence`: whether a fencing token may still push, for hooks of git. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as client from "../../src/client.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A task that ann holds under the token 1, and what a git hook asks about it. */
const holding = (task: object = {}, config: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const { connect, send, withFetch } = yield* server.make({ API_SECRET_KEY: Secret, ...config })
    const admin = (method: string, path: string, body?: unknown) =>
      send(method, `/api/v1/${path}`, body, bearer(Secret))
    const post = (path: string, body: unknown = {}) => admin("POST", path, body)
    const { api_key } = (yield* post("scopes/red/keys", { rank: "fence" })).body
    const hook = (path: string) => send("GET", `/api/v1/${path}`, undefined, bearer(api_key))
    yield* post("orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })
    yield* post("tasks", { id: "t", scope: "red", file_path: "t", branch: "b", ...task })
    const claim = (agent_name: string, rest: object = {}) =>
      post("tasks/claim", { scope: "red", orchestrator_id: "k-m", agent_name, lease_duration_seconds: 60, ...rest })
    const claimed = yield* claim("ann", "queue" in task ? { queue: task.queue } : {})
    assert.strictEqual(claimed.body.fencing_token, 1)
    const fence = (token: number) => Effect.map(hook(`tasks/t/fence?token=${token}`), ({ body }) => body)
    const mayPush = (token: number) => Effect.map(fence(token), ({ may_push }) => may_push as boolean)
    // A claim for which there is nothing takes expired leases back, as the cron does.
    const takeBack = claim("eve", { role_filter: "nobody" })
    return { admin, api_key, claim, connect, fence, hook, mayPush, post, send, takeBack, withFetch }
  })

describe("the fence", () => {
  it.effect("lets the token of the present lease push, and no other", () =>
    Effect.gen(function*() {
      const { fence } = yield* holding()
      assert.deepStrictEqual(yield* fence(1), {
        task_id: "t",
        token: 1,
        may_push: true,
        reason: "The lease 1 of task t goes on until 1970-01-01T00:01:00.000Z.",
        latest_token: 1
      })
      for (const token of [0, 2, -1]) {
        assert.deepStrictEqual(yield* fence(token), {
          task_id: "t",
          token,
          may_push: false,
          reason: `The lease ${token} of task t is over: ann holds the task now. Stop working on it, and claim again.`,
          latest_token: 1
        })
      }
    }))

  it.effect("lets the token of an expired lease push until someone is granted the task or moves it", () =>
    Effect.gen(function*() {
      const { claim, fence, mayPush, takeBack } = yield* holding()
      const expired = {
        task_id: "t",
        token: 1,
        may_push: true,
        reason: "The lease 1 of task t ran out, and since then nobody has taken or moved the task. Renew it now.",
        latest_token: 1
      }
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* fence(1), expired)
      yield* takeBack
      assert.deepStrictEqual(yield* fence(1), expired)
      assert.strictEqual((yield* claim("bob")).body.fencing_token, 2)
      assert.deepStrictEqual([yield* mayPush(1), yield* mayPush(2)], [false, true])
      assert.include((yield* fence(1)).reason, "bob holds the task now")
    }))

  it.effect("says which lease was the latest, also when it is over", () =>
    Effect.gen(function*() {
      const { claim, fence, post } = yield* holding()
      yield* post("tasks/t/submit", { commits_count: 1, turns_used: 1, fencing_token: 1 })
      assert.include(yield* fence(1), { may_push: false, latest_token: 1 })
      yield* post("tasks/t/reject", { rejected_by: "eve", reason: "No test." })
      yield* claim("bob")
      yield* post("tasks/t/submit", { commits_count: 1, turns_used: 1, fencing_token: 2 })
      assert.include(yield* fence(1), { may_push: false, latest_token: 2 })
    }))

  it.effect.each<readonly [how: string, move: string, body: object]>([
    ["submitted", "submit", { commits_count: 1, turns_used: 1 }],
    ["requeued", "requeue", {}],
    ["failed", "fail", { reason: "r" }],
    ["accepted", "accept", { accepted_by: "x" }],
    ["released", "requeue", { release: true }]
  ])(
    "stops the token when the task is %s, before and after its lease expired",
    ([, move, body]) =>
      Effect.gen(function*() {
        const { fence, mayPush, post } = yield* holding()
        assert.strictEqual((yield* post(`tasks/t/${move}`, body)).status, 200)
        assert.isFalse(yield* mayPush(1))
        assert.match(
          (yield* fence(1)).reason,
          /^The lease 1 of task t is over: the task .*\. Stop working on it, and claim /
        )
        yield* TestClock.adjust("2 minutes")
        assert.isFalse(yield* mayPush(1))
      })
  )

  it.effect("goes on for a holder that is asked to stop, and ends with the lease", () =>
    Effect.gen(function*() {
      const { mayPush, post, takeBack } = yield* holding()
      yield* post("tasks/t/cancel")
      assert.isTrue(yield* mayPush(1))
      yield* TestClock.adjust("1 minute")
      assert.isFalse(yield* mayPush(1))
      yield* takeBack
      assert.isFalse(yield* mayPush(1))
    }))

  it.effect.each<readonly [what: string, task: object, may: boolean]>([
    ["an attempt within its deadline", { max_attempt_seconds: 3600 }, true],
    ["an attempt that exceeds its deadline", { max_attempt_seconds: 30 }, false],
    ["an attempt whose deadline is the end of its lease", { max_attempt_seconds: 60 }, false],
    ["a task that may lose one more lease", { max_lease_losses: 2 }, true],
    ["a task that may lose no more leases", { max_lease_losses: 1 }, false],
    ["a task of needs_continuation", { queue: "needs_continuation" }, true],
    ["a review", { queue: "provisional" }, false]
  ])("judges an expired lease as it will be once it is taken back: %s", ([, task, may]) =>
    Effect.gen(function*() {
      const { fence, mayPush, takeBack } = yield* holding(task)
      assert.isTrue(yield* mayPush(1))
      yield* TestClock.adjust("1 minute")
      const before = yield* fence(1)
      assert.strictEqual(before.may_push, may)
      assert.match(before.reason, may ? /ran out, and since then/ : /^The lease 1 of task t is over: .*\.$/)
      yield* takeBack
      assert.strictEqual(yield* mayPush(1), may)
    }))

  it.effect("judges by the default limits in force when the lease was granted", () =>
    Effect.gen(function*() {
      const { mayPush } = yield* holding({}, { MAX_LEASE_LOSSES: "1" })
      yield* TestClock.adjust("1 minute")
      assert.isFalse(yield* mayPush(1))
    }))

  it.effect("is a 404 for an unknown task, and for one of another scope, also by its right token", () =>
    Effect.gen(function*() {
      const { hook, post, send } = yield* holding()
      const stranger = (yield* post("scopes/blue/keys", { rank: "fence" })).body.api_key
      const elsewhere = yield* send("GET", "/api/v1/tasks/t/fence?token=1", undefined, bearer(stranger))
      const unknown = yield* hook("tasks/u/fence?token=1")
      assert.deepStrictEqual([elsewhere.status, elsewhere.body._tag], [404, "TaskNotFound"])
      assert.deepStrictEqual([unknown.status, unknown.body._tag], [404, "TaskNotFound"])
      assert.strictEqual((yield* hook("tasks/t/fence?token=1&scope=blue")).status, 403)
    }))

  it.effect("asks for a token that is a whole number", () =>
    Effect.gen(function*() {
      const { hook } = yield* holding()
      for (const query of ["", "?token=", "?token=x", "?token=1.5", "?token=null"]) {
        const refused = yield* hook(`tasks/t/fence${query}`)
        assert.deepStrictEqual([refused.status, refused.body._tag], [400, "InvalidRequest"])
        assert.include(refused.body.error, "query.token")
      }
    }))

  it.effect("costs one round trip", () =>
    Effect.gen(function*() {
      const { send } = yield* holding()
      for (const token of [1, 2]) {
        const { headers } = yield* send("GET", `/api/v1/tasks/t/fence?token=${token}`, undefined, bearer(Secret))
        assert.match(headers.get("server-timing")!, /trips=1 /)
      }
    }))

  it.effect("is all that a key of the rank fence may ask", () =>
    Effect.gen(function*() {
      const { api_key, hook, send } = yield* holding()
      assert.strictEqual((yield* hook("tasks/t/fence?token=1")).status, 200)
      for (const path of ["tasks/t", "tasks", "tasks/t/handoff", "scheduler/poll", "export"]) {
        const refused = yield* hook(path)
        assert.deepStrictEqual([refused.status, refused.body._tag], [403, "RankTooLow"], path)
      }
      const moved = yield* send("POST", "/api/v1/tasks/t/requeue", { fencing_token: 1 }, bearer(api_key))
      assert.deepStrictEqual([moved.status, moved.body._tag], [403, "RankTooLow"])
    }))

  it.live("answers the typed client", () =>
    Effect.gen(function*() {
      const { api_key, connect, withFetch } = yield* holding()
      yield* withFetch(Effect.gen(function*() {
        const hook = yield* connect({ token: api_key })
        const answer = yield* hook.tasks.fence({ params: { id: client.TaskId.make("t") }, query: { token: 1 } })
        assert.isTrue(answer.may_push)
      }))
    }))
})
