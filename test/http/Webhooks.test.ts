/** The endpoints of webhooks: what they refuse, what they show and hide, tests, templates, the log and redelivery. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { readFileSync } from "node:fs"
import { Webhook as Verifier } from "standardwebhooks"
import { filled, placeholders } from "../../src/domain/feed/Template.ts"
import { serving } from "../support/hooked.ts"
import { receiver } from "../support/receiver.ts"

const page = readFileSync(new URL("../../docs/notifications.md", import.meta.url), "utf8")

/** The JSON blocks of a section of the page. */
const recipesOf = (title: string) =>
  Array.from(
    page.split(/^## /m).find((section) => section.startsWith(title))!.matchAll(/```json\n([\s\S]*?)```/g),
    ([, json]) => JSON.parse(json!)
  )

describe("a webhook", () => {
  it.effect("is registered, read, listed, changed and deleted", () =>
    Effect.gen(function*() {
      const { hook, post, read, send } = yield* serving({ WEBHOOK_ALLOW_PRIVATE: "false" })
      yield* post("/tasks", { id: "t", file_path: "t", branch: "b" })
      const made = yield* post("/webhooks", {
        url: "https://hooks.example.com/x",
        name: "ops",
        types: ["failed"],
        project_id: "p",
        template: { text: "{{title}}" }
      })
      assert.strictEqual(made.status, 201)
      const { secret, ...webhook } = made.body
      assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
      assert.deepStrictEqual(webhook, {
        id: webhook.id,
        scope: "red",
        name: "ops",
        url: "https://hooks.example.com/x",
        types: ["failed"],
        project_id: "p",
        template: { text: "{{title}}" },
        position: 1,
        enabled: true,
        disabled_at: null,
        disabled_reason: null,
        attempts: 0,
        failing_since: null,
        next_attempt_at: null,
        delivered_at: null,
        created_by: "anonymous",
        created_at: "1970-01-01T00:00:00.000Z"
      })
      assert.match(webhook.id, /^whk_[0-9a-f]{16}$/)
      assert.deepStrictEqual(yield* hook(webhook.id), webhook)
      assert.deepStrictEqual((yield* read("/webhooks")).body, { webhooks: [webhook] })
      const change = (patch: object) => send("PATCH", `/api/v1/webhooks/${webhook.id}`, patch)
      const cleared = { ...webhook, name: null, types: null, project_id: null, template: null }
      assert.deepStrictEqual(
        (yield* change({ name: null, types: [], project_id: "", template: null })).body,
        cleared
      )
      yield* TestClock.adjust("1 seconds")
      const disabled = {
        ...cleared,
        enabled: false,
        disabled_at: "1970-01-01T00:00:01.000Z",
        disabled_reason: "It was disabled by a request."
      }
      assert.deepStrictEqual((yield* change({ enabled: false })).body, disabled)
      assert.deepStrictEqual((yield* change({ url: "https://example.org/" })).body, {
        ...disabled,
        url: "https://example.org/"
      })
      const none = yield* change({})
      assert.deepStrictEqual([none.status, none.body._tag], [400, "NoFields"])
      const deleted = yield* send("DELETE", `/api/v1/webhooks/${webhook.id}`)
      assert.deepStrictEqual(deleted.body, { message: "Webhook deleted", id: webhook.id })
      for (const path of ["", "/deliveries"]) {
        assert.strictEqual((yield* read(`/webhooks/${webhook.id}${path}`)).body._tag, "WebhookNotFound")
      }
      assert.strictEqual((yield* send("DELETE", `/api/v1/webhooks/${webhook.id}`)).status, 404)
    }))

  it.effect("is refused with an address, a template or events that cannot be", () =>
    Effect.gen(function*() {
      const { post, read, register, send } = yield* serving({ WEBHOOK_ALLOW_PRIVATE: "false" })
      const { id } = yield* register("https://example.com/")
      const both = function*(body: object) {
        const made = yield* post("/webhooks", { url: "https://example.com/", ...body })
        const changed = yield* send("PATCH", `/api/v1/webhooks/${id}`, body)
        assert.deepStrictEqual([made.status, changed.status], [400, 400])
        assert.strictEqual(made.body._tag, changed.body._tag)
        return made.body
      }
      const address = yield* both({ url: "https://169.254.169.254/secret-path" })
      assert.strictEqual(address._tag, "AddressRefused")
      // The address may be a secret.
      assert.notInclude(address.error, "secret-path")
      const type = yield* both({ types: ["failed", "exploded"] })
      assert.deepStrictEqual([type._tag, type.types], ["UnknownEventType", ["exploded"]])
      const template = yield* both({ template: { text: "{{title}} {{ nothing }} {{details}}" } })
      assert.deepStrictEqual([template._tag, template.names], ["InvalidTemplate", ["nothing", "details"]])
      assert.strictEqual((yield* both({ template: "text" }))._tag, "InvalidRequest")
      assert.strictEqual((yield* both({ types: "failed" }))._tag, "InvalidRequest")
      const large = yield* post("/webhooks", { url: "https://example.com/", template: { text: "x".repeat(9000) } })
      assert.deepStrictEqual([large.status, large.body._tag], [413, "TooLarge"])
      assert.match((yield* post("/webhooks", {})).body.error, /^Missing required field: url/)
      assert.lengthOf((yield* read("/webhooks")).body.webhooks, 1)
    }))

  it.effect("may have 19 others in its scope", () =>
    Effect.gen(function*() {
      const { post, register } = yield* serving()
      for (let n = 0; n < 20; n++) yield* register("https://example.com/")
      const refused = yield* post("/webhooks", { url: "https://example.com/" })
      assert.deepStrictEqual([refused.status, refused.body._tag, refused.body.limit], [409, "TooManyWebhooks", 20])
      assert.strictEqual((yield* post("/webhooks", { url: "https://example.com/", scope: "blue" })).status, 201)
    }))

  it.effect("shows its secret once, and again only to a repeated request", () =>
    Effect.gen(function*() {
      const { create, hook, log, raw, read, send, tick } = yield* serving()
      const target = yield* receiver
      const body = { scope: "red", url: `${target.url}?token=of-the-receiver` }
      const registering = send("POST", "/api/v1/webhooks", body, { "idempotency-key": "k" })
      const lines: Array<string> = []
      const logging = Effect.provide(Logger.layer([Logger.make(({ message }) => lines.push(JSON.stringify(message)))]))
      const first = yield* logging(registering)
      const second = yield* registering
      assert.deepStrictEqual(second.body, first.body)
      assert.strictEqual(second.headers.get("idempotent-replayed"), "true")
      const { id, secret } = first.body
      target.react = () => "reset"
      yield* create("a")
      yield* logging(tick)
      const seen = JSON.stringify([
        yield* hook(id),
        yield* log(id),
        (yield* read("/webhooks")).body,
        (yield* read("/export")).body,
        (yield* send("PATCH", `/api/v1/webhooks/${id}`, { name: "x" })).body,
        lines
      ])
      assert.notInclude(seen, secret)
      assert.notInclude(JSON.stringify(raw.prepare("SELECT * FROM idempotency_keys").all()), secret)
      assert.notInclude(JSON.stringify([lines, yield* log(id), (yield* read("/export")).body]), "of-the-receiver")
      assert.strictEqual(raw.prepare("SELECT count(*) AS n FROM webhooks").get()!["n"], 1)
    }))
})

describe("the test of a webhook", () => {
  it.effect("sends one signed message and answers what came of it", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.now())
      const { create, hook, log, register, send } = yield* serving()
      const target = yield* receiver
      const { id, secret } = yield* register(target.url)
      yield* create("a")
      const before = yield* hook(id)
      const test = send("POST", `/api/v1/webhooks/${id}/test`)
      const accepted = yield* test
      assert.strictEqual(accepted.status, 200)
      assert.deepInclude(accepted.body, {
        seq: null,
        event: "test",
        attempt: 1,
        status: 200,
        error: null,
        response: "ok"
      })
      const [{ body, headers, text }] = target.received as [any]
      assert.deepStrictEqual([body.type, body.data.task_id, body.data.scope], ["test", "test", "red"])
      new Verifier(secret).verify(text, headers)
      target.react = () => ({ status: 404, body: "no such hook" })
      assert.deepInclude((yield* test).body, {
        status: 404,
        error: "The receiver answered 404.",
        response: "no such hook"
      })
      target.react = () => "reset"
      assert.deepInclude((yield* test).body, { status: null, error: "The receiver could not be reached." })
      assert.deepStrictEqual(yield* hook(id), before)
      assert.deepStrictEqual((yield* log(id)).map(({ status }: any) => status), [null, 404, 200])
    }))
})

