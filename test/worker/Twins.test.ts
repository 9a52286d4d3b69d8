/** Two processes with one agentName: neither resumes the tasks of the other, and both are warned. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as Worker from "../../src/client/Worker.ts"
import { answered, faultless, machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann", leaseSeconds: 300 } as const

const pass = (seconds: number) =>
  Effect.forEach(
    Array.from({ length: seconds / 5 }),
    () => Effect.andThen(TestClock.adjust("5 seconds"), answered),
    { discard: true }
  )

const sentence = (task: string, token: number) =>
  `Another process works as ann on k-m: it renewed the lease ${token} of task ${task}. Give each worker an agentName of its own.`

/** A handler that works until it is interrupted, and the tasks it was given. */
const lasting = () => {
  const begun: Array<string> = []
  return {
    begun,
    handler: ({ task }: Worker.Attempt) => Effect.andThen(Effect.sync(() => void begun.push(task.id)), Effect.never)
  }
}

describe("two processes with one agentName", () => {
  it.effect(
    "of which one resumes: it ends with an error that names the lease of the other",
    () =>
      Effect.gen(function*() {
        const { create, events, throughFaults } = yield* make()
        yield* create("a", "b")
        const first = lasting()
        const one = yield* Effect.forkChild(throughFaults(Worker.run(options, first.handler)))
        yield* pass(10)
        const second = lasting()
        const two = yield* Effect.forkChild(
          throughFaults(Effect.flip(Worker.run({ ...options, resume: true }, second.handler)))
        )
        yield* pass(200)
        const error = yield* Fiber.join(two)
        assert.instanceOf(error, Worker.AgentNameTaken)
        assert.strictEqual(error.message, sentence("a", 1))
        assert.deepStrictEqual([first.begun, second.begun], [["a"], []])
        assert.deepStrictEqual(yield* events("a"), ["created", "claimed"])
        yield* Fiber.interrupt(one)
      })
  )

  it.effect(
    "of which one died: its task is resumed after a while, under its token, even if its last renewal was late",
    () =>
      Effect.gen(function*() {
        const { claim, create, events, send, task, throughFaults } = yield* make()
        yield* create("a")
        yield* send("POST", "/api/v1/orchestrators/register", machine)
        yield* claim("ann")
        const fiber = yield* Effect.forkChild(
          throughFaults(Worker.run({ ...options, resume: true, until: "idle" }, () => Effect.succeed(result)))
        )
        yield* pass(10)
        yield* send("POST", "/api/v1/tasks/a/renew", { fencing_token: 1 })
        yield* pass(60)
        assert.deepInclude(yield* task("a"), { queue: "claimed" })
        yield* pass(40)
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
      })
  )

  it.effect("that work at the same time share no task, and both are warned", () =>
    Effect.gen(function*() {
      const { create, events, fail, throughFaults } = yield* make()
      yield* create("a", "b")
      // Answers to claims are lost: none may take the other's task for what was granted to it.
      fail((_method, path, times) => path.endsWith("/claim") && times % 2 === 1 ? "lost" : "none")
      const said: Array<ReadonlyArray<string>> = []
      const workers: Array<Fiber.Fiber<void, Worker.WorkerError>> = []
      const begun: Array<string> = []
      for (let n = 0; n < 2; n++) {
        const mine: Array<string> = []
        said.push(mine)
        const logger = Logger.make(({ logLevel, message }) => {
          if (logLevel === "Error") mine.push([message].flat().map(String).join(" "))
        })
        const { begun: own, handler } = lasting()
        const worker = throughFaults(Worker.run(options, handler)).pipe(Effect.provide(Logger.layer([logger])))
        workers.push(yield* Effect.forkChild(worker))
        yield* pass(30)
        begun.push(...own)
      }
      assert.deepStrictEqual(begun.toSorted(), ["a", "b"])
      fail(faultless)
      yield* pass(1200)
      assert.deepStrictEqual(said, [[sentence("b", 1)], [sentence("a", 1)]])
      for (const worker of workers) yield* Fiber.interrupt(worker)
      for (const name of ["a", "b"]) assert.deepStrictEqual(yield* events(name), ["created", "claimed", "released"])
    }))

  it.effect("of which one died with more tasks than fit on a page: all are resumed, with their content", () =>
    Effect.gen(function*() {
      const { claim, events, send, throughFaults } = yield* make()
      const ids = Array.from({ length: 16 }, (_, n) => `t${n}`)
      const content = "x".repeat(500_000)
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      for (const id of ids) {
        yield* send("POST", "/api/v1/tasks", { id, file_path: id, branch: "b", content })
        yield* claim("ann")
      }
      const lengths = new Map<string, number>()
      const fiber = yield* Effect.forkChild(throughFaults(
        Worker.run({ ...options, resume: true, until: "idle", concurrency: 16 }, ({ task }) =>
          Effect.sync(() => {
            lengths.set(task.id, task.content?.length ?? 0)
            return result
          }))
      ))
      yield* pass(120)
      yield* Fiber.join(fiber)
      assert.sameMembers([...lengths.keys()], ids)
      assert.deepStrictEqual(new Set(lengths.values()), new Set([content.length]))
      for (const id of ids) assert.deepStrictEqual(yield* events(id), ["created", "claimed", "submitted"])
    }))
})
