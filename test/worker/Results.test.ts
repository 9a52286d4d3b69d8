/** After any end of a handler its task does not stay claimed: also with invalid results and strange errors. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { memory } from "../../src/client/Outbox.ts"
import * as Worker from "../../src/client/Worker.ts"
import { bytesOf, MaxLine, MaxLong } from "../../src/domain/Size.ts"
import { listening, machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann", until: "idle" } as const

const answers = (value: unknown) => () => Effect.succeed(value as never)
const fails = (value: unknown) => () => Effect.fail(value as never)
const cyclic: Record<string, unknown> = { ...result }
cyclic.check_results = cyclic
const textless = {
  toString: () => {
    throw new Error("no text")
  },
  get message(): string {
    throw new Error("no message")
  },
  toJSON: () => {
    throw new Error("no JSON")
  }
}

/** What a handler does, and the expected reason. */
const handlers: Readonly<Record<string, readonly [(attempt: Worker.Attempt) => Effect.Effect<Worker.Result>, RegExp]>> =
  {
    "answers null": [answers(null), /could not be submitted: the handler answered null/],
    "answers undefined": [answers(undefined), /could not be submitted/],
    "answers text": [answers("done"), /the handler answered a string/],
    "answers a number": [answers(7), /the handler answered a number/],
    "answers a list": [answers([result]), /the handler answered a list/],
    "answers a function": [answers(() => result), /the handler answered a function/],
    "answers an object without counts": [answers({}), /could not be submitted.*commits_count/s],
    "answers a negative count": [answers({ ...result, commits_count: -1 }), /could not be submitted/],
    "answers notes that are no text": [answers({ ...result, execution_notes: 7 }), /execution_notes/],
    "answers a cycle": [answers(cyclic), /could not be submitted: .*circular/],
    "answers a BigInt": [answers({ ...result, turns_used: 7n }), /could not be submitted: .*BigInt/],
    "answers an object whose fields throw": [
      answers({
        get commits_count() {
          throw textless
        }
      }),
      /could not be submitted/
    ],
    "answers an unknown verdict": [answers({ verdict: "maybe" }), /neither accept nor reject/],
    "answers a rejection without a reason": [answers({ verdict: "reject" }), /could not be rejected/],
    "answers nothing that is an effect": [() => undefined as never, /./],
    "throws": [() => {
      throw new Error("thrown at once")
    }, /thrown at once/],
    "throws what has no text": [() => {
      throw textless
    }, /./],
    "fails with what has no text": [fails(textless), /./],
    "fails with nothing": [fails(undefined), /./],
    "fails with half a character": [fails(new Error("cut \ud83d")), /cut \ufffd/],
    "fails with a long text": [fails(new Error("x".repeat(100_000))), /^Error: x+/],
    "dies with a symbol": [() => Effect.die(Symbol("odd")), /./],
    "dies with a BigInt": [() => Effect.die(7n), /./]
  }

