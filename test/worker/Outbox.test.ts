/** Results that cannot be handed in: they are written down first, sent again under their key, and readable until they are settled. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MaxRefused, MaxWaiting, memory } from "../../src/client/Outbox.ts"
import * as Worker from "../../src/client/Worker.ts"
import * as FileStore from "../../src/FileStore.ts"
import { pages } from "../support/OnTheWay.ts"
import { answered, type Fault, faultless, listening, machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann", leaseSeconds: 60 } as const
type Until = Effect.Success<ReturnType<typeof make>>["until"]
const work = () => Effect.succeed(result)

/** A directory of its own, with a store in it. */
const directory = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "outbox-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  ),
  (path) => ({ path, store: FileStore.make(path) })
)

const pass = (seconds: number) =>
  Effect.forEach(
    Array.from({ length: seconds / 5 }),
    () => Effect.andThen(TestClock.adjust("5 seconds"), answered),
    { discard: true }
  )

const endsIn = (path: string, what: Exclude<ReturnType<Fault>, "none">): Fault => (_method, asked) =>
  asked.endsWith(path) ? what : "none"

describe("a result that the server does not accept", () => {
  it.effect(
    "for minutes, while it answers other calls: its lease is released, and the next lease hands it in",
    () =>
      Effect.gen(function*() {
        const { calls, create, events, fail, task, throughFaults } = yield* make()
        yield* create("a", "b")
        fail(endsIn("/a/submit", { instead: pages["a 500 without a tag"]! }))
        const { listen, said } = listening()
        const store = memory()
        const runs: Array<string> = []
        const fiber = yield* Effect.forkChild(listen(throughFaults(
          Worker.run({ ...options, outbox: store }, ({ task }) =>
            Effect.sync(() => {
              runs.push(task.id)
              return result
            }))
        )))
        yield* pass(200)
        assert.deepInclude(yield* task("a"), { queue: "claimed", claimed_by: "ann" })
        assert.strictEqual(said.filter((text) => text.includes("does not answer")).length, 1)
        yield* pass(300)
        const submits = calls.filter((call) => call.endsWith("/a/submit")).length
        assert.isAtLeast(submits, 10)
        assert.isAtMost(submits, 40)
        assert.include(said, "finished but not handed in: it stays in the outbox, and the task is given back")
        // Meanwhile it worked on. It claimed the task again at once, and did not do the work twice.
        assert.strictEqual((yield* task("b")).queue, "provisional")
        assert.deepStrictEqual(runs, ["a", "b"])
        assert.deepStrictEqual((yield* Worker.unsettled(store)).map(({ task_id, refused }) => [task_id, refused]), [
          ["a", null]
        ])
        fail(faultless)
        yield* pass(60)
        assert.deepStrictEqual(yield* Worker.unsettled(store), [])
        assert.deepStrictEqual(runs, ["a", "b"])
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual((yield* events("a")).slice(0, 4), ["created", "claimed", "released", "claimed"])
        assert.deepStrictEqual((yield* events("a")).slice(-2), ["claimed", "submitted"])
      })
  )

  it.effect("for half an hour causes no lost lease: then it is handed in, and the work was done once", () =>
    Effect.gen(function*() {
      const { create, events, fail, send, task, throughFaults } = yield* make({ MAX_LEASE_LOSSES: "2" })
      yield* create("a")
      fail(endsIn("/a/submit", { instead: pages["a 500 without a tag"]! }))
      const store = memory()
      let runs = 0
      const fiber = yield* Effect.forkChild(throughFaults(
        Worker.run({ ...options, outbox: store }, () =>
          Effect.sync(() => {
            runs += 1
            return { ...result, execution_notes: "a night's work" }
          }))
      ))
      yield* pass(1800)
      assert.strictEqual((yield* Worker.unsettled(store)).length, 1)
      const { body } = yield* send("GET", "/api/v1/tasks/a/history")
      assert.include(JSON.stringify(body), "The work is finished, but the server does not take the result now.")
      fail(faultless)
      yield* pass(120)
      assert.deepInclude(yield* task("a"), {
        queue: "provisional",
        execution_notes: "a night's work",
        lease_losses: 0,
        attempt_count: 0
      })
      assert.strictEqual(runs, 1)
      assert.notInclude(yield* events("a"), "lease_expired")
      assert.deepStrictEqual(yield* Worker.unsettled(store), [])
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("a verdict, for minutes: the next lease of the review hands it in", () =>
    Effect.gen(function*() {
      const { create, events, fail, send, task, throughFaults } = yield* make()
      yield* create("a")
      yield* send("PATCH", "/api/v1/tasks/a", { queue: "provisional" })
      fail(endsIn("/a/reject", { instead: pages["a 500 without a tag"]! }))
      let runs = 0
      const fiber = yield* Effect.forkChild(throughFaults(
        Worker.run({ ...options, queue: "provisional", outbox: memory() }, () =>
          Effect.sync((): Worker.Result => {
            runs += 1
            return { verdict: "reject", reason: "no test" }
          }))
      ))
      yield* pass(400)
      fail(faultless)
      yield* pass(60)
      assert.deepInclude(yield* task("a"), { queue: "incoming", last_rejection_reason: "no test" })
      assert.notInclude(yield* events("a"), "review_lease_expired")
      assert.strictEqual(runs, 1)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("until another worker claims the task: then it stays readable with the reason", () =>
    Effect.gen(function*() {
      const { claim, create, fail, throughFaults } = yield* make()
      yield* create("a")
      let failing = true
      let runs = 0
      fail((_method, path) =>
        failing && path.endsWith("/submit")
          ? { instead: pages["a 500 without a tag"]! }
          : path.endsWith("/claim") && runs > 0
          ? "down"
          : "none"
      )
      const store = memory()
      const fiber = yield* Effect.forkChild(
        throughFaults(Worker.run({ ...options, outbox: store }, () =>
          Effect.sync(() => {
            runs += 1
            return result
          })))
      )
      yield* pass(400)
      const [waits] = yield* Worker.unsettled(store)
      assert.strictEqual(waits!.refused, null)
      assert.strictEqual((yield* claim()).body.id, "a")
      failing = false
      yield* pass(120)
      const [kept] = yield* Worker.unsettled(store)
      assert.match(String(kept!.refused), /other holds the task now/)
      fail(faultless)
      yield* pass(60)
      yield* Fiber.interrupt(fiber)
    }))
})

/** The result in the store when the worker submits it for the first time: it was written down before that. */
const written = Effect.fnUntraced(
  function*(store: KeyValueStore.KeyValueStore, until: Until, calls: ReadonlyArray<string>) {
    yield* until("it is submitted", Effect.sync(() => calls.some((call) => call.endsWith("/submit"))))
    const all = yield* Worker.unsettled(store)
    assert.strictEqual(all.length, 1, "results that are written down")
    return all
  }
)

// Each waits for its first worker to end in good order, which takes 15 seconds.
describe.concurrent("a result that a worker could not hand in", () => {
  it.live(
    "is handed in by the next worker under the same key, and the work is not repeated",
    () =>
      Effect.gen(function*() {
        const { calls, create, events, fail, task, throughFaults, until } = yield* make()
        yield* create("a")
        const { path, store } = yield* directory
        fail(endsIn("/submit", "down"))
        const first = yield* Effect.forkChild(throughFaults(Worker.run({ ...options, outbox: store }, work)))
        const before = yield* written(store, until, calls)
        yield* Fiber.interrupt(first)
        assert.deepInclude(yield* task("a"), { queue: "claimed", claimed_by: "ann" })
        assert.deepStrictEqual(yield* Worker.unsettled(store), before)

        fail(faultless)
        const { listen, said } = listening()
        let runs = 0
        yield* listen(throughFaults(
          Worker.run(
            { ...options, outbox: FileStore.make(path), resume: true, until: "idle" },
            () =>
              Effect.sync(() => {
                runs += 1
                return result
              })
          )
        ))
        assert.strictEqual(runs, 0)
        assert.include(said, "finished but not handed in")
        assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
        assert.deepStrictEqual(readdirSync(path), [])
      })
  )

  it.live("is submitted once if only the answer was lost", () =>
    Effect.gen(function*() {
      const { create, events, fail, throughFaults, until } = yield* make()
      yield* create("a")
      const { path, store } = yield* directory
      fail(endsIn("/submit", "lost"))
      const first = yield* Effect.forkChild(throughFaults(Worker.run({ ...options, outbox: store }, work)))
      yield* until("it is submitted", Effect.map(events("a"), (all) => all.includes("submitted")))
      yield* Fiber.interrupt(first)
      assert.strictEqual(readdirSync(path).length, 1)
      fail(faultless)
      yield* throughFaults(Worker.run({ ...options, outbox: store, until: "idle" }, work))
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
      assert.deepStrictEqual(readdirSync(path), [])
    }))

  it.live(
    "stays readable with the reason if another worker holds the task by then, and is not sent again",
    () =>
      Effect.gen(function*() {
        const { calls, claim, create, fail, send, task, throughFaults, until } = yield* make()
        yield* create("a")
        const { store } = yield* directory
        fail(endsIn("/submit", "down"))
        const first = yield* Effect.forkChild(
          throughFaults(
            Worker.run({ ...options, outbox: store }, () =>
              Effect.succeed({ ...result, execution_notes: "a night's work" }))
          )
        )
        yield* written(store, until, calls)
        yield* Fiber.interrupt(first)
        yield* send("POST", "/api/v1/tasks/a/requeue", { reason: "an operator" })
        assert.strictEqual((yield* claim()).body.id, "a")
        fail(faultless)
        // A worker that ends while it asks asks once more: that is the same request, under the same key.
        yield* throughFaults(Worker.run({ ...options, outbox: store, until: "idle" }, work))
        calls.length = 0
        yield* throughFaults(Worker.run({ ...options, outbox: store, until: "idle" }, work))
        assert.isEmpty(calls.filter((call) =>
          call.endsWith("/submit")
        ))
        assert.deepInclude(yield* task("a"), { queue: "claimed", claimed_by: "other" })
        const [kept] = yield* Worker.unsettled(store)
        assert.match(String(kept!.refused), /^The lease 1 of task a is over: other holds the task now\./)
        assert.strictEqual(kept!.payload.execution_notes, "a night's work")
      })
  )
})

/** Entries of another process: all of one task, under tokens that no lease has. */
const fill = Effect.fnUntraced(
  function*(store: KeyValueStore.KeyValueStore, count: number, refused: string | null, days = 0) {
    const now = DateTime.toEpochMillis(yield* DateTime.now)
    for (let n = 1; n <= count; n++) {
      const key = `${refused === null ? "waits" : "refused"}-${String(n).padStart(4, "0")}`
      const entry = {
        key,
        task_id: "x",
        fencing_token: n,
        verb: "submit",
        payload: { ...result, fencing_token: n },
        finished_at: new Date(now - days * 86_400_000 + n).toISOString(),
        refused
      }
      yield* store.set(`finished-${key}`, JSON.stringify(entry))
    }
  }
)

describe("an outbox", () => {
  it.live("that is full keeps the worker from claiming, which is logged", () =>
    Effect.gen(function*() {
      const { calls, create, fail, throughFaults, until } = yield* make()
      yield* create("a")
      const store = memory()
      yield* fill(store, MaxWaiting, null)
      fail(endsIn("/submit", "down"))
      const { listen, said } = listening()
      const fiber = yield* Effect.forkChild(listen(throughFaults(Worker.run({ ...options, outbox: store }, work))))
      yield* until(
        "it says so",
        Effect.sync(() => said.some((text) => text.startsWith("nothing more is claimed: 200 results")))
      )
      assert.isEmpty(calls.filter((call) => call.endsWith("/claim")))
      fail(faultless)
      // The server knows no such task, so that these are refused, and there is room again.
      yield* until("it claims", Effect.sync(() => calls.some((call) => call.endsWith("/claim"))))
      yield* Fiber.interrupt(fiber)
    }))

  it.live(
    "keeps a limited number of refused results for a month at most; the log shows what it drops",
    () =>
      Effect.gen(function*() {
        const { throughFaults } = yield* make()
        const store = memory()
        yield* fill(store, MaxRefused + 2, "The lease is over.")
        // It has the key of the first, and is older.
        yield* fill(store, 1, "The lease is over.", 31)
        const { listen, said } = listening()
        yield* listen(throughFaults(Worker.run({ ...options, outbox: store, until: "idle" }, work)))
        const kept = yield* Worker.unsettled(store)
        assert.deepStrictEqual(
          kept.map(({ fencing_token }) => fencing_token),
          Array.from({ length: MaxRefused }, (_, n) => n + 3)
        )
        assert.strictEqual(said.filter((text) => text.startsWith("a result is dropped from the outbox")).length, 2)
      })
  )

  it.live("hands in waiting results, even if they look very old by its clock", () =>
    Effect.gen(function*() {
      const { claim, create, events, send, throughFaults } = yield* make()
      yield* create("x")
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      yield* claim()
      const store = memory()
      const { listen, said } = listening()
      const days = Math.floor(DateTime.toEpochMillis(yield* DateTime.now) / 86_400_000)
      yield* fill(store, 1, null, days)
      yield* listen(throughFaults(Worker.run({ ...options, outbox: store, until: "idle" }, work)))
      assert.deepStrictEqual(yield* events("x"), ["created", "claimed", "submitted"])
      assert.isEmpty(yield* Worker.unsettled(store))
      assert.isEmpty(said.filter((text) => text.includes("dropped")))
    }))

  it.live("with files that are no entries leaves those, and hands in the others", () =>
    Effect.gen(function*() {
      const { throughFaults } = yield* make()
      const { path, store } = yield* directory
      writeFileSync(join(path, "finished-broken.json"), "{\"key\":")
      writeFileSync(join(path, "finished-half.json.new"), "{")
      writeFileSync(join(path, "other.txt"), "mine")
      const { listen, said } = listening()
      yield* listen(throughFaults(Worker.run({ ...options, outbox: store, until: "idle" }, work)))
      assert.include(said, "entries of the outbox cannot be read, and are left where they are")
      assert.sameMembers(readdirSync(path), ["finished-broken.json", "finished-half.json.new", "other.txt"])
    }))

  it.live("whose disk fails still hands in the result", () =>
    Effect.gen(function*() {
      const { create, events, throughFaults } = yield* make()
      yield* create("a")
      const broken = Effect.fail(new KeyValueStore.KeyValueStoreError({ method: "set", message: "no space left" }))
      const store = KeyValueStore.makeStringOnly({
        get: () => broken,
        set: () => broken,
        remove: () => broken,
        clear: broken,
        size: broken,
        keys: broken
      })
      const { listen, said } = listening()
      yield* listen(throughFaults(Worker.run({ ...options, outbox: store, until: "idle" }, work)))
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
      assert.include(said, "the outbox cannot be read")
      assert.include(said, "the outbox could not be written: the result is in memory only")
    }))
})
