/** Events are sent to webhooks in order and at least once, even if receivers fail, and no request waits for a receiver. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { Webhook as Verifier } from "standardwebhooks"
import { serving } from "../support/hooked.ts"
import { migrated } from "../support/layers.ts"
import { type Received, receiver } from "../support/receiver.ts"

/** The numbers of the events that arrived, in order. */
const seqs = (received: ReadonlyArray<Received>) => received.map(({ body }) => body.data.seq)
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => first + n)
/** The numbers without repetitions. */
const distinct = (numbers: ReadonlyArray<number>) => numbers.filter((n, at) => numbers.indexOf(n) === at)

/** Lets the time pass in small steps while real sockets answer. */
const passing = <A, E, R>(work: Effect.Effect<A, E, R>, step: `${number} seconds` = "1 seconds") =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(work)
    while (fiber.pollUnsafe() === undefined) {
      yield* Effect.promise(() => new Promise((done) => setTimeout(done, 5)))
      yield* TestClock.adjust(step)
    }
    return yield* Fiber.join(fiber)
  })

describe("a webhook", () => {
  it.effect("gets each event after the commit, in order, as the feed has it", () =>
    Effect.gen(function*() {
      const { create, hook, post, read, register, send, settle } = yield* serving()
      const { received, url } = yield* receiver
      yield* create("early")
      const { id, position } = yield* register(url)
      assert.strictEqual(position, 1)
      yield* create("a", {}, true)
      yield* settle
      yield* post("/tasks/a/cancel", { reason: "No \"more\" need" })
      // The administrator names no scope here.
      yield* send("DELETE", "/api/v1/tasks/a")
      yield* settle
      assert.deepStrictEqual(seqs(received), [2, 3, 4])
      const { events } = (yield* read("/events?after=1")).body
      assert.deepStrictEqual(received.map(({ body }) => body.data), events)
      assert.deepStrictEqual(
        received.map(({ body: { timestamp, type } }) => [type, timestamp]),
        events.map(({ at, event }: any) => [event, at])
      )
      assert.strictEqual(received[0]!.headers["content-type"], "application/json")
      assert.strictEqual((yield* hook(id)).position, 4)
    }))

  it.effect("gets no more messages from an invocation than a Worker may send, and the rest in the next", () =>
    Effect.gen(function*() {
      const { create, register, tick } = yield* serving()
      const { received, url } = yield* receiver
      yield* register(url)
      for (let n = 0; n < 60; n++) yield* create(`t${n}`)
      yield* tick
      assert.deepStrictEqual(seqs(received), upTo(40))
      yield* tick
      assert.deepStrictEqual(seqs(received), upTo(60))
    }))

  it.effect("signs as Standard Webhooks says, with a message id that stays", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.now())
      const { create, register, send, tick } = yield* serving()
      const target = yield* receiver
      const { id, secret } = yield* register(target.url)
      target.react = () => 500
      yield* create("a", { title: "Grüße 🐙" })
      yield* tick
      target.react = () => 200
      yield* TestClock.adjust("1 minutes")
      yield* tick
      const [failed, repeated] = target.received
      assert.strictEqual(failed!.headers["webhook-id"], `msg_${id}_1`)
      assert.strictEqual(repeated!.headers["webhook-id"], failed!.headers["webhook-id"])
      assert.notStrictEqual(repeated!.headers["webhook-timestamp"], failed!.headers["webhook-timestamp"])
      for (const { body, headers, text } of target.received) {
        assert.deepStrictEqual(new Verifier(secret).verify(text, headers), body)
        assert.throws(() => new Verifier(secret).verify(`${text} `, headers))
      }
      // After a rotation both secrets verify for a day.
      const { secret: second } = (yield* send("PATCH", `/api/v1/webhooks/${id}`, { rotate_secret: true })).body
      assert.match(second, /^whsec_[A-Za-z0-9+/]{43}=$/)
      assert.notStrictEqual(second, secret)
      // The answer was lost, so the client asks again. The receiver knows the first secret only.
      const { secret: third } = (yield* send("PATCH", `/api/v1/webhooks/${id}`, { rotate_secret: true })).body
      yield* create("b")
      yield* tick
      const during = target.received.at(-1)!
      for (const one of [secret, second, third]) {
        assert.deepStrictEqual(new Verifier(one).verify(during.text, during.headers), during.body)
      }
      yield* TestClock.adjust("24 hours")
      yield* create("c")
      yield* tick
      assert.lengthOf(target.received.at(-1)!.headers["webhook-signature"]!.split(" "), 1)
      for (let n = 0; n < 10; n++) yield* send("PATCH", `/api/v1/webhooks/${id}`, { rotate_secret: true })
      yield* create("d")
      yield* tick
      assert.lengthOf(target.received.at(-1)!.headers["webhook-signature"]!.split(" "), 5)
    }))

  it.effect("gets only the events of its types and its project, and passes over the others", () =>
    Effect.gen(function*() {
      const { create, hook, post, register, send, settle, tick } = yield* serving()
      yield* post("/projects", { id: "p", title: "P", branch: "b" })
      const [ofTypes, ofProject] = [yield* receiver, yield* receiver]
      const types = yield* register(ofTypes.url, { types: ["cancelled", "deleted"] })
      const project = yield* register(ofProject.url, { project_id: "p" })
      yield* create("a", { project_id: "p" })
      for (const id of ["b", "c"]) yield* create(id)
      for (const id of ["a", "b"]) yield* post(`/tasks/${id}/cancel`)
      yield* send("DELETE", "/api/v1/tasks/b")
      yield* settle
      yield* tick
      assert.deepStrictEqual(ofTypes.received.map(({ body: { data } }) => [data.task_id, data.event]), [
        ["a", "cancelled"],
        ["b", "cancelled"],
        ["b", "deleted"]
      ])
      assert.deepStrictEqual(ofProject.received.map(({ body: { data } }) => [data.task_id, data.event]), [
        ["a", "created"],
        ["a", "cancelled"]
      ])
      const { latest } = (yield* send("GET", "/api/v1/events?scope=red")).body
      for (const { id } of [types, project]) assert.strictEqual((yield* hook(id)).position, latest)
    }))

  it.effect("gets an event that comes after more events of others than one run looks at", () =>
    Effect.gen(function*() {
      const { create, hook, post, register, tick } = yield* serving()
      const target = yield* receiver
      yield* post("/projects", { id: "p", title: "P", branch: "b" })
      const { id } = yield* register(target.url, { project_id: "p" })
      for (let n = 1; n <= 60; n++) yield* create(`t${n}`)
      yield* create("last", { project_id: "p" })
      yield* create("after")
      yield* tick
      yield* tick
      assert.deepStrictEqual(seqs(target.received), [61])
      assert.strictEqual((yield* hook(id)).position, 62)
    }))

  it.effect("gets more events than one run looks at, each once and in order", () =>
    Effect.gen(function*() {
      const { create, hook, raw, register, tick } = yield* serving()
      const target = yield* receiver
      const { id } = yield* register(target.url)
      for (let n = 1; n <= 63; n++) yield* create(`t${n}`)
      for (let n = 0; n < 4; n++) yield* tick
      assert.deepStrictEqual(seqs(target.received), upTo(63))
      // The receiver gets a gap for the entries that retention removed.
      for (let n = 64; n <= 70; n++) yield* create(`t${n}`)
      raw.exec("DELETE FROM history WHERE seq IN (64, 65, 68, 70)")
      yield* tick
      assert.deepStrictEqual(
        target.received.slice(63).map(({ body: { data, type } }) =>
          type === "gap" ? [data.after, data.next] : data.seq
        ),
        [[63, 65], 66, 67, [67, 68], 69, [69, 70]]
      )
      const [gap] = target.received.slice(63)
      assert.deepStrictEqual(gap!.body.data, { scope: "red", after: 63, next: 65 })
      assert.strictEqual(gap!.headers["webhook-id"], `msg_${id}_gap_63_65`)
      assert.strictEqual((yield* hook(id)).position, 70)
    }))

  it.effect("gets each event at least once and in order from a receiver that fails at random", () =>
    Effect.gen(function*() {
      const { create, register, tick } = yield* serving()
      const target = yield* receiver
      const { id } = yield* register(target.url)
      const accepted: Array<number> = []
      let turn = 0
      target.react = ({ body: { data } }) => {
        turn = (turn * 7 + 3) % 11
        if (turn % 5 === 0) return 503
        if (turn % 5 === 1) return "reset"
        accepted.push(data.seq)
        // It accepted, and its answer is lost.
        return turn % 5 === 2 ? "reset" : 204
      }
      for (let n = 1; n <= 40; n++) yield* create(`t${n}`)
      for (let n = 0; n < 200 && accepted.at(-1) !== 40; n++) {
        yield* tick
        yield* TestClock.adjust("10 minutes")
      }
      assert.deepStrictEqual(distinct(accepted), upTo(40))
      assert.deepStrictEqual(accepted.toSorted((a, b) => a - b), accepted)
      assert.isTrue(
        target.received.every(({ body, headers }) => headers["webhook-id"] === `msg_${id}_${body.data.seq}`)
      )
    }))

  it.effect("gets events again that an isolate sent before it stopped, after its claim has ended", () =>
    Effect.gen(function*() {
      const { create, raw, register, tick } = yield* serving()
      const target = yield* receiver
      const { id } = yield* register(target.url)
      for (const task of ["a", "b"]) yield* create(task)
      // An isolate claimed, and was stopped.
      raw.exec("UPDATE webhooks SET sender = 'stopped', sending_until = 60000")
      yield* tick
      assert.deepStrictEqual(seqs(target.received), [])
      yield* TestClock.adjust("60 seconds")
      yield* tick
      assert.deepStrictEqual(seqs(target.received), [1, 2])
      assert.deepInclude(raw.prepare("SELECT sender, sending_until FROM webhooks WHERE id = ?").get(id), {
        sender: null,
        sending_until: null
      })
    }))

  it.effect("is sent to by one isolate at a time, also if several have an event", () =>
    Effect.gen(function*() {
      const { create, isolate, post, register, settle, tick, works } = yield* serving()
      const target = yield* receiver
      yield* register(target.url)
      const others = yield* Effect.all(Array.from({ length: 4 }, () => isolate((work) => works.push(work))))
      yield* Effect.forEach([...others, ...others, ...others], (server, n) =>
        post("/tasks", { id: `t${n}`, file_path: `t${n}`, branch: "b" }, server), { concurrency: 6 })
      yield* Effect.all([settle, tick, tick], { concurrency: 3 })
      yield* create("last", {}, true)
      yield* settle
      assert.deepStrictEqual(seqs(target.received), upTo(13))
    }))

  it.effect("is tried again less and less often, and is disabled after 24 hours", () =>
    Effect.gen(function*() {
      const { create, hook, log, read, register, send, tick } = yield* serving()
      const target = yield* receiver
      target.react = () => ({ status: 500, body: "no" })
      const { id } = yield* register(target.url)
      yield* create("a")
      const tries: Array<number> = []
      for (let minute = 0; minute <= 1500; minute++) {
        const before = target.received.length
        yield* tick
        if (target.received.length > before) tries.push(minute)
        yield* TestClock.adjust("1 minutes")
      }
      const waits = tries.slice(1).map((minute, n) => minute - tries[n]!)
      assert.deepStrictEqual(tries.slice(0, 2), [0, 1])
      // Half an hour and more between two attempts in the end, and never more than an hour and the minute of the cron.
      assert.isTrue(waits.slice(8, -1).every((wait) => wait >= 30 && wait <= 61), `${waits}`)
      assert.isTrue(waits.every((wait) => wait <= 61), `${waits}`)
      assert.isAtLeast(new Set(waits.slice(8, -1)).size, 2, "the waits differ")
      assert.strictEqual(tries.at(-1), 1440)
      const disabled = yield* hook(id)
      assert.deepInclude(disabled, { enabled: false, position: 0, attempts: tries.length })
      assert.match(disabled.disabled_reason, /^The receiver accepted nothing for 24 hours. .* 500/)
      assert.deepInclude((yield* log(id))[0], { seq: 1, status: 500, response: "no", attempt: tries.length })

      // It goes on where it stopped.
      target.react = () => 200
      const enabled = (yield* send("PATCH", `/api/v1/webhooks/${id}`, { enabled: true })).body
      assert.deepInclude(enabled, {
        enabled: true,
        disabled_at: null,
        disabled_reason: null,
        attempts: 0,
        failing_since: null,
        next_attempt_at: null
      })
      yield* tick
      // The cron has reported the task, which no machine claims.
      const { latest } = (yield* read("/events?after=latest")).body
      assert.deepInclude(yield* hook(id), { position: latest, attempts: 0 })
    }))

  it.effect("waits as long as the receiver asks, and ends with a receiver that is gone", () =>
    Effect.gen(function*() {
      const { create, hook, register, tick } = yield* serving()
      const target = yield* receiver
      const { id } = yield* register(target.url)
      target.react = () => ({ status: 429, headers: { "retry-after": "1800" } })
      yield* create("a")
      yield* tick
      yield* TestClock.adjust("29 minutes")
      yield* tick
      assert.lengthOf(target.received, 1)
      assert.strictEqual((yield* hook(id)).next_attempt_at, "1970-01-01T00:30:00.000Z")
      target.react = () => 410
      yield* TestClock.adjust("1 minutes")
      yield* tick
      assert.deepInclude(yield* hook(id), {
        enabled: false,
        disabled_reason: "The receiver answered 410: it wants no more messages."
      })
      yield* TestClock.adjust("1 days")
      yield* tick
      assert.lengthOf(target.received, 2)
    }))

  it.effect("does not follow a redirect", () =>
    Effect.gen(function*() {
      const { create, log, register, tick } = yield* serving()
      const [inside, outside] = [yield* receiver, yield* receiver]
      for (const status of [301, 302, 303, 307, 308]) {
        outside.react = () => ({ status, headers: { location: inside.url } })
        const { id } = yield* register(outside.url)
        yield* create(`t${status}`)
        yield* tick
        assert.deepInclude((yield* log(id))[0], { status })
        assert.match((yield* log(id))[0].error, /Redirects are not followed/)
      }
      assert.lengthOf(inside.received, 0)
    }))

  it.effect("is not sent to if its address is refused since it was set", () =>
    Effect.gen(function*() {
      const database = migrated()
      const lenient = yield* serving({}, database)
      const strict = yield* serving({ WEBHOOK_ALLOW_PRIVATE: "false" }, database)
      const target = yield* receiver
      const { id } = yield* lenient.register(target.url)
      yield* lenient.create("a")
      yield* strict.tick
      assert.lengthOf(target.received, 0)
      assert.match((yield* lenient.log(id))[0].error, /does not begin with https/)
    }))
})