describe("a handler that", () => {
  it.live.each(Object.keys(handlers))("%s gives its task up with a plain reason", (name) =>
    Effect.gen(function*() {
      const [handler, reason] = handlers[name]!
      const { create, events, task, throughFaults } = yield* make()
      yield* create("a")
      yield* throughFaults(Worker.run(options, handler))
      const failed = yield* task("a")
      assert.deepInclude(failed, { queue: "failed", claimed_by: null })
      assert.match(failed.failure_reason, reason)
      assert.isAtMost(failed.failure_reason.length, 2000)
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "failed"])
    }))

  it.live("answers an invalid result is retried if the options say so", () =>
    Effect.gen(function*() {
      const { create, events, throughFaults } = yield* make()
      yield* create("a")
      let runs = 0
      yield* throughFaults(
        Worker.run(
          { ...options, onFailure: () => "retry" },
          () => Effect.succeed(++runs === 1 ? null as never : result)
        )
      )
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "requeued", "claimed", "submitted"])
    }))

  it.live(
    "answers text with half a character hands it in with U+FFFD, and the rest unchanged",
    () =>
      Effect.gen(function*() {
        const { create, task, throughFaults } = yield* make()
        yield* create("a")
        const notes = "whole \u{1f600}, cut \ud83d, a \\ud83d that was spelled, a tab\t"
        yield* throughFaults(
          Worker.run(options, () =>
            Effect.succeed({
              ...result,
              execution_notes: notes,
              check_results: JSON.stringify({ "k\udc00": notes })
            }))
        )
        const done = yield* task("a")
        assert.strictEqual(done.queue, "provisional")
        assert.strictEqual(done.execution_notes, notes.toWellFormed())
      })
  )

  it.live(
    "fails still gives its task up, even if onFailure throws and onLost cannot be reached",
    () =>
      Effect.gen(function*() {
        const { create, task, throughFaults } = yield* make()
        yield* create("a")
        yield* throughFaults(Worker.run({
          ...options,
          onFailure: () => {
            throw textless
          }
        }, () => Effect.fail("no")))
        assert.strictEqual((yield* task("a")).queue, "failed")
      })
  )

  it.live("answers texts that are too large hands them in shortened to their limits, and logs that once", () =>
    Effect.gen(function*() {
      const { create, events, task, throughFaults } = yield* make()
      yield* create("a")
      const store = memory()
      const { listen, said } = listening()
      yield* listen(throughFaults(Worker.run({ ...options, outbox: store }, () =>
        Effect.succeed({
          ...result,
          execution_notes: "x".repeat(200_000),
          check_results: { log: "\u{1f600}".repeat(100_000) } as never,
          pr_url: `https://${"é".repeat(5000)}`
        }))))
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
      const done = yield* task("a")
      assert.deepInclude(done, { queue: "provisional", commits_count: 1, turns_used: 2 })
      assert.match(done.execution_notes, /^x{131000,}…$/)
      assert.match(done.check_results, /^\{"log":"(\u{1f600}){32000,}…$/u)
      assert.isAtMost(bytesOf(done.execution_notes), MaxLong)
      assert.isAtMost(bytesOf(done.check_results), MaxLong)
      assert.isAtMost(bytesOf(done.pr_url), MaxLine)
      assert.deepStrictEqual(said, ["texts of the result are too large, and are cut to their limits"])
      assert.isEmpty(yield* Worker.unsettled(store))
    }))

  it.live("rejects with a reason that is too large hands it in shortened to its limit", () =>
    Effect.gen(function*() {
      const { create, send, task, throughFaults } = yield* make()
      yield* create("a")
      yield* send("PATCH", "/api/v1/tasks/a", { queue: "provisional" })
      yield* throughFaults(
        Worker.run(
          { ...options, queue: "provisional" },
          () => Effect.succeed({ verdict: "reject", reason: "no ".repeat(50_000) })
        )
      )
      const rejected = yield* task("a")
      assert.strictEqual(rejected.queue, "incoming")
      assert.match(rejected.last_rejection_reason, /^(no ){1000}/)
    }))

  it.live("answers wrong types leaves its result in the outbox, and its task fails with a sentence", () =>
    Effect.gen(function*() {
      const { create, task, throughFaults } = yield* make()
      yield* create("a")
      const store = memory()
      yield* throughFaults(
        Worker.run(
          { ...options, outbox: store },
          () => Effect.succeed({ turns_used: "two", execution_notes: "a night's work" } as never)
        )
      )
      const sentences = "commits_count is missing. turns_used has a wrong value: expected number."
      assert.deepInclude(yield* task("a"), {
        queue: "failed",
        failure_reason: `It could not be submitted: ${sentences}`
      })
      const [kept] = yield* Worker.unsettled(store)
      assert.deepInclude(kept, { verb: "submit", refused: sentences })
      assert.deepInclude(kept!.payload, { turns_used: "two", execution_notes: "a night's work" })
    }))
})
