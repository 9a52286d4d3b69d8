/** Whatever a handler comes to, its task does not stay claimed: results that are none, and errors that cannot be shown. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Worker from "../../src/client/Worker.ts"
import { machine, make, result } from "./support.ts"

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

/** What a handler does, and what the reason says. */
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
    }), 20_000)

  it.live("answers no result is retried where the options say so", () =>
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
    }), 20_000)

  it.live(
    "answers text with half a character hands it in with U+FFFD, and all else as it was",
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
      }),
    20_000
  )

  it.live(
    "fails, where onFailure throws and onLost cannot be reached, still gives its task up",
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
      }),
    20_000
  )
})
