/** Bulk requests: each task has the effect and the error of its own endpoint, and an outcome of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Faulty from "../support/Faulty.ts"
import * as server from "../support/server.ts"

const bulk = "/api/v1/tasks/bulk"
const roomy = { BULK_STATEMENTS: "950" }
const scope = "red"

const begin = Effect.fnUntraced(function*(config: Record<string, string> = roomy) {
  const faulty = Faulty.make()
  const { send } = yield* server.make(config, faulty.open)
  const create = (id: string, rest: object = {}) =>
    send("POST", "/api/v1/tasks", { id, scope, file_path: `TASK-${id}.md`, branch: "b", ...rest })
  const ask = (body: object, headers?: Record<string, string>) => send("POST", bulk, { scope, ...body }, headers)
  const task = (id: string) => Effect.map(send("GET", `/api/v1/tasks/${id}`), ({ body }) => body)
  return { ...faulty, send, create, ask, task, everything: () => Faulty.everything(faulty.raw) }
})

const outcomes = (body: any) => body.outcomes.map(({ outcome, task_id }: any) => [task_id, outcome])
const tagsOf = (body: any) => body.outcomes.map(({ error }: any) => error?._tag ?? null)

/** The body of a bulk request, and the request that one of its tasks stands for. */
const actions = {
  accept: { by: "x", single: ["accept", { accepted_by: "x" }] },
  reject: { by: "x", reason: "no", single: ["reject", { rejected_by: "x", reason: "no" }] },
  requeue: { by: "x", reason: "later", single: ["requeue", { requeued_by: "x", reason: "later" }] },
  redrive: { by: "x", single: ["redrive", { redriven_by: "x" }] },
  cancel: { reason: "no", single: ["cancel", { reason: "no" }] },
  delete: { single: ["delete", undefined] },
  reprioritise: { priority: "P0", by: "x", single: ["patch", { priority: "P0", agent_name: "x" }] }
} as const

