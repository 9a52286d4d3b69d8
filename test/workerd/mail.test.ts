/** Messages and actions on a real D1: their costs, and which of many simultaneous requests succeeds. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Workerd } from "../support/harness.ts"

const mail = { scope: "mail", task_id: "t", from_actor: "ann", type: "action_command", content: "c", to_actor: "agent" }
const idea = { scope: "mail", entity_type: "draft", entity_id: "42", label: "l", proposed_by: "ann" }
const ten = Array.from({ length: 10 }, (_, i) => i)
const statuses = (answers: ReadonlyArray<{ status: number }>) => answers.map(({ status }) => status).sort()

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("mail in workerd", (it) => {
  it.effect("C8: a thread and the newest page, in one round trip each", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const root = yield* send("POST", "/api/v1/messages", mail)
      let parent_message_id = root.body.id
      for (const n of ten) {
        const reply = yield* send("POST", "/api/v1/messages", { ...mail, content: `${n}`, parent_message_id })
        assert.strictEqual(reply.status, 201)
        assert.strictEqual(reply.cost.trips, 1)
        parent_message_id = reply.body.id
      }
      const thread = yield* send("GET", `/api/v1/messages?scope=mail&thread_id=${root.body.id}`)
      assert.deepInclude(thread.body, { total: 11, offset: 0, limit: 11 })
      const page = yield* send("GET", "/api/v1/messages?scope=mail&to_actor=agent&limit=3")
      assert.deepStrictEqual(page.body.messages.map(({ content }: { content: string }) => content), ["7", "8", "9"])
      assert.deepInclude(page.body, { total: 11, offset: 8, limit: 3 })
      assert.deepStrictEqual([thread.cost.trips, page.cost.trips, page.cost.written], [1, 1, 0])
    }))

  it.effect("B5, 8.2#14: of ten simultaneous executions of an action, or takes of a message, one succeeds", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const { body: action } = yield* send("POST", "/api/v1/actions", { ...idea, action_data: { a: 1 } })
      const { body: message } = yield* send("POST", "/api/v1/messages", mail)
      const taking = { status: "processing", expected_status: "pending" }
      const all = { concurrency: 10 }
      const executed = yield* Effect.forEach(ten, () => send("POST", `/api/v1/actions/${action.id}/execute`), all)
      const taken = yield* Effect.forEach(ten, () => send("PATCH", `/api/v1/messages/${message.id}`, taking), all)
      assert.deepStrictEqual(statuses(executed), [200, ...Array.from({ length: 9 }, () => 400)])
      assert.deepStrictEqual(statuses(taken), [200, ...Array.from({ length: 9 }, () => 409)])
      for (const { cost } of [...executed, ...taken]) assert.strictEqual(cost.trips, 1)
    }))
})