describe("a receiver that hangs", () => {
  it.effect("delays and fails no request, and delays no other webhook", () =>
    Effect.gen(function*() {
      const { create, log, post, register, settle, works } = yield* serving()
      const [hanging, quick] = [yield* receiver, yield* receiver]
      hanging.react = () => "hang"
      const { id } = yield* register(hanging.url)
      yield* register(quick.url)
      const bare = yield* serving()
      for (const server of [{ create, post }, bare]) {
        yield* server.post("/orchestrators/register", { cluster: "k", machine_id: "m" })
        assert.strictEqual((yield* server.create("a", {}, true)).status, 201)
        const claimed = yield* server.post("/tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" })
        const token = { fencing_token: claimed.body.fencing_token, commits_count: 1, turns_used: 1 }
        const submitted = yield* server.post("/tasks/a/submit", token)
        assert.deepStrictEqual([claimed.status, submitted.status], [200, 200])
        // All of it happened in no time of the clock: nothing waited for the receiver.
        const accepted = yield* server.post("/tasks/a/accept", { accepted_by: "bob" })
        assert.strictEqual(accepted.status, 200)
      }
      assert.isAtLeast(works.length, 4)
      yield* passing(settle)
      yield* passing(create("b", {}, true))
      yield* passing(settle)
      assert.deepStrictEqual(distinct(seqs(quick.received)), upTo(5))
      assert.deepStrictEqual(distinct(seqs(hanging.received)), [1])
      const [entry] = (yield* log(id)).slice(-1)
      assert.deepInclude(entry, { status: null, error: "The receiver did not answer within 10 seconds." })
    }))

  it.effect("does not keep the cron from its other duties", () =>
    Effect.gen(function*() {
      const { create, post, read, register, tick } = yield* serving()
      const hanging = yield* receiver
      hanging.react = () => "hang"
      yield* register(hanging.url)
      yield* create("a")
      yield* post("/orchestrators/register", { cluster: "k", machine_id: "m" })
      yield* post("/tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60 })
      yield* TestClock.adjust("61 seconds")
      yield* passing(tick)
      assert.strictEqual((yield* read("/tasks/a")).body.queue, "incoming")
    }))

  it.effect("that never ends its answer is judged by its status, and the connection is closed", () =>
    Effect.gen(function*() {
      const { create, hook, register, tick } = yield* serving()
      const target = yield* receiver
      target.react = () => "drip"
      const { id } = yield* register(target.url)
      yield* create("a")
      yield* passing(tick)
      assert.strictEqual((yield* hook(id)).position, 1)
      yield* Effect.promise(() => target.left)
    }))

  it.effect("that sends its answer byte by byte for ever is judged by its status", () =>
    Effect.gen(function*() {
      const { create, log, register, tick } = yield* serving()
      const target = yield* receiver
      target.react = () => ({ status: 200, body: "é".repeat(100_000) })
      const { id } = yield* register(target.url)
      yield* create("a")
      yield* tick
      const [{ error, response }] = yield* log(id)
      assert.isNull(error)
      assert.isAtMost(new TextEncoder().encode(response).length, 500)
      assert.match(response, /^é+…?$/)
    }))
})

describe("a request in a scope without webhooks", () => {
  it.effect("sends nothing to the database after its answer, but one look in half a minute", () =>
    Effect.gen(function*() {
      const { create, raw, register, settle, works } = yield* serving()
      yield* create("a", {}, true)
      yield* settle
      const seen: Array<string> = []
      const prepare = raw.prepare.bind(raw)
      raw.prepare = (text: string) => {
        seen.push(text)
        return prepare(text)
      }
      yield* create("b", {}, true)
      assert.isAtLeast(works.length, 1)
      yield* settle
      assert.deepStrictEqual(seen.filter((text) => text.includes("webhooks")), [])
      // A webhook that this isolate registers is known at once.
      const target = yield* receiver
      yield* register(target.url)
      yield* create("c", {}, true)
      yield* settle
      assert.deepStrictEqual(seqs(target.received), [3])
    }))
})
