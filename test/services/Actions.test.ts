/** Actions over real SQL: expiry, execution by one of many callers, final statuses, and scopes. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { ActionId } from "../../src/domain/Identifier.ts"
import {
  ActionFailure,
  type ActionFilter,
  ActionPatch,
  actionResultOf,
  NewAction
} from "../../src/domain/record/Action.ts"
import { NewTask } from "../../src/domain/task/TaskInput.ts"
import { Actions } from "../../src/services/record/Actions.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { ServicesLayer } from "../support/layers.ts"

const fresh = (rest: object = {}) =>
  Schema.decodeSync(NewAction)({ entity_type: "draft", entity_id: "42", label: "l", proposed_by: "ann", ...rest })
const task = Schema.decodeSync(NewTask)({ id: "t", file_path: "t", branch: "main" })
const change = Schema.decodeUnknownSync(ActionPatch)
const propose = (rest: object = {}, scope = "red") => Actions.use((actions) => actions.propose(scope, fresh(rest)))
const labels = (filter: ActionFilter, scope = "red") =>
  Effect.map(
    Actions.use((actions) => actions.list(scope, filter)),
    ({ actions, total }) => {
      assert.strictEqual(total, actions.length)
      return actions.map(({ label }) => label).join("")
    }
  )
const millis = (time: DateTime.Utc | null) => time === null ? null : DateTime.toEpochMillis(time)
const ten = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.all(Array.from({ length: 10 }, () => Effect.result(effect)), { concurrency: "unbounded" })

describe("Actions", () => {
  it.effect("makes ids that contain the time, and takes null and empty text for absent", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_123)
      const action = yield* propose({ action_type: "", description: null, expires_at: "", metadata: "" })
      assert.match(action.id, /^act-1700000000123-[0-9a-z]{6}$/)
      assert.deepInclude(action, {
        action_type: "proposal",
        description: null,
        expires_at: null,
        metadata: null,
        action_data: null,
        status: "proposed",
        executed_at: null,
        result: null
      })
      assert.deepStrictEqual(yield* Actions.use(({ get }) => get(action.id, "red")), action)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("E5, 8.2#5: keeps text as it is and writes a value as JSON", () =>
    Effect.gen(function*() {
      const text = "{ \"spaced\" :  1 }"
      assert.deepInclude(yield* propose({ action_data: text, metadata: { a: [1] } }), {
        action_data: text,
        metadata: "{\"a\":[1]}"
      })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("E15: a proposal expires at its time, in any format, and no other action does", () =>
    Effect.gen(function*() {
      const actions = yield* Actions
      for (const expires_at of ["1970-01-01T01:00:10.000+01:00", "1970-01-01 00:00:10", "1970-01-01T00:00:10.000000"]) {
        assert.strictEqual(millis((yield* propose({ label: "a", expires_at })).expires_at), 10_000)
      }
      const { id } = yield* propose({ label: "b", expires_at: "1970-01-01T00:00:10Z" })
      yield* propose({ label: "c" })
      const executed = yield* propose({ label: "d", expires_at: "1970-01-01T00:00:10Z" })
      yield* actions.execute(executed.id, "red")
      yield* TestClock.setTime(9_999)
      assert.deepStrictEqual([yield* labels({}), yield* labels({ status: "expired" })], ["dcbaaa", ""])
      yield* TestClock.setTime(10_000)
      assert.deepStrictEqual([yield* labels({}), yield* labels({ status: "expired" })], ["dc", "baaa"])
      assert.strictEqual(yield* labels({ status: "proposed" }), "c")
      assert.strictEqual((yield* actions.get(id, "red")).status, "expired")
      const listed = yield* actions.list("red", { status: "expired", limit: 1 })
      assert.deepStrictEqual(listed.actions.map(({ id, status }) => [id, status]), [[id, "expired"]])
      const refused = yield* Effect.flip(actions.execute(id, "red"))
      assert.deepInclude(refused, { error: "Action has expired", status: "expired" })
      for (const status of ["proposed", "executing", "completed"]) {
        assert.strictEqual(
          (yield* Effect.flip(actions.patch(id, change({ status }), "red")))._tag,
          "ActionStatusConflict"
        )
      }
      yield* Effect.flip(actions.finish(id, "completed", null, "red"))
      assert.strictEqual((yield* actions.patch(id, change({ status: "expired" }), "red")).status, "expired")
      assert.strictEqual(yield* labels({}), "dc")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("narrows by every filter, newest first, also within a millisecond", () =>
    Effect.gen(function*() {
      const actions = yield* Actions
      for (const label of ["a", "b", "c"]) yield* propose({ label, entity_id: label })
      yield* propose({ label: "d", entity_type: "task" })
      yield* propose({ label: "e" }, "blue")
      const { actions: [b] } = yield* actions.list("red", { entity_id: "b" })
      yield* actions.execute(b!.id, undefined)
      for (
        const [filter, expected] of [
          [{}, "dcba"],
          [{ entity_type: "", status: "" }, "dcba"],
          [{ entity_type: "draft" }, "cba"],
          [{ entity_type: "draft", entity_id: "c" }, "c"],
          [{ status: "pending" }, "dca"],
          [{ status: "proposed", entity_type: "draft" }, "ca"],
          [{ status: "execute_requested" }, "b"],
          [{ status: "expired" }, ""]
        ] as const
      ) assert.strictEqual(yield* labels(filter), expected, JSON.stringify(filter))
      const page = yield* actions.list("red", { limit: 2, offset: 1 })
      assert.deepStrictEqual(page.actions.map(({ label }) => label), ["c", "b"])
      assert.deepInclude(page, { total: 4, limit: 2, offset: 1 })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("B5: of ten simultaneous executions of an action one succeeds, and a finished action is never executed again", () =>
    Effect.gen(function*() {
      const actions = yield* Actions
      const { id } = yield* propose()
      yield* TestClock.setTime(3000)
      const outcomes = yield* ten(actions.execute(id, "red"))
      assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Success").length, 1)
      const action = yield* actions.get(id, "red")
      assert.deepStrictEqual([action.status, millis(action.executed_at)], ["execute_requested", 3000])
      assert.strictEqual(
        (yield* Effect.flip(actions.execute(id, "red"))).error,
        "Cannot execute action with status \"execute_requested\". Only \"proposed\" actions can be executed."
      )
      yield* TestClock.setTime(4000)
      const completed = yield* actions.patch(id, change({ status: "completed", result: { merged: true } }), "red")
      assert.deepStrictEqual([completed.result, millis(completed.executed_at)], ["{\"merged\":true}", 3000])
      for (const status of ["proposed", "execute_requested", "executing", "failed", "expired"]) {
        assert.deepInclude(yield* Effect.flip(actions.patch(id, change({ status }), "red")), {
          _tag: "ActionStatusConflict",
          status: "completed"
        })
      }
      assert.strictEqual((yield* Effect.flip(actions.execute(id, "red")))._tag, "ActionNotExecutable")
      assert.deepStrictEqual(yield* actions.get(id, "red"), completed)
      assert.strictEqual((yield* actions.patch(id, change({ result: null }), "red")).result, null)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("of ten simultaneous changes that expect the same status one succeeds", () =>
    Effect.gen(function*() {
      const actions = yield* Actions
      const { id } = yield* propose()
      yield* actions.execute(id, "red")
      const start = actions.patch(id, change({ status: "executing", expected_status: "execute_requested" }), "red")
      assert.strictEqual((yield* ten(start)).filter(({ _tag }) => _tag === "Success").length, 1)
      assert.include((yield* Effect.flip(start)).error, "is executing, not execute_requested")
      // An action under way cannot be approved again by a caller who does not know that.
      const again = yield* Effect.flip(actions.patch(id, change({ status: "proposed" }), "red"))
      assert.strictEqual(again._tag, "ActionStatusConflict")
      const back = yield* actions.patch(id, change({ status: "proposed", expected_status: "executing" }), "red")
      assert.deepInclude(back, { status: "proposed", executed_at: null })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("8.2#3: complete and fail end an action in any status once; a repeated call changes nothing", () =>
    Effect.gen(function*() {
      const actions = yield* Actions
      const { id } = yield* propose()
      yield* TestClock.setTime(3000)
      const outcomes = yield* ten(actions.finish(id, "completed", "ok", "red"))
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Success"))
      const completed = yield* actions.get(id, "red")
      assert.deepInclude(completed, { status: "completed", result: "ok" })
      assert.strictEqual(millis(completed.executed_at), 3000)
      yield* TestClock.setTime(4000)
      assert.deepStrictEqual(yield* actions.finish(id, "completed", null, "red"), completed)
      for (const [outcome, result] of [["failed", null], ["failed", "ok"], ["completed", "other"]] as const) {
        assert.deepInclude(yield* Effect.flip(actions.finish(id, outcome, result, "red")), {
          _tag: "ActionStatusConflict",
          status: "completed"
        })
      }
      assert.deepStrictEqual(yield* actions.get(id, "red"), completed)

      const other = yield* propose()
      yield* actions.patch(other.id, change({ result: "half" }), "red")
      assert.deepInclude(yield* actions.finish(other.id, "failed", null, "red"), { status: "failed", result: "half" })
    }).pipe(Effect.provide(ServicesLayer)))

  it.each(
    [
      [{}, null],
      [{ error: "boom" }, "boom"],
      [{ reason: "why" }, "why"],
      [{ result: { a: 1 }, error: "" }, "{\"a\":1}"],
      [{ error: "boom", result: "half" }, "{\"error\":\"boom\",\"result\":\"half\"}"]
    ] as const
  )(
    "keeps every text of a failure: %j",
    (failure, expected) => assert.strictEqual(actionResultOf(Schema.decodeSync(ActionFailure)(failure)), expected)
  )

  it.effect("finds and changes nothing in another scope", () =>
    Effect.gen(function*() {
      const actions = yield* Actions
      const { id } = yield* propose()
      for (
        const effect of [
          actions.get(id, "blue"),
          actions.execute(id, "blue"),
          actions.patch(id, change({ status: "executing" }), "blue"),
          actions.finish(id, "failed", null, "blue"),
          actions.get(ActionId.make("none"), undefined)
        ]
      ) assert.strictEqual((yield* Effect.flip(effect as Effect.Effect<unknown, Error>)).name, "ActionNotFound")
      assert.strictEqual((yield* actions.get(id, undefined)).status, "proposed")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("refuses a PATCH without fields, and an unknown status", () =>
    Effect.gen(function*() {
      const actions = yield* Actions
      const { id } = yield* propose()
      for (const body of [{}, { status: null }, { label: "x" }, { expected_status: "proposed" }]) {
        assert.deepInclude(yield* Effect.flip(actions.patch(id, change(body), "red")), {
          _tag: "NoFields",
          error: "No valid fields to update. Updatable fields: status, result"
        })
      }
      assert.deepInclude(yield* Effect.flip(actions.patch(id, change({ status: "asleep" }), "red")), {
        error:
          "Invalid status \"asleep\". Valid statuses: proposed, execute_requested, executing, completed, failed, expired"
      })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("C10: proposals about a task are withdrawn when the task is deleted", () =>
    Effect.gen(function*() {
      yield* propose({ label: "a", entity_type: "task", entity_id: "t" })
      yield* propose({ label: "b", entity_type: "draft", entity_id: "t" })
      yield* propose({ label: "c", entity_type: "task", entity_id: "u" })
      const tasks = yield* TaskQueue
      yield* tasks.create("red", task)
      yield* tasks.remove(task.id, "red")
      assert.strictEqual(yield* labels({}), "cb")
      assert.strictEqual(yield* labels({ status: "expired" }), "a")
    }).pipe(Effect.provide(ServicesLayer)))
})
