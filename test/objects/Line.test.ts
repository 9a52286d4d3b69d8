/** Claims that wait for a task: who tries when something changes, and who waits no more. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type { OrchestratorId } from "../../src/domain/Identifier.ts"
import { NoTasksAvailable } from "../../src/domain/task/TaskErrors.ts"
import * as Line from "../../src/objects/Line.ts"
import { CurrentLine, waiting } from "../../src/services/lease/Line.ts"
import { CurrentIdempotency } from "../../src/sql/Idempotency.ts"

const settled = Effect.promise(() => new Promise<void>((done) => setImmediate(done)))

/** A line, and claims of a queue that count how often they look for a task in it. */
const start = () => {
  const tasks: Array<string> = []
  const queue = { looks: 0 }
  const line = Line.make(() => tasks.length > 0)
  const claim = (machine: string, { key, reason = "none_ready" as "none_ready" | "maintenance", seconds = 20 } = {} as {
    readonly key?: string
    readonly reason?: "none_ready" | "maintenance"
    readonly seconds?: number
  }) =>
    waiting(
      { orchestrator_id: machine as OrchestratorId, agent_name: machine, wait_seconds: seconds },
      Effect.suspend(() => {
        queue.looks++
        const task = reason === "maintenance" ? undefined : tasks.shift()
        return task === undefined
          ? Effect.fail(
            new NoTasksAvailable({
              message: "No tasks available",
              error: "None.",
              reason,
              counts: {},
              waiting: { ready: 0, held: 0, blocked: 0, backing_off: 0 },
              retry_after_seconds: 15
            })
          )
          : Effect.succeed(task)
      })
    ).pipe(
      Effect.catch(() => Effect.succeed(undefined)),
      Effect.provideContext(
        Context.make(CurrentLine, line).pipe(
          Context.add(
            CurrentIdempotency,
            key === undefined ? undefined : { key, id: key, fingerprint: "", replayed: false }
          )
        )
      ),
      Effect.forkChild
    )
  const looks = () => {
    const { looks } = queue
    queue.looks = 0
    return looks
  }
  return { tasks, line, claim, looks }
}

describe("the line of claims", () => {
  it.effect("a task is looked for by one of a hundred machines, and a change that makes none ready by nobody", () =>
    Effect.gen(function*() {
      const { claim, line, looks, tasks } = start()
      const claims = yield* Effect.forEach(Array.from({ length: 100 }, (_, n) => `m${n}`), (name) => claim(name))
      yield* settled
      assert.strictEqual(looks(), 100)
      for (let n = 0; n < 50; n++) line.changed()
      yield* settled
      assert.strictEqual(looks(), 0)
      tasks.push("a")
      line.changed()
      yield* settled
      assert.strictEqual(looks(), 1)
      assert.strictEqual(yield* Fiber.join(claims[0]!), "a", "the first in the line gets it")
      tasks.push("b", "c")
      line.changed()
      yield* settled
      assert.strictEqual(looks(), 2)
      assert.deepStrictEqual(yield* Effect.forEach(claims.slice(1, 3), Fiber.join), ["b", "c"])
      yield* TestClock.adjust("20 seconds")
      yield* settled
      assert.strictEqual(looks(), 0, "who waited in vain does not look again")
      assert.isTrue((yield* Effect.forEach(claims.slice(3), Fiber.join)).every((task) => task === undefined))
    }))

  it.effect("one claim tries again when a change has no known queue", () =>
    Effect.gen(function*() {
      const { claim, line, looks } = start()
      yield* claim("m")
      yield* settled
      line.changed("anew")
      yield* settled
      assert.strictEqual(looks(), 2)
    }))

  it.effect("every claim is answered when the server stops, and later ones do not wait", () =>
    Effect.gen(function*() {
      const { claim, line, looks } = start()
      const claims = yield* Effect.forEach(["a", "b", "c"], (name) => claim(name))
      yield* settled
      looks()
      line.close()
      assert.deepStrictEqual(yield* Effect.forEach(claims, Fiber.join), [undefined, undefined, undefined])
      assert.strictEqual(looks(), 0)
      assert.isUndefined(yield* Effect.flatMap(claim("later"), Fiber.join))
      assert.strictEqual(looks(), 1)
    }))

  it.effect("a machine in maintenance does not wait, so nobody waits behind it", () =>
    Effect.gen(function*() {
      const { claim, line, tasks } = start()
      assert.isUndefined(yield* Effect.flatMap(claim("resting", { reason: "maintenance" }), Fiber.join))
      const other = yield* claim("other")
      yield* settled
      tasks.push("a")
      line.changed()
      assert.strictEqual(yield* Fiber.join(other), "a")
    }))

  it.effect("a repetition under its key ends the wait of the first request", () =>
    Effect.gen(function*() {
      const { claim, line, looks, tasks } = start()
      const first = yield* claim("m", { key: "k" })
      const other = yield* claim("m", { key: "other" })
      yield* settled
      const again = yield* claim("m", { key: "k", seconds: 0 })
      assert.deepStrictEqual(yield* Effect.forEach([first, again], Fiber.join), [undefined, undefined])
      assert.strictEqual(looks(), 3)
      tasks.push("a")
      line.changed()
      assert.strictEqual(yield* Fiber.join(other), "a")
    }))
})
