/** External keys: one open task of a scope has the key. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as client from "../../src/client.ts"
import * as server from "../support/server.ts"

const task = (id: string, rest: object = {}) => ({ id, file_path: `${id}.md`, branch: "b", ...rest })
const keyed = (id: string, rest: object = {}) => task(id, { external_key: "issue-7", ...rest })

const setup = Effect.gen(function*() {
  const { send, ...rest } = yield* server.make()
  const post = (path: string, body: object = {}) => send("POST", `/api/v1/tasks${path}`, body)
  const force = (id: string, queue: string) => post(`/${id}/force-queue`, { queue, reason: "r" })
  return { ...rest, send, post, force }
})

describe("external_key", () => {
  it.effect("a create with the key of an open task is answered with that task", () =>
    Effect.gen(function*() {
      const { force, post, send } = yield* setup
      const created = yield* post("", keyed("a"))
      assert.strictEqual(created.status, 201)
      assert.strictEqual(created.body.external_key, "issue-7")
      assert.notProperty(created.body, "existing")
      // The same again, another id, a taken id, a taken path, and what would be refused of any other.
      for (
        const again of [
          keyed("a"),
          keyed("b"),
          keyed("b", { file_path: "a.md" }),
          keyed("b", { project_id: "unknown" }),
          keyed("b", { blocked_by: "b" }),
          { id: "b", file_path: "b", external_key: "issue-7", scope: "default" }
        ]
      ) {
        const existing = yield* post("", again)
        assert.strictEqual(existing.status, 200, JSON.stringify(existing.body))
        assert.deepStrictEqual(existing.body, { ...created.body, existing: true })
      }
      assert.strictEqual((yield* send("GET", "/api/v1/tasks")).body.total, 1)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a/history")).body.total, 1)
      // Another scope has keys of its own, and a task that has ended gives the key free.
      assert.strictEqual((yield* post("", keyed("elsewhere", { scope: "blue" }))).status, 201)
      yield* force("a", "done")
      assert.strictEqual((yield* post("", keyed("b"))).status, 201)
      const found = yield* send("GET", "/api/v1/tasks?external_key=issue-7")
      assert.sameMembers(found.body.tasks.map(({ id }: any) => id), ["a", "b"])
      assert.strictEqual(found.body.total, 2)
    }))

  it.effect("two simultaneous creates make one task", () =>
    Effect.gen(function*() {
      const { post } = yield* setup
      const answers = yield* Effect.all([post("", keyed("a")), post("", keyed("b"))], { concurrency: 2 })
      assert.sameMembers(answers.map(({ status }) => status), [200, 201])
      assert.strictEqual(answers[0].body.id, answers[1].body.id)
    }))

  it.effect("refuses a key that is empty or too long", () =>
    Effect.gen(function*() {
      const { post } = yield* setup
      for (const external_key of ["", "k".repeat(256), 7]) {
        assert.strictEqual((yield* post("", task("a", { external_key }))).status, 400)
      }
      assert.strictEqual((yield* post("", task("a", { external_key: "k".repeat(255) }))).status, 201)
      assert.isNull((yield* post("", task("b", { external_key: null }))).body.external_key)
    }))

  it.effect("PATCH sets and clears the key, and is refused if another open task has it", () =>
    Effect.gen(function*() {
      const { post, send } = yield* setup
      yield* post("", keyed("a"))
      yield* post("", task("b"))
      const patch = (id: string, external_key: string | null) => send("PATCH", `/api/v1/tasks/${id}`, { external_key })
      const refused = yield* patch("b", "issue-7")
      assert.strictEqual(refused.status, 409)
      assert.include(refused.body, { _tag: "TaskExists", field: "external_key", task_id: "b" })
      assert.include(refused.body.error, "the open task a has the external_key issue-7")
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/b")).body.version, 1)
      assert.isNull((yield* patch("a", null)).body.external_key)
      assert.strictEqual((yield* patch("b", "issue-7")).body.external_key, "issue-7")
    }))

  const leaving: Record<string, (id: string, context: Effect.Success<typeof setup>) => Effect.Effect<server.Answer>> = {
    "force-queue": (id, { force }) => force(id, "incoming"),
    "a PATCH of the queue": (id, { send }) => send("PATCH", `/api/v1/tasks/${id}`, { queue: "incoming" }),
    "a PATCH that claims": (id, { send }) =>
      send("PATCH", `/api/v1/tasks/${id}`, { queue: "claimed", claimed_by: "ann" }),
    "a rejection, where the flow leads out of done": (id, { post }) =>
      post(`/${id}/reject`, { reason: "r", rejected_by: "x" }),
    "a requeue, where the flow leads out of done": (id, { post }) => post(`/${id}/requeue`)
  }

  it.effect.each(Object.keys(leaving))(
    "%s does not reopen a task if another open task has its key",
    (name) =>
      Effect.gen(function*() {
        const context = yield* setup
        const { force, post, send } = context
        yield* send("PUT", "/api/v1/flows/again", {
          states: ["incoming", "claimed", "provisional", "done"],
          transitions: [
            { from: "incoming", to: "claimed" },
            { from: "claimed", to: "provisional" },
            { from: "provisional", to: "done" },
            { from: "done", to: "incoming" }
          ]
        })
        yield* post("", keyed("a", { flow: "again" }))
        yield* force("a", "done")
        yield* post("", keyed("b"))
        const before = (yield* send("GET", "/api/v1/tasks/a")).body
        const refused = yield* leaving[name]!("a", context)
        assert.strictEqual(refused.status, 409, JSON.stringify(refused.body))
        assert.include(refused.body, { _tag: "TaskExists", field: "external_key", task_id: "a" })
        assert.include(refused.body.error, "the open task b has the external_key issue-7")
        assert.deepStrictEqual((yield* send("GET", "/api/v1/tasks/a")).body, before)
        yield* force("b", "failed")
        assert.strictEqual((yield* leaving[name]!("a", context)).status, 200)
      })
  )

  it.live("the typed client distinguishes the two answers", () =>
    Effect.gen(function*() {
      const { connect, withFetch } = yield* setup
      const { tasks } = yield* connect()
      const create = (id: string) =>
        withFetch(tasks.create({
          query: {},
          payload: { id: client.TaskId.make(id), file_path: id, external_key: "issue-7" }
        }))
      assert.isFalse("existing" in (yield* create("a")))
      const existing = yield* create("b")
      assert.isTrue("existing" in existing && existing.existing)
      assert.strictEqual(existing.id, "a")
    }))

  it.effect("the answer that a task exists is kept under the idempotency key too", () =>
    Effect.gen(function*() {
      const { post, send } = yield* setup
      yield* post("", keyed("a"))
      const create = () => send("POST", "/api/v1/tasks", keyed("b"), { "idempotency-key": "k" })
      const first = yield* create()
      assert.deepInclude(first.body, { id: "a", existing: true })
      yield* post("/a/cancel")
      const again = yield* create()
      assert.deepStrictEqual([again.status, again.body], [first.status, first.body])
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/b")).status, 404)
    }))

  it.effect("distinguishes texts that differ", () =>
    Effect.gen(function*() {
      const { post } = yield* setup
      for (const external_key of ["", "  ", "\ud800", "a\u0000b", "x".repeat(256)]) {
        assert.strictEqual((yield* post("", task("a", { external_key }))).status, 400, JSON.stringify(external_key))
      }
    }))
})