describe("a bulk request", () => {
  it.effect.each(Object.keys(actions) as ReadonlyArray<keyof typeof actions>)(
    "%s: has the effects and errors of the single requests, and a dry run says the same and changes nothing",
    (action) =>
      Effect.gen(function*() {
        const { single: [verb, body], ...fields } = actions[action]
        const prepared = Effect.gen(function*() {
          const one = yield* begin()
          yield* one.create("ready")
          yield* one.create("waits", { depends_on: [{ task_id: "ready", on_failure: "fail" }] })
          for (const id of ["reviewed", "finished", "failed", "cancelled"]) yield* one.create(id)
          yield* one.send("PATCH", "/api/v1/tasks/reviewed", { queue: "provisional" })
          yield* one.send("POST", "/api/v1/tasks/finished/force-queue", { queue: "done", reason: "r" })
          yield* one.send("POST", "/api/v1/tasks/failed/fail", { reason: "r" })
          yield* one.send("POST", "/api/v1/tasks/cancelled/cancel")
          yield* one.create("held")
          yield* one.send("PATCH", "/api/v1/tasks/held", { claimed_by: "ann" })
          return one
        })
        const ids = ["reviewed", "ready", "none", "held", "finished", "waits", "failed", "cancelled"]
        const singly = yield* prepared
        const together = yield* prepared
        const request = { action, ids, ...fields }
        const before = together.everything()
        const dry = yield* together.ask({ ...request, dry_run: true }, { "idempotency-key": "dry" })
        assert.strictEqual(dry.status, 200, JSON.stringify(dry.body))
        assert.isTrue(dry.body.dry_run)
        assert.deepStrictEqual(together.everything(), before)

        const answer = yield* together.ask(request)
        assert.strictEqual(answer.status, 200)
        for (const [place, id] of ids.entries()) {
          const one = verb === "delete" || verb === "patch"
            ? yield* singly.send(verb.toUpperCase(), `/api/v1/tasks/${id}`, body)
            : yield* singly.send("POST", `/api/v1/tasks/${id}/${verb}`, body)
          const { error, outcome, queue, version } = answer.body.outcomes[place]
          assert.strictEqual(outcome, one.status < 300 ? "done" : "refused", `${id}: ${JSON.stringify(one.body)}`)
          if (one.status >= 300) assert.deepStrictEqual(error, one.body)
          else if (verb !== "delete") assert.deepStrictEqual([queue, version], [one.body.queue, one.body.version])
          // Only `waits` depends on what became of another task of the request.
          if (id !== "waits") assert.deepStrictEqual(dry.body.outcomes[place], answer.body.outcomes[place], id)
        }
        const state = ({ everything }: typeof singly) => {
          const { idempotency_keys: _, messages, ...rest } = everything()
          return { ...rest, messages: messages!.map((message: any) => ({ ...message, id: "" })) }
        }
        assert.deepStrictEqual(state(together), state(singly))
      })
  )

  it.effect("creates tasks as single requests do, with the same errors", () =>
    Effect.gen(function*() {
      const { ask, create, everything, task } = yield* begin()
      yield* create("there", { external_key: "k" })
      const tasks = [
        { id: "a", file_path: "a.md", branch: "b", priority: "P1" },
        { id: "there", file_path: "x.md", branch: "b" },
        { id: "b", file_path: "a.md", branch: "b" },
        { id: "c", file_path: "c.md", branch: "b", depends_on: ["a"] },
        { id: "d", file_path: "d.md", branch: "b", blocked_by: "d" },
        { id: "e", file_path: "e.md", branch: "b", external_key: "k" },
        { id: "f", file_path: "f.md", branch: "b", project_id: "none" },
        { id: "g", file_path: "g.md" }
      ]
      const before = everything()
      const dry = yield* ask({ action: "create", tasks, dry_run: true })
      assert.deepStrictEqual(everything(), before)
      const { body } = yield* ask({ action: "create", tasks })
      const expected = [null, "TaskExists", "TaskExists", null, "InvalidTask", null, "InvalidTask", "InvalidTask"]
      assert.deepStrictEqual(tagsOf(body), expected)
      // The second path is taken only if the first task is there.
      assert.deepStrictEqual(tagsOf(dry.body), expected.with(2, null))
      assert.deepInclude(body, { done: 3, refused: 5, not_attempted: 0, next_cursor: null, looked_at: 0 })
      assert.deepInclude(body.outcomes[5], { outcome: "done", existing: "there" })
      assert.deepInclude(dry.body.outcomes[5], { outcome: "done", existing: "there" })
      assert.deepInclude(yield* task("c"), { blocked_by: "a", queue: "incoming", version: 1 })
      assert.strictEqual((yield* task("e"))._tag, "TaskNotFound")
    }))

  it.effect("needs exactly what its action needs", () =>
    Effect.gen(function*() {
      const { ask, everything } = yield* begin()
      const before = everything()
      const wrong = [
        { action: "create", ids: ["a"] },
        { action: "create", tasks: [{ id: "a", file_path: "a" }], ids: ["a"] },
        { action: "cancel" },
        { action: "cancel", ids: ["a"], filter: { queue: "incoming" } },
        { action: "cancel", ids: ["a"], tasks: [{ id: "a", file_path: "a" }] },
        { action: "cancel", ids: ["a", "a"] },
        { action: "cancel", filter: { type: "x" } },
        { action: "accept", ids: ["a"] },
        { action: "reject", ids: ["a"], by: "x" },
        { action: "reprioritise", ids: ["a"] }
      ]
      for (const body of wrong) {
        const { body: { _tag }, status } = yield* ask(body, { "idempotency-key": "k" })
        assert.deepStrictEqual([status, _tag], [400, "InvalidBulk"], JSON.stringify(body))
      }
      const many = Array.from({ length: 101 }, (_, n) => `t${n}`)
      assert.strictEqual((yield* ask({ action: "cancel", ids: many })).status, 400)
      assert.strictEqual((yield* ask({ action: "cancel", ids: ["a"], cursor: "x" })).body._tag, "InvalidCursor")
      assert.deepStrictEqual(everything(), before)
    }))

  it.effect("by a filter, takes the tasks that match, most urgent first, and goes on by its cursor", () =>
    Effect.gen(function*() {
      const { ask, create, send } = yield* begin()
      yield* send("POST", "/api/v1/projects", { id: "p", scope, title: "P", branch: "b" })
      for (let n = 0; n < 250; n++) {
        yield* create(`t${n}`, {
          priority: n % 2 === 0 ? "P1" : "P2",
          type: n % 5 === 0 ? "docs" : "code",
          role: n === 0 ? "a" : "b",
          project_id: n < 10 ? "p" : null
        })
      }
      yield* create("elsewhere", { scope: "blue" })
      const of = (filter: object) => ask({ action: "reprioritise", priority: "P3", filter, dry_run: true })
      const { body: some } = yield* of({ queue: "incoming", type: "docs", priority: "P1" })
      assert.deepInclude(some, { done: 25, looked_at: 250, next_cursor: null })
      assert.deepInclude((yield* of({ project_id: "p" })).body, { done: 10, looked_at: 10 })
      assert.deepInclude((yield* of({ project_id: "p", queue: "done" })).body, { done: 0, looked_at: 10 })
      assert.deepInclude((yield* of({ project_id: "p", role: "a" })).body, { done: 1 })

      const seen: Array<string> = []
      let cursor: string | null = null
      do {
        const { body }: server.Answer = yield* ask({ action: "cancel", filter: { queue: "incoming" }, cursor })
        assert.isAtMost(body.outcomes.length, 100)
        seen.push(...body.outcomes.map(({ task_id }: any) => task_id))
        cursor = body.next_cursor
      } while (cursor !== null)
      assert.lengthOf(new Set(seen), 250)
      assert.lengthOf(seen, 250)
      const { body } = yield* send("GET", `/api/v1/tasks?scope=${scope}&queue=cancelled&limit=1`)
      assert.strictEqual(body.total, 250)
    }))

  it.effect("sends a bounded number of statements, and goes on where it ended", () =>
    Effect.gen(function*() {
      const { ask, create, send } = yield* begin({})
      const ids = Array.from({ length: 20 }, (_, n) => `t${n}`)
      for (const id of ids) yield* create(id)
      for (const request of [{ ids }, { filter: { queue: "provisional" } }]) {
        for (const id of ids) yield* send("PATCH", `/api/v1/tasks/${id}`, { queue: "provisional" })
        const accepted: Array<string> = []
        let cursor: string | null = null
        let requests = 0
        do {
          const key = { "idempotency-key": `${Object.keys(request)} ${requests++}` }
          const { body }: server.Answer = yield* ask({ action: "accept", by: "x", ...request, cursor }, key)
          assert.isAbove(body.done, 0)
          assert.strictEqual(body.done + body.not_attempted, body.outcomes.length)
          accepted.push(...body.outcomes.filter((one: any) => one.outcome === "done").map((one: any) => one.task_id))
          cursor = body.next_cursor
        } while (cursor !== null)
        assert.sameMembers(accepted, ids)
        assert.lengthOf(accepted, ids.length)
        assert.isAbove(requests, 1)
      }
    }))

  it.effect("under a key, answers the same again and changes nothing twice, wherever it was cut", () =>
    Effect.gen(function*() {
      const requests = [
        { action: "requeue", ids: ["a", "none", "b"] },
        { action: "delete", ids: ["a", "none", "b"] },
        { action: "requeue", filter: { queue: "claimed" } },
        { action: "create", tasks: ["x", "a", "y"].map((id) => ({ id, file_path: `${id}.md`, branch: "b" })) }
      ]
      for (const request of requests) {
        for (const lost of ["lost request", "lost answer"] as const) {
          for (let after = 0; after < 9; after++) {
            const { ask, create, everything, faults, send } = yield* begin()
            const where = JSON.stringify({ request, lost, after })
            for (const id of ["a", "b"]) {
              yield* create(id)
              yield* send("PATCH", `/api/v1/tasks/${id}`, { claimed_by: "ann" })
            }
            const key = { "idempotency-key": "k" }
            faults.push(...Array.from({ length: after }, () => undefined), lost)
            const first = yield* ask(request, key)
            faults.splice(0)
            const second = yield* ask(request, key)
            assert.strictEqual(second.status, 200, where)
            assert.deepStrictEqual(outcomes(second.body).map(([, outcome]: any) => outcome), [
              "done",
              ...request.filter === undefined ? ["refused"] : [],
              "done"
            ], where)
            if (first.status === 200) assert.deepStrictEqual(second.body, first.body, where)
            const whole = everything()
            assert.lengthOf(whole.idempotency_keys!, 1, where)
            for (const id of ["a", "b"]) {
              const entries = whole.history!.filter(({ task_id }: any) => task_id === id)
              assert.lengthOf(entries, request.action === "create" ? 2 : 3, where)
            }
            const third = yield* ask(request, key)
            assert.deepStrictEqual(third.body, second.body, where)
            assert.strictEqual(third.headers.get("idempotent-replayed"), "true")
            assert.deepStrictEqual(everything(), whole)
          }
        }
      }
    }))

  it.effect("under a key, two at once change each task once and answer the same", () =>
    Effect.gen(function*() {
      const { ask, create, everything, send } = yield* begin()
      const ids = ["a", "b", "c", "d"]
      for (const id of ids) {
        yield* create(id)
        yield* send("PATCH", `/api/v1/tasks/${id}`, { claimed_by: "ann" })
      }
      const request = { action: "reprioritise", priority: "P0", ids: [...ids, "none"] }
      const key = { "idempotency-key": "k" }
      const all = yield* Effect.forEach([1, 2, 3], () => ask(request, key), { concurrency: 3 })
      for (const { body } of all) assert.deepStrictEqual(body, all[0]!.body)
      assert.deepInclude(all[0]!.body, { done: 4, refused: 1 })
      for (const id of ids) assert.lengthOf(everything().history!.filter(({ task_id }: any) => task_id === id), 3)
      assert.strictEqual((yield* ask({ ...request, reason: "another" }, key)).status, 422)
    }))

  it.effect("under a key, says that a task is done if the same request did it meanwhile and was cut", () =>
    Effect.gen(function*() {
      for (let cut = 1; cut < 12; cut++) {
        const { ask, create, everything, faults, send } = yield* begin()
        const ids = ["a", "b"]
        for (const id of ids) {
          yield* create(id)
          yield* send("PATCH", `/api/v1/tasks/${id}`, { claimed_by: "ann" })
        }
        const request = { action: "requeue", ids }
        const key = { "idempotency-key": "k" }
        faults.push(...Array.from({ length: cut }, () => undefined), "lost answer")
        const both = yield* Effect.forEach([1, 2], () => ask(request, key), { concurrency: 2 })
        faults.splice(0)
        const answers = [...both, yield* ask(request, key)].filter(({ status }) => status === 200)
        for (const { body } of answers) assert.deepInclude(body, { done: 2, refused: 0 }, String(cut))
        for (const id of ids) assert.lengthOf(everything().history!.filter(({ task_id }: any) => task_id === id), 3)
      }
    }))

  it.effect("under a key, whose part arrives after the same request did it elsewhere, answers that it is done", () =>
    Effect.gen(function*() {
      const { ask, create, everything, faults, release, send, silent } = yield* begin()
      const ids = ["a", "b"]
      for (const id of ids) {
        yield* create(id)
        yield* send("PATCH", `/api/v1/tasks/${id}`, { claimed_by: "ann" })
      }
      const request = { action: "requeue", ids }
      const key = { "idempotency-key": "k" }
      // The first request finds no key, makes it, and its first part is long under way.
      faults.push(undefined, undefined, "late")
      const first = yield* Effect.forkChild(ask(request, key))
      for (let left = 1000; silent() === 0; left--) {
        assert.isAbove(left, 0, "the first part was sent")
        yield* Effect.promise(() => new Promise((done) => setTimeout(done, 1)))
      }
      // The second request finds the plan, does the first part, and ends before it has an answer.
      faults.push(undefined, undefined, "lost request")
      assert.strictEqual((yield* ask(request, key)).status, 503)
      assert.lengthOf(everything().history!.filter(({ task_id }: any) => task_id === "a"), 3)
      yield* Effect.promise(release)
      const { body } = yield* Fiber.join(first)
      assert.deepStrictEqual(outcomes(body), [["a", "done"], ["b", "done"]])
      for (const id of ids) assert.lengthOf(everything().history!.filter(({ task_id }: any) => task_id === id), 3)
      assert.deepStrictEqual((yield* ask(request, key)).body, body)
    }))

  it.effect("costs in proportion to the number of tasks", () =>
    Effect.gen(function*() {
      const { ask, create } = yield* begin()
      for (let n = 0; n < 300; n++) yield* create(`other${n}`, { depends_on: [`other${n - 1}`] })
      const costs: Array<{ readonly read: number; readonly written: number }> = []
      for (const count of [1, 11, 101 - 1]) {
        const ids = Array.from({ length: count }, (_, n) => `of${count}-${n}`)
        const tasks = ids.map((id) => ({ id, file_path: `TASK-${id}.md`, branch: "b" }))
        for (const request of [{ action: "create", tasks }, { action: "cancel", ids }]) {
          const { body, headers } = yield* ask(request, { "idempotency-key": `${request.action} ${count}` })
          assert.strictEqual(body.done, count)
          const [, read, written] = /read=(\d+) written=(\d+)/.exec(headers.get("server-timing")!)!
          costs.push({ read: Number(read), written: Number(written) })
        }
      }
      for (const  of of["read", "written"] as const) {
        for (const action of [0, 1]) {
          const [one, eleven, hundred] = [0, 1, 2].map((n) => costs[2 * n + action]![of])
          const each = (eleven! - one!) / 10
          assert.approximately((hundred! - eleven!) / 89, each, each / 20 + 0.1, `${of} of ${action}`)
        }
      }
    }))
})
