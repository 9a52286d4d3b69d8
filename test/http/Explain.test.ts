/** Explanations over HTTP: the body, and the parameters of the claim in question. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as server from "../support/server.ts"

const scope = "red"
const task = (id: string, rest: object = {}) => ({ id, scope, file_path: `${id}.md`, branch: "b", ...rest })
const claim = (rest: object = {}) => ({ scope, orchestrator_id: "k-m", agent_name: "ann", ...rest })

const start = Effect.gen(function*() {
  const { connect, send } = yield* server.make()
  const post = (path: string, body: unknown = {}) => send("POST", `/api/v1/${path}`, body)
  yield* post("orchestrators/register", { scope, cluster: "k", machine_id: "m" })
  const explain = (id: string, query = "") => send("GET", `/api/v1/tasks/${id}/explain${query}`)
  const reasons = (id: string, query = "") =>
    Effect.map(
      explain(id, query),
      ({ body }) =>
        body.reasons.map(({ blocking, reason }: { blocking: boolean; reason: string }) =>
          blocking ? reason : `(${reason})`
        )
    )
  return { connect, send, post, explain, reasons }
})

describe("GET /api/v1/tasks/:id/explain", () => {
  it.effect("says that a task is next, or how many tasks of which role come first", () =>
    Effect.gen(function*() {
      const { explain, post } = yield* start
      yield* post("tasks", task("a", { role: "build" }))
      yield* TestClock.adjust("1 second")
      yield* post("tasks", task("b", { role: "review" }))
      yield* post("tasks", task("c", { role: "review", priority: "P2" }))
      const answer = yield* explain("b", "?scope=red")
      assert.strictEqual(answer.status, 200)
      assert.match(answer.headers.get("server-timing")!, /trips=1 /)
      assert.deepStrictEqual(answer.body, {
        task_id: "b",
        queue: "incoming",
        claimed_by: null,
        claimable: true,
        summary: "Task b can be claimed. It is the next in incoming: no machine that may take it has asked since.",
        reasons: [
          {
            reason: "role",
            blocking: false,
            message: "Only a claim for the role review, or for any role, gets it.",
            role: "review"
          },
          {
            reason: "no_claim_yet",
            blocking: false,
            message: "It is the next in incoming: no machine that may take it has asked since.",
            queue: "incoming"
          }
        ]
      })
      const ahead = (query: string) => Effect.map(explain("c", query), ({ body }) => body.reasons.at(-1).ahead)
      assert.strictEqual(yield* ahead(""), 1)
      assert.strictEqual(yield* ahead("?any_role=true"), 2)
      assert.strictEqual(yield* ahead("?role=review,build"), 2)
    }))

  it.effect("names the blockers with their queues, and one that does not exist yet", () =>
    Effect.gen(function*() {
      const { explain, post } = yield* start
      yield* post("tasks", task("a"))
      yield* post("tasks/a/fail", { reason: "r" })
      yield* post("tasks", task("t", { blocked_by: "a,later" }))
      const { body } = yield* explain("t")
      assert.isFalse(body.claimable)
      assert.deepInclude(body.reasons[0], {
        reason: "blocked",
        blockers: [
          { task_id: "a", queue: "failed", on_failure: "wait" },
          { task_id: "later", queue: null, on_failure: "wait" }
        ]
      })
      assert.strictEqual(
        body.summary,
        "Task t cannot be claimed. It waits for a (failed), later (not created in this scope yet). Finish what it waits for, or take it out of blocked_by."
      )
    }))

  it.effect("reveals nothing about another scope", () =>
    Effect.gen(function*() {
      const { explain, post } = yield* start
      yield* post("tasks", { ...task("theirs"), scope: "blue" })
      yield* post("tasks", task("t", { blocked_by: "theirs" }))
      assert.isNull((yield* explain("t")).body.reasons[0].blockers[0].queue)
      assert.strictEqual((yield* explain("t", "?scope=blue")).status, 404)
    }))

  it.effect("names the holder and the end of the lease, and treats an expired lease as a claim would", () =>
    Effect.gen(function*() {
      const { explain, post, reasons } = yield* start
      yield* post("tasks", task("t"))
      const { body: held } = yield* post("tasks/claim", claim())
      const { body } = yield* explain("t", "?orchestrator_id=k-m")
      assert.include(body, { queue: "claimed", claimed_by: "ann", claimable: false })
      assert.deepInclude(body.reasons[0], { reason: "held", claimed_by: "ann", until: held.lease_expires_at })
      yield* TestClock.adjust("300 seconds")
      assert.include((yield* explain("t")).body, { queue: "incoming", claimed_by: null, claimable: true })
      assert.deepStrictEqual(yield* reasons("t", "?orchestrator_id=k-m"), [
        "(lease_expired)",
        "(orchestrator_offline)",
        "(no_claim_yet)"
      ])
      assert.deepStrictEqual(yield* reasons("t"), ["(lease_expired)", "(no_active_orchestrator)", "(no_claim_yet)"])
      assert.strictEqual((yield* post("tasks/claim", claim())).body.id, "t")
    }))

  it.effect("says how the task ended", () =>
    Effect.gen(function*() {
      const { explain, post, reasons, send } = yield* start
      for (const id of ["done", "lost", "off"]) yield* post("tasks", task(id))
      yield* post("tasks/done/force-queue", { queue: "done", reason: "r" })
      yield* post("tasks/lost/fail", { reason: "r" })
      yield* send("PATCH", "/api/v1/tasks/off", { queue: "cancelled" })
      assert.deepStrictEqual(yield* reasons("done"), ["finished"])
      assert.deepStrictEqual(yield* reasons("lost"), ["failed"])
      assert.deepStrictEqual(yield* reasons("off"), ["cancelled"])
      assert.isFalse((yield* explain("off")).body.claimable)
    }))

  it.effect("considers what a claim asks for", () =>
    Effect.gen(function*() {
      const { post, reasons } = yield* start
      yield* post("tasks", task("r", { queue: "provisional" }))
      yield* post("tasks", task("x", { queue: "testing", role: "review" }))
      assert.deepStrictEqual(yield* reasons("r"), ["(awaiting_review)", "(no_claim_yet)"])
      assert.deepStrictEqual(yield* reasons("r", "?queue=incoming"), ["other_queue"])
      assert.deepStrictEqual(yield* reasons("r", "?role=build"), ["role", "(awaiting_review)"])
      assert.deepStrictEqual(yield* reasons("x", "?role=build,review"), ["(other_queue)", "(role)", "(no_claim_yet)"])
      yield* post("roles/register", { orchestrator_id: "k-m", roles: [{ name: "build" }] })
      assert.deepStrictEqual(yield* reasons("x"), ["unknown_role", "(other_queue)", "(role)"])
      assert.deepStrictEqual(yield* reasons("x", "?any_role=true"), [
        "(other_queue)",
        "(unknown_role)",
        "(role)",
        "(no_claim_yet)"
      ])
      assert.deepStrictEqual(yield* reasons("r"), ["(awaiting_review)", "(role)", "(no_claim_yet)"])
    }))

  it.effect("considers the named machine, and refuses an unknown one", () =>
    Effect.gen(function*() {
      const { explain, post, reasons, send } = yield* start
      for (const id of ["a", "t"]) yield* post("tasks", task(id))
      yield* post("tasks", task("r", { queue: "provisional" }))
      yield* post("tasks/claim", claim())
      const full = yield* explain("t", "?orchestrator_id=k-m&max_claimed=1")
      assert.deepInclude(full.body.reasons[0], {
        reason: "at_capacity",
        orchestrator_id: "k-m",
        claimed: 1,
        max_claimed: 1
      })
      assert.deepStrictEqual(yield* reasons("t", "?orchestrator_id=k-m"), ["(no_claim_yet)"])
      // Reviews do not count.
      assert.isTrue((yield* explain("r", "?orchestrator_id=k-m&max_claimed=1")).body.claimable)
      // Tasks that the machine holds in another scope do not count.
      yield* post("tasks", { ...task("theirs"), scope: "blue" })
      assert.isTrue((yield* explain("theirs", "?orchestrator_id=k-m&max_claimed=1")).body.claimable)
      yield* send("PATCH", "/api/v1/orchestrators/k-m", { status: "maintenance" })
      assert.deepStrictEqual(yield* reasons("t", "?orchestrator_id=k-m"), ["maintenance"])
      const unknown = yield* explain("t", "?orchestrator_id=k-x")
      assert.deepStrictEqual([unknown.status, unknown.body.field], [400, "orchestrator_id"])
      assert.strictEqual((yield* explain("nobody", "?orchestrator_id=k-m")).status, 404)
      assert.strictEqual((yield* explain("t", "?max_claimed=many")).status, 400)
    }))

  it.effect("is part of the typed client", () =>
    Effect.gen(function*() {
      const { connect, post } = yield* start
      yield* post("tasks", task("t"))
      const client = yield* connect({ scope })
      const found = yield* client.tasks.explain({ params: { id: "t" as never }, query: { any_role: true } })
      assert.deepStrictEqual([found.claimable, found.reasons.map(({ reason }) => reason)], [true, ["no_claim_yet"]])
    }))
})
