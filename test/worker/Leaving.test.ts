/** A handler that asks a question or parks its account: the attempt ends, counts as none, and the task waits or is for others. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Outbox from "../../src/client/Outbox.ts"
import * as Worker from "../../src/client/Worker.ts"
import { TaskId } from "../../src/domain/Identifier.ts"
import { listening, machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann" } as const

/** Runs a worker until it finds nothing more. A handler that went round in circles would keep it from ending. */
const work = <E>(
  more: Partial<Worker.WorkerOptions<E>>,
  handler: (attempt: Worker.Attempt) => Effect.Effect<Worker.Result, E>
) => {
  let left = 5
  return Worker.run<E, never>(
    { ...options, ...more, until: "idle" },
    (attempt) => Effect.suspend(() => left-- > 0 ? handler(attempt) : Effect.die(new Error("it runs too often")))
  )
}

const inHours = (hours: number) => Effect.map(DateTime.now, (now) => DateTime.add(now, { hours }))

type Send = Effect.Success<ReturnType<typeof make>>["send"]

/** The only message about the task. */
const question = (send: Send, id = "a") =>
  Effect.map(send("GET", `/api/v1/tasks/${id}/messages?scope=default`), ({ body }) => {
    assert.lengthOf(body.messages, 1)
    return body.messages[0]
  })

const reply = (send: Send, parent_message_id: string) =>
  send("POST", "/api/v1/messages", {
    task_id: "a",
    from_actor: "eve",
    type: "comment",
    content: "Blue.",
    parent_message_id
  })

