/** Who submitted a result, the session of its agent, and the evidence that a project requires. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { MaxEvidence, MaxEvidenceBytes, MaxKind, MaxRequired } from "../../src/domain/task/Evidence.ts"
import * as server from "../support/server.ts"

const start = (required: ReadonlyArray<string> = ["test", "lint"]) =>
  Effect.gen(function*() {
    const { send } = yield* server.make({ BACKOFF_SECONDS: "0" })
    const post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
      send("POST", `/api/v1/${path}`, body, headers)
    const get = (path: string) => Effect.map(send("GET", `/api/v1/${path}`), ({ body }) => body)
    yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
    yield* post("projects", { id: "p", title: "p", branch: "b", evidence_required: required })
    yield* post("tasks", { id: "a", file_path: "a", project_id: "p", branch: "b" })
    const claim = Effect.map(
      post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60 }),
      ({ body }) => body.fencing_token as number
    )
    const submit = (rest: object) => post("tasks/a/submit", { commits_count: 1, turns_used: 1, ...rest })
    const accept = post("tasks/a/accept", { accepted_by: "gate" })
    return { accept, claim, get, post, send, submit }
  })

const passed = (kind: string, rest: object = {}) => ({ kind, exit_code: 0, ...rest })

const flags = (task: any) => task.evidence.map(({ kind, stale }: any) => [kind, stale])

describe("evidence", () => {
  it.effect("is shown to the reviewer, and is about the head commit unless it names another", () =>
    Effect.gen(function*() {
      const { claim, get, submit } = yield* start()
      const fencing_token = yield* claim
      const evidence = [
        { kind: "test", command: "npm test", exit_code: 0, url: "https://ci/1", summary: "all pass" },
        { kind: "other", commit: "old" }
      ]
      const { body, status } = yield* submit({ fencing_token, head_commit: "c1", evidence })
      assert.strictEqual(status, 200)
      const kept = [
        { ...evidence[0], commit: "c1", stale: false },
        { kind: "other", command: null, exit_code: null, commit: "old", url: null, summary: null, stale: true }
      ]
      assert.deepStrictEqual(body.evidence, kept)
      assert.strictEqual(body.head_commit, "c1")
      assert.deepStrictEqual((yield* get("tasks/a")).evidence, kept)
      const last = (yield* get("tasks/a/history")).history.at(-1)
      assert.deepInclude(last.details, { head_commit: "c1", evidence: ["test", "other"] })
    }))

  it.effect("has to be there for every kind that the project requires: the refusal names what is missing", () =>
    Effect.gen(function*() {
      const { accept, claim, get, submit } = yield* start()
      yield* submit({
        fencing_token: yield* claim,
        head_commit: "c1",
        evidence: [passed("test"), { kind: "lint", exit_code: 2 }]
      })
      const refused = yield* accept
      assert.strictEqual(refused.status, 409)
      const { error, ...rest } = refused.body
      assert.deepStrictEqual(rest, {
        _tag: "EvidenceMissing",
        task_id: "a",
        head_commit: "c1",
        missing: [],
        stale: [],
        failed: ["lint"]
      })
      assert.include(error, "failed: lint")
      assert.strictEqual((yield* get("tasks/a")).queue, "provisional")
    }))

  it.effect("counts for the commit it names: a later result or checkpoint with another head makes it stale", () =>
    Effect.gen(function*() {
      const { accept, claim, get, post, submit } = yield* start(["test"])
      yield* submit({ fencing_token: yield* claim, head_commit: "c1", evidence: [passed("test")] })
      yield* post("tasks/a/reject", { reason: "no", rejected_by: "gate" })
      const fencing_token = yield* claim
      yield* post("tasks/a/renew", { fencing_token, checkpoint: { head_commit: "c2" } })
      yield* submit({ fencing_token })
      const stale = yield* accept
      assert.deepInclude(stale.body, { _tag: "EvidenceMissing", stale: ["test"], missing: [], head_commit: "c2" })
      assert.include(stale.body.error, "stale, because the head commit is c2 now: test")
      yield* post("tasks/a/reject", { reason: "no", rejected_by: "gate" })
      yield* submit({ fencing_token: yield* claim, evidence: [passed("test")] })
      assert.deepInclude((yield* get("tasks/a")).evidence[0], { commit: "c2" })
      assert.strictEqual((yield* accept).status, 200)
    }))

  it.effect("shows whether it is stale to reviewers: in the task, the claim, lists, the project and the overview", () =>
    Effect.gen(function*() {
      const { claim, get, post, submit } = yield* start()
      const fencing_token = yield* claim
      const evidence = [passed("test"), { kind: "lint", exit_code: 2, commit: "c1" }]
      yield* submit({ fencing_token, evidence })
      const known = [["test", false], ["lint", false]]
      assert.deepStrictEqual(flags(yield* get("tasks/a")), known, "no head commit is known yet")
      const reviewed = Effect.map(get("overview"), ({ reviews }) => reviews.items[0].evidence)
      assert.deepStrictEqual(yield* reviewed, [
        { kind: "test", exit_code: 0, stale: false },
        { kind: "lint", exit_code: 2, stale: false }
      ])
      const review = (yield* post("tasks/claim", {
        orchestrator_id: "k-m",
        agent_name: "eve",
        queue: "provisional"
      })).body
      yield* post("tasks/a/renew", { fencing_token: review.fencing_token, checkpoint: { head_commit: "c2" } })
      const stale = [["test", true], ["lint", true]]
      assert.deepStrictEqual(flags(yield* get("tasks/a")), stale)
      assert.deepStrictEqual(flags((yield* get("tasks?queue=provisional")).tasks[0]), stale)
      assert.deepStrictEqual(flags((yield* get("projects/p/tasks")).tasks[0]), stale)
      const released = yield* post("tasks/a/requeue", { fencing_token: review.fencing_token, release: true })
      assert.deepStrictEqual(flags(released.body), stale)
      assert.deepStrictEqual((yield* reviewed).map(({ stale }: any) => stale), [true, true])
      const again = yield* post("tasks/claim", { orchestrator_id: "k-m", agent_name: "eve", queue: "provisional" })
      assert.deepStrictEqual(flags(again.body), stale)
    }))

  it.effect("is not required by a project without the policy, and PATCH changes the policy", () =>
    Effect.gen(function*() {
      const { accept, claim, get, send, submit } = yield* start()
      yield* submit({ fencing_token: yield* claim })
      assert.deepInclude((yield* accept).body, { missing: ["test", "lint"] })
      const patch = (evidence_required: unknown) => send("PATCH", "/api/v1/projects/p", { evidence_required })
      assert.deepStrictEqual((yield* patch(["test", "test"])).body.evidence_required, ["test"])
      assert.deepInclude((yield* accept).body, { missing: ["test"] })
      assert.isNull((yield* patch([])).body.evidence_required)
      assert.strictEqual((yield* accept).status, 200)
      assert.isNull((yield* get("projects/p")).evidence_required)
    }))

  it.effect("has limits, and a larger list or text is refused by name", () =>
    Effect.gen(function*() {
      const { claim, send, submit } = yield* start()
      const fencing_token = yield* claim
      const items = (n: number) => Array.from({ length: n }, (_, i) => passed(`k${i}`))
      const statusOf = (evidence: unknown) => Effect.map(submit({ fencing_token, evidence }), ({ status }) => status)
      assert.strictEqual(yield* statusOf(items(MaxEvidence + 1)), 400)
      assert.strictEqual(yield* statusOf([{ kind: "" }]), 400)
      assert.strictEqual(yield* statusOf([{ kind: "t", exit_code: 0.5 }]), 400)
      assert.strictEqual(yield* statusOf([{ kind: "x".repeat(MaxKind + 1) }]), 413)
      const large = yield* submit({ fencing_token, evidence: [passed("t", { summary: "x".repeat(MaxEvidenceBytes) })] })
      assert.deepInclude(large.body, { _tag: "TooLarge", field: "evidence", limit: MaxEvidenceBytes })
      const many = yield* send("PATCH", "/api/v1/projects/p", {
        evidence_required: Array.from({ length: MaxRequired + 1 }, (_, i) => `k${i}`)
      })
      assert.strictEqual(many.status, 400)
      assert.strictEqual(yield* statusOf(items(MaxEvidence)), 200)
    }))
})

describe("the submitter and the session", () => {
  it.effect("are those of the lease, also after it expired", () =>
    Effect.gen(function*() {
      const { claim, get, post, submit } = yield* start([])
      const fencing_token = yield* claim
      yield* post("tasks/a/renew", { fencing_token, session_url: "https://s/1" })
      yield* TestClock.adjust("2 minutes")
      // The claim takes the lease back, and finds nothing else.
      yield* post("tasks/claim", { orchestrator_id: "k-m", agent_name: "bob", queue: "needs_continuation" })
      const { body } = yield* submit({ fencing_token, resume_command: "resume 1" })
      assert.deepInclude(body, {
        submitted_by: "ann",
        submitted_orchestrator_id: "k-m",
        session_url: "https://s/1",
        resume_command: "resume 1",
        session_token: fencing_token,
        claimed_by: null
      })
      assert.strictEqual((yield* get("tasks/a")).submitted_by, "ann")
    }))

  it.effect("of an earlier lease stay until another agent names its session", () =>
    Effect.gen(function*() {
      const { claim, get, post, send } = yield* start([])
      const first = yield* claim
      yield* post("tasks/a/renew", {
        fencing_token: first,
        checkpoint: { notes: "n", session_url: "https://s/1", resume_command: "resume 1" }
      })
      yield* post("tasks/a/requeue", { fencing_token: first })
      const second = yield* claim
      assert.deepInclude(yield* get("tasks/a"), {
        session_url: "https://s/1",
        session_token: first,
        fencing_token: second
      })
      const leases = [{ task_id: "a", fencing_token: second, session_url: "https://s/2" }]
      yield* send("POST", "/api/v1/orchestrators/k-m/heartbeat", { leases })
      assert.deepInclude(yield* get("tasks/a"), {
        session_url: "https://s/2",
        resume_command: null,
        session_token: second
      })
      const late = yield* post("tasks/a/renew", { fencing_token: first, session_url: "https://s/3" })
      assert.strictEqual(late.status, 409)
      assert.deepInclude(yield* get("tasks/a"), { session_url: "https://s/2", session_token: second })
    }))
})
