/** A worker whose wall clock is corrected: its waits go by a clock that no correction moves. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Worker from "../../src/client/Worker.ts"
import { answered, machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann", leaseSeconds: 60 }

const pass = (seconds: number) =>
  Effect.forEach(
    Array.from({ length: seconds }),
    () => Effect.andThen(TestClock.adjust("1 second"), answered),
    { discard: true }
  )

describe("a worker whose clock is corrected", () => {
  it.effect.each([-3600, 3600, -86_400])(
    "by %d s keeps its pace, its lease and its result",
    (step) =>
      Effect.gen(function*() {
        const { calls, create, events, throughFaults } = yield* make()
        yield* create("a")
        // The clock of the worker's machine: that of the test, plus the correction.
        const time = yield* Clock.Clock
        let off = 0
        const millis = () => time.currentTimeMillisUnsafe() + off
        const corrected: Clock.Clock = Object.assign(Object.create(time), {
          currentTimeMillisUnsafe: millis,
          currentTimeMillis: Effect.sync(millis),
          currentTimeNanosUnsafe: () => BigInt(Math.floor(millis())) * 1_000_000n,
          currentTimeNanos: Effect.sync(() => BigInt(Math.floor(millis())) * 1_000_000n)
        })
        const fiber = yield* Effect.forkChild(
          throughFaults(Worker.run(options, () => Effect.as(Effect.sleep("200 seconds"), result))).pipe(
            Effect.provideService(Clock.Clock, corrected)
          )
        )
        const beats = () => calls.filter((call) => call.endsWith("/heartbeat")).length
        yield* pass(30)
        const before = beats()
        off = step * 1000
        yield* pass(100)
        // A lease of a minute is renewed every 16 to 20 s.
        assert.isAtLeast(beats() - before, 4)
        assert.isAtMost(beats() - before, 7)
        off = 0
        yield* pass(100)
        assert.isAtMost(beats() - before, 14)
        assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
        yield* Fiber.interrupt(fiber)
      })
  )
})