describe.concurrent("a handler", () => {
  it.live("asks: its attempt ends with its checkpoint, the task waits, and the next attempt has the answer", () =>
    Effect.gen(function*() {
      const { create, events, send, task, throughFaults } = yield* make()
      yield* create("a")
      const went: Array<string> = []
      const handler = (attempt: Worker.Attempt) =>
        Effect.gen(function*() {
          const known = attempt.handoff.answers?.at(-1)
          went.push(known?.answer ?? "no answer")
          if (known !== undefined) return { ...result, execution_notes: attempt.handoff.checkpoint?.notes ?? null }
          yield* attempt.checkpoint({ notes: "half done" })
          attempt.signal.addEventListener("abort", () => went.push(attempt.signal.reason.why))
          return yield* attempt.ask({ content: "Red or blue?", to_actor: "eve" })
        })
      const run = throughFaults(work({}, handler))
      yield* run
      const waiting = yield* task("a")
      const asked = yield* question(send)
      assert.deepInclude(waiting, {
        queue: "incoming",
        claimed_by: null,
        attempt_count: 0,
        waiting_for_reply: asked.id
      })
      assert.deepInclude(asked, { from_actor: "ann", to_actor: "eve", type: "question", content: "Red or blue?" })
      yield* run
      assert.deepStrictEqual(went, ["no answer", "ask"], "nothing runs while the task waits")
      yield* reply(send, asked.id)
      yield* run
      assert.deepStrictEqual(went, ["no answer", "ask", "Blue."])
      assert.deepInclude(yield* task("a"), { queue: "provisional", attempt_count: 0, execution_notes: "half done" })
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "asked", "answered", "claimed", "submitted"])
    }))

  it.live("asks once, also if the answers of the server are lost", () =>
    Effect.gen(function*() {
      const { create, events, fail, send, throughFaults } = yield* make()
      yield* create("a")
      fail((method, path, times) => method === "POST" && path === "/api/v1/messages" && times < 3 ? "lost" : "none")
      yield* throughFaults(work({}, ({ ask }) => ask({ content: "Which?" })))
      yield* question(send)
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "asked"])
    }))

  it.live("asks at the next start what a process that died left in its outbox", () =>
    Effect.gen(function*() {
      const { claim, create, send, task, throughFaults } = yield* make()
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      yield* create("a")
      const { fencing_token } = (yield* claim("ann")).body
      const store = Outbox.memory()
      const outbox = yield* Outbox.make(store)
      yield* outbox.put(
        new Worker.Finished({
          key: "k",
          task_id: TaskId.make("a"),
          fencing_token,
          verb: "ask",
          payload: { task_id: "a", from_actor: "ann", type: "question", content: "Which?", hold: true, fencing_token },
          finished_at: yield* DateTime.now,
          refused: null
        })
      )
      yield* throughFaults(work({ outbox: store }, () => Effect.succeed(result)))
      assert.strictEqual((yield* task("a")).waiting_for_reply, (yield* question(send)).id)
      assert.deepStrictEqual(yield* Worker.unsettled(store), [])
    }))

  it.live("does not ask under a lost lease", () =>
    Effect.gen(function*() {
      const { create, events, send, throughFaults } = yield* make()
      yield* create("a")
      const { listen, said } = listening()
      yield* throughFaults(work({}, ({ ask, task }) =>
        Effect.gen(function*() {
          if ((yield* send("GET", "/api/v1/tasks/a")).body.grants > 1) return result
          yield* send("POST", `/api/v1/tasks/${task.id}/force-queue`, { queue: "done", reason: "r" })
          return yield* ask({ content: "Which?" })
        }))).pipe(listen)
      assert.notInclude(yield* events("a"), "asked")
      assert.include(said.join(), "not asked: the lease is lost")
      const { body } = yield* send("GET", "/api/v1/messages?scope=default&type=question")
      assert.strictEqual(body.total, 0)
    }))

  it.live("parks the account of its worker: the task is untried, and the worker claims nothing more", () =>
    Effect.gen(function*() {
      const { create, events, send, task, throughFaults } = yield* make()
      yield* create("a", "b")
      const went: Array<string> = []
      const handler = (attempt: Worker.Attempt) =>
        Effect.gen(function*() {
          went.push(attempt.task.id)
          return yield* attempt.park({ until: yield* inHours(5), reason: "weekly limit" })
        })
      yield* throughFaults(work({ account: "max-1" }, handler))
      assert.lengthOf(went, 1)
      assert.deepInclude(yield* task("a"), { queue: "incoming", claimed_by: null, attempt_count: 0 })
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "parked"])
      const { body } = yield* send("GET", "/api/v1/parks")
      assert.deepInclude(body.parks[0], { account: "max-1", task_id: "a", parked_by: "ann", reason: "weekly limit" })
      yield* throughFaults(work({ account: "max-2" }, () => Effect.succeed(result)))
      assert.strictEqual((yield* task("a")).queue, "provisional")
    }))

  it.live("parks an account that it names once, even if answers are lost", () =>
    Effect.gen(function*() {
      const { create, events, fail, send, throughFaults } = yield* make()
      yield* create("a")
      let first = true
      fail((_, path, times) => path === "/api/v1/tasks/a/park" && times < 3 ? "lost" : "none")
      yield* throughFaults(work({}, ({ park }) =>
        Effect.gen(function*() {
          if (!first) return result
          first = false
          return yield* park({ account: "max-9", until: yield* inHours(1) })
        })))
      const { body } = yield* send("GET", "/api/v1/parks")
      assert.deepStrictEqual(body.parks.map(({ account }: any) => account), ["max-9"])
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "parked", "claimed", "submitted"])
    }))

  it.live("whose park is refused gives its task up as an attempt", () =>
    Effect.gen(function*() {
      const { create, events, task, throughFaults } = yield* make({ BACKOFF_SECONDS: "60" })
      yield* create("a")
      const { listen, said } = listening()
      yield* throughFaults(
        work({ account: "max" }, ({ park }) => Effect.flatMap(inHours(24 * 32), (until) => park({ until })))
      ).pipe(listen)
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "requeued"])
      assert.deepInclude(yield* task("a"), { queue: "incoming", attempt_count: 1 })
      assert.include(said.join(), "It could not be parked: until: an account is parked for 31 days at most.")
    }))

  it.live("that parks and has no account fails its task with a sentence that says so", () =>
    Effect.gen(function*() {
      const { create, task, throughFaults } = yield* make()
      yield* create("a")
      yield* throughFaults(work({}, ({ park }) => Effect.flatMap(inHours(1), (until) => park({ until }))))
      assert.match((yield* task("a")).failure_reason, /park: name an account, because the worker has none/)
    }))
})
