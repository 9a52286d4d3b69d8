/** Messages and actions over HTTP: what plain clients send and get. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as client from "../../src/client.ts"
import * as server from "../support/server.ts"

const messageKeys = [
  "id",
  "task_id",
  "from_actor",
  "to_actor",
  "type",
  "content",
  "status",
  "created_at",
  "scope",
  "parent_message_id"
]
const actionKeys = [
  "id",
  "entity_type",
  "entity_id",
  "action_type",
  "label",
  "description",
  "status",
  "proposed_by",
  "proposed_at",
  "executed_at",
  "result",
  "expires_at",
  "metadata",
  "scope",
  "action_data"
]
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const mail = { task_id: "t", from_actor: "ann", type: "action_command", content: "do it", scope: "red" }
const idea = { entity_type: "draft", entity_id: "42", label: "Process", proposed_by: "ann", scope: "red" }

describe("/api/v1/messages", () => {
  it.effect("send, reply, list, read, take", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const sent = yield* send("POST", "/api/v1/messages", { ...mail, to_actor: "agent", payload: "tolerated" })
      assert.strictEqual(sent.status, 201)
      assert.sameMembers(Object.keys(sent.body), messageKeys)
      assert.include(sent.body, { ...mail, to_actor: "agent", parent_message_id: null, status: "pending" })
      assert.match(sent.body.id, /^msg-\d+-[0-9a-z]{6}$/)
      assert.match(sent.body.created_at, iso)
      assert.match(sent.headers.get("server-timing")!, /trips=1 /)

      const unreplied = "/api/v1/messages?scope=red&to_actor=agent&type=action_command&unreplied=True"
      assert.deepStrictEqual((yield* send("GET", unreplied)).body, {
        messages: [sent.body],
        total: 1,
        offset: 0,
        limit: 50,
        next_cursor: null
      })
      const reply = { ...mail, type: "worker_result", parent_message_id: sent.body.id }
      const replied = yield* send("POST", "/api/v1/messages", reply)
      assert.strictEqual(replied.body.parent_message_id, sent.body.id)
      assert.match(replied.headers.get("server-timing")!, /trips=1 /)
      assert.strictEqual((yield* send("GET", unreplied)).body.total, 0)
      const thread = yield* send("GET", `/api/v1/messages?scope=red&thread_id=${sent.body.id}`)
      assert.deepStrictEqual(thread.body, {
        messages: [sent.body, replied.body],
        total: 2,
        offset: 0,
        limit: 2,
        next_cursor: null
      })

      const path = `/api/v1/messages/${sent.body.id}`
      assert.deepStrictEqual((yield* send("GET", path)).body, sent.body)
      const taking = { status: "processing", expected_status: "pending" }
      assert.strictEqual((yield* send("PATCH", path, taking)).body.status, "processing")
      const late = yield* send("PATCH", path, taking)
      assert.deepStrictEqual([late.status, late.body._tag], [409, "MessageStatusConflict"])
      assert.strictEqual((yield* send("PATCH", path, { status: "done" })).body.status, "done")
      assert.strictEqual((yield* send("GET", "/api/v1/messages?scope=red&status=done")).body.total, 1)
    }))

  it.effect("C8: the messages of a task are the newest 50, even if the task does not exist", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      for (let n = 0; n < 52; n++) yield* send("POST", "/api/v1/messages", { ...mail, content: `${n}` })
      yield* send("POST", "/api/v1/messages", { ...mail, task_id: "u", from_actor: "bob" })
      const page = yield* send("GET", "/api/v1/tasks/t/messages?scope=red")
      assert.include(page.body, { total: 52, offset: 2, limit: 50 })
      assert.deepStrictEqual([page.body.messages[0].content, page.body.messages[49].content], ["2", "51"])
      const first = yield* send("GET", "/api/v1/tasks/t/messages?scope=red&limit=1&offset=0&type=action_command")
      assert.strictEqual(first.body.messages[0].content, "0")
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/u/messages?scope=red&from_actor=bob")).body.total, 1)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/t/messages?scope=red&from_actor=bob")).body.total, 0)
      const none = yield* send("GET", "/api/v1/tasks/none/messages?scope=red")
      assert.deepStrictEqual(none.body, { messages: [], total: 0, offset: 0, limit: 50, next_cursor: null })
    }))

  it.effect("are limited to their scope, and by id only if the request names a scope", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { body: { id } } = yield* send("POST", "/api/v1/messages", mail)
      assert.strictEqual((yield* send("GET", "/api/v1/messages?scope=blue")).body.total, 0)
      assert.strictEqual((yield* send("GET", `/api/v1/messages?scope=blue&thread_id=${id}`)).body.total, 0)
      assert.strictEqual((yield* send("GET", `/api/v1/messages/${id}?scope=blue`)).status, 404)
      assert.strictEqual(
        (yield* send("PATCH", `/api/v1/messages/${id}`, { status: "done", scope: "blue" })).status,
        404
      )
      assert.strictEqual((yield* send("GET", `/api/v1/messages/${id}`)).body.status, "pending")
      const reply = yield* send("POST", "/api/v1/messages", { ...mail, scope: "blue", parent_message_id: id })
      assert.deepStrictEqual([reply.status, reply.body.error], [400, `Parent message not found: ${id}`])
      const other = yield* send("POST", "/api/v1/messages", { ...mail, task_id: "u", parent_message_id: id })
      assert.deepStrictEqual([other.status, other.body.error], [400, "Parent message belongs to a different task"])
    }))
})

describe("/api/v1/actions", () => {
  it.effect("8.2#3, 8.2#5, 8.1#12: propose as Python does, list proposals, execute, complete", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const body = { ...idea, action_type: "process", action_data: { buttons: [{ label: "Go" }] } }
      const proposed = yield* send("POST", "/api/v1/actions", body)
      assert.strictEqual(proposed.status, 201)
      assert.sameMembers(Object.keys(proposed.body), actionKeys)
      assert.include(proposed.body, { ...body, status: "proposed", action_data: JSON.stringify(body.action_data) })
      assert.match(proposed.body.id, /^act-\d+-[0-9a-z]{6}$/)
      assert.match(proposed.body.proposed_at, iso)
      const pending = yield* send("GET", "/api/v1/actions?scope=red&entity_type=draft&status=pending")
      assert.deepStrictEqual(pending.body, {
        actions: [proposed.body],
        total: 1,
        offset: 0,
        limit: 50,
        next_cursor: null
      })

      const path = `/api/v1/actions/${proposed.body.id}`
      const executed = yield* send("POST", `${path}/execute`)
      assert.deepStrictEqual([executed.status, executed.body.status], [200, "execute_requested"])
      assert.match(executed.body.executed_at, iso)
      assert.match(executed.headers.get("server-timing")!, /trips=1 /)
      const again = yield* send("POST", `${path}/execute`, { scope: "red" })
      assert.deepStrictEqual([again.status, again.body.error], [
        400,
        "Cannot execute action with status \"execute_requested\". Only \"proposed\" actions can be executed."
      ])
      const completed = yield* send("POST", `${path}/complete`, { result: { merged: true }, scope: "red" })
      assert.include(completed.body, { status: "completed", result: "{\"merged\":true}" })
      assert.deepStrictEqual((yield* send("POST", `${path}/complete`)).body, completed.body)
      const failed = yield* send("POST", `${path}/fail`, { error: "late" })
      assert.deepStrictEqual([failed.status, failed.body._tag, failed.body.status], [
        409,
        "ActionStatusConflict",
        "completed"
      ])
      assert.deepStrictEqual((yield* send("GET", path)).body, completed.body)
      assert.strictEqual((yield* send("GET", `${path}?scope=blue`)).status, 404)
      assert.strictEqual((yield* send("GET", "/api/v1/actions?scope=blue")).body.total, 0)
    }))

  it.effect("fails with its reason, and PATCH does not change a finished action", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { body: { id } } = yield* send("POST", "/api/v1/actions", idea)
      const failed = yield* send("POST", `/api/v1/actions/${id}/fail`, { error: "boom" })
      assert.include(failed.body, { status: "failed", result: "boom" })
      assert.match(failed.body.executed_at, iso)
      const back = yield* send("PATCH", `/api/v1/actions/${id}`, { status: "proposed" })
      assert.deepStrictEqual([back.status, back.body._tag], [409, "ActionStatusConflict"])
      assert.strictEqual((yield* send("PATCH", `/api/v1/actions/${id}`, { result: { a: 1 } })).body.result, "{\"a\":1}")
      assert.strictEqual((yield* send("POST", `/api/v1/actions/${id}/fail`)).status, 200)
    }))

  it.effect("E15: an expired action cannot be executed (400), and is listed only on request", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const expires_at = "1970-01-01T00:00:00.000Z"
      const { body } = yield* send("POST", "/api/v1/actions", { ...idea, expires_at, action_data: "as {it} is" })
      assert.include(body, { expires_at, status: "expired", action_data: "as {it} is" })
      const executed = yield* send("POST", `/api/v1/actions/${body.id}/execute`, {})
      assert.deepStrictEqual([executed.status, executed.body.error], [400, "Action has expired"])
      assert.strictEqual((yield* send("GET", "/api/v1/actions?scope=red")).body.total, 0)
      assert.deepStrictEqual((yield* send("GET", "/api/v1/actions?scope=red&status=expired")).body.actions, [body])
    }))

  it.effect("the typed client speaks the domain's types", () =>
    Effect.gen(function*() {
      const { connect, withFetch } = yield* server.make()
      const api = yield* connect({ scope: "red" })
      const query = {}
      yield* withFetch(Effect.gen(function*() {
        const { id } = yield* api.messages.send({ query, payload: client.NewMessage.make(mail) })
        const page = yield* api.messages.listOfTask({ query, params: { id: client.TaskId.make("t") } })
        assert.deepStrictEqual(page.messages.map((message) => message.id), [id])
        const expires_at = DateTime.makeUnsafe("2999-01-01T00:00:00Z")
        const action = yield* api.actions.propose({ query, payload: { ...idea, expires_at, action_data: "{}" } })
        assert.deepStrictEqual([action.expires_at, action.action_data], [expires_at, "{}"])
        yield* api.actions.execute({ query, params: { id: action.id }, payload: null })
        const refused = yield* Effect.flip(api.actions.execute({ query, params: { id: action.id }, payload: null }))
        assert.instanceOf(refused, client.ActionNotExecutable)
      }))
    }))

  it.effect.each(
    [
      ["POST", "messages", { scope: "red" }, 400, "Missing required fields: task_id, from_actor, type, content"],
      ["POST", "messages", { ...mail, content: "" }, 400, "Missing required fields: content ("],
      ["POST", "messages", { ...mail, content: "", task_id: "" }, 400, "Missing required fields: task_id, content ("],
      ["POST", "messages", { ...mail, content: { a: 1 } }, 400, "body.content"],
      [
        "POST",
        "messages",
        { ...mail, scope: undefined },
        400,
        "Missing required field: scope. All messages must belong to a scope."
      ],
      ["POST", "messages", { ...mail, parent_message_id: "x" }, 400, "Parent message not found: x"],
      [
        "GET",
        "messages",
        undefined,
        400,
        "Missing required query parameter: scope. Cannot list messages across all scopes."
      ],
      [
        "GET",
        "tasks/t/messages",
        undefined,
        400,
        "Missing required query parameter: scope. Cannot list messages across all scopes."
      ],
      ["GET", "messages?scope=red&limit=abc", undefined, 400, "query.limit"],
      ["GET", "messages?scope=red&status=read", undefined, 400, "query.status"],
      ["GET", "messages/none", undefined, 404, "Message not found: none"],
      ["PATCH", "messages/none", { status: "done" }, 404, "Message not found: none"],
      ["PATCH", "messages/none", { status: "read" }, 400, "body.status"],
      ["PATCH", "messages/none", {}, 400, "Missing field: status"],
      ["POST", "actions", { scope: "red" }, 400, "Missing required fields: entity_type, entity_id, label, proposed_by"],
      [
        "POST",
        "actions",
        { ...idea, scope: undefined },
        400,
        "Missing required field: scope. All actions must belong to a scope."
      ],
      ["POST", "actions", { ...idea, expires_at: "soon" }, 400, "body.expires_at"],
      [
        "GET",
        "actions",
        undefined,
        400,
        "Missing required query parameter: scope. Cannot list actions across all scopes."
      ],
      ["GET", "actions?scope=red&status=asleep", undefined, 400, "query.status"],
      ["GET", "actions/none", undefined, 404, "Action not found"],
      ["POST", "actions/none/execute", undefined, 404, "Action not found"],
      ["POST", "actions/none/complete", undefined, 404, "Action not found"],
      ["POST", "actions/none/fail", { error: "x" }, 404, "Action not found"],
      ["PATCH", "actions/none", { status: "executing" }, 404, "Action not found"],
      [
        "PATCH",
        "actions/none",
        { status: "x" },
        400,
        "Invalid status \"x\". Valid statuses: proposed, execute_requested, executing, completed, failed, expired"
      ],
      ["PATCH", "actions/none", {}, 400, "No valid fields to update. Updatable fields: status, result"]
    ] as const
  )("%s %s %j", ([method, path, body, status, text]) =>
    Effect.gen(function*() {
      const { send } = yield* server.make({ REQUIRE_SCOPE: "true" })
      const answer = yield* send(method, `/api/v1/${path}`, body)
      assert.strictEqual(answer.status, status, JSON.stringify(answer.body))
      assert.isTrue(answer.body.error.startsWith(text), answer.body.error)
    }))
})