describe("a template", () => {
  it.effect("makes a body of the template that is JSON with any values", () =>
    Effect.gen(function*() {
      const { create, register, tick } = yield* serving()
      const target = yield* receiver
      const title = `"},{"x": "\\ \n {{reason}} $& ${"long ".repeat(100)}`
      yield* register(target.url, {
        template: { text: "{{ event }} {{task_id}}: {{title}}{{reason}}", parts: [1, true, null, { id: "{{seq}}" }] }
      })
      yield* create("a", { title })
      yield* tick
      const [{ body }] = target.received as [any]
      assert.deepStrictEqual(body, { text: `created a: ${title.slice(0, 298)} …`, parts: [1, true, null, { id: "1" }] })
    }))

  it.effect.each(["Slack", "Discord", "ntfy", "Telegram"])(
    "of the page about notifications works: %s",
    (name) =>
      Effect.gen(function*() {
        const { create, post, tick } = yield* serving()
        const target = yield* receiver
        const [recipe] = recipesOf(name)
        assert.match(recipe.url, /^https:\/\//)
        const made = yield* post("/webhooks", { ...recipe, url: target.url, types: null })
        assert.strictEqual(made.status, 201, JSON.stringify(made.body))
        yield* create("a", { title: "<!channel> @everyone *bold* & \"more\" ".repeat(50) })
        yield* tick
        const [{ body, text }] = target.received as [any]
        assert.include(JSON.stringify(body), "<!channel>")
        assert.isBelow(text.length, 2000)
        // A title pings nobody and formats nothing.
        if (name === "Slack") assert.strictEqual(body.blocks[0].text.type, "plain_text")
        if (name === "Discord") assert.deepStrictEqual(body.allowed_mentions, { parse: [] })
        if (name === "Telegram") assert.isUndefined(body.parse_mode)
      })
  )

  it("has every placeholder in the documentation", () => {
    for (const name of placeholders) assert.include(page, `\`{{${name}}}\``)
    assert.deepStrictEqual(filled({ __proto__: null, a: "{{title}}" } as any, { title: null } as any), { a: "" })
  })
})

describe("redelivery", () => {
  it.effect("sends the events after a number again, with the same message ids", () =>
    Effect.gen(function*() {
      const { create, hook, register, send, tick } = yield* serving()
      const target = yield* receiver
      const { id } = yield* register(target.url)
      for (const task of ["a", "b", "c"]) yield* create(task)
      yield* tick
      const move = (after: unknown) => send("POST", `/api/v1/webhooks/${id}/redeliver`, { after })
      const moved = yield* move(1)
      assert.deepStrictEqual([moved.status, moved.body.position], [200, 1])
      yield* tick
      const ids = target.received.map(({ headers }) => headers["webhook-id"])
      assert.deepStrictEqual(ids, [1, 2, 3, 2, 3].map((seq) => `msg_${id}_${seq}`))
      const beyond = yield* move(4)
      assert.deepStrictEqual([beyond.status, beyond.body._tag, beyond.body.latest], [400, "InvalidPlace", 3])
      for (const wrong of [-1, 1.5, "first", null]) assert.strictEqual((yield* move(wrong)).status, 400)
      // An event that is never accepted can be left out.
      target.react = ({ body: { data } }) => data.seq === 4 ? 400 : 200
      for (const task of ["d", "e"]) yield* create(task)
      yield* tick
      assert.deepInclude(yield* hook(id), { position: 3, attempts: 1 })
      assert.deepInclude((yield* move(4)).body, { position: 4, attempts: 0, next_attempt_at: null })
      yield* tick
      assert.deepInclude(yield* hook(id), { position: 5 })
      assert.strictEqual((yield* move("latest")).body.position, 5)
    }))

  it.effect("counts also if the webhook is sent to just then", () =>
    Effect.gen(function*() {
      const { create, hook, raw, register, send, tick } = yield* serving()
      const target = yield* receiver
      const { id } = yield* register(target.url)
      for (const task of ["a", "b"]) yield* create(task)
      let moved = false
      target.react = () => {
        if (!moved) raw.exec(`UPDATE webhooks SET name = 'seen'`)
        return 200
      }
      yield* tick
      // The isolate that sends has claimed; the webhook is moved before it stores its place.
      yield* create("c")
      raw.exec("UPDATE webhooks SET sender = 'other', sending_until = 30000")
      yield* send("POST", `/api/v1/webhooks/${id}/redeliver`, { after: 0 })
      moved = true
      yield* tick
      assert.lengthOf(target.received, 2)
      assert.strictEqual((yield* hook(id)).position, 0)
      yield* TestClock.adjust("30 seconds")
      yield* tick
      assert.deepStrictEqual(target.received.map(({ body }) => body.data.seq), [1, 2, 1, 2, 3])
    }))
})

describe("the log", () => {
  it.effect("has the last 100 attempts, the newest first", () =>
    Effect.gen(function*() {
      const { create, log, raw, register, tick } = yield* serving()
      const target = yield* receiver
      const { id } = yield* register(target.url)
      for (let n = 1; n <= 130; n++) yield* create(`t${n}`)
      for (let n = 0; n < 5; n++) yield* tick
      assert.deepStrictEqual(
        (yield* log(id)).map(({ seq }: any) => seq),
        Array.from({ length: 100 }, (_, n) => 130 - n)
      )
      assert.strictEqual(raw.prepare("SELECT count(*) AS n FROM webhook_deliveries").get()!["n"], 100)
    }))
})
