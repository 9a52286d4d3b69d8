/** After any import every endpoint answers: accepted records fit the rest of the server. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { type ImportKind, importKinds } from "../../src/domain/transfer/Import.ts"
import { flawsOf } from "../../src/domain/WellFormed.ts"
import { runs, some } from "../support/runs.ts"
import * as server from "../support/server.ts"
import { good } from "./Good.ts"
import { Changed, changed, nasty } from "./Nasty.ts"

type Item = Readonly<Record<string, any>>
/** Whether the record can be sent at all: a text that is not well-formed is refused with its whole request. */
const canBeSent = (record: Item) => flawsOf(JSON.stringify(record)).length === 0

type Counts = { readonly [Kind in ImportKind]: number }

const keyOf = ({ id, name }: Item): string | number => id ?? name

/** Where the records of a kind are listed, and where each of them is read. */
const lists = (kind: ImportKind): ReadonlyArray<string> =>
  kind === "tasks"
    ? ["tasks?limit=500", "tasks?limit=500&sort=priority"]
    : kind === "actions"
    ? ["actions?limit=500", "actions?limit=500&status=expired"]
    : [`${kind}?limit=500`]
const places = (kind: ImportKind, id: string): ReadonlyArray<string> => [
  `${kind}/${id}`,
  ...(kind === "tasks" ? [`tasks/${id}/history`, `tasks/${id}/messages`] : []),
  ...(kind === "projects" ? [`projects/${id}/tasks`] : []),
  ...(kind === "messages" ? [`messages?thread_id=${id}`] : [])
]

const make = Effect.gen(function*() {
  yield* TestClock.setTime(Date.UTC(2026, 2, 2, 12))
  const { send } = yield* server.make()
  /** An answer that is not the server's mistake. */
  const ask = Effect.fnUntraced(function*(method: string, path: string, body?: unknown) {
    const answer = yield* send(method, `/api/v1/${path}${path.includes("?") ? "&" : "?"}scope=red`, body)
    assert.isBelow(answer.status, 500, `${method} ${path}`)
    return answer
  })
  /** What was reported, which is what a dry run says just before, and again once it is all there. */
  const load = Effect.fnUntraced(function*(batch: object) {
    const send = Effect.fnUntraced(function*(dry_run: boolean) {
      const { body: { dry_run: dry, ...report }, status } = yield* ask("POST", "scopes/red/import", {
        ...batch,
        dry_run
      })
      assert.deepStrictEqual([status, dry], [200, dry_run])
      return report
    })
    const foretold = yield* send(true)
    const report = yield* send(false)
    assert.deepStrictEqual(foretold, report)
    assert.deepStrictEqual(yield* send(true), yield* send(false))
    return report
  })
  /** All there is in the scope: as much as was imported, and as much as the counters say. */
  const listAll = Effect.fnUntraced(function*(imported: Counts) {
    const found = {} as { [Kind in ImportKind]: ReadonlyArray<Item> }
    for (const kind of importKinds) {
      const rows: Array<Item> = []
      for (const list of lists(kind)) rows.push(...(yield* ask("GET", list)).body[kind])
      found[kind] = [...new Map(rows.map((row) => [keyOf(row), row])).values()]
      assert.strictEqual(found[kind].length, imported[kind], kind)
    }
    const { flows, provisional_tasks, queue_counts } = (yield* ask("GET", "scheduler/poll")).body
    const counted = Map.groupBy(found.tasks, ({ queue }) => queue)
    assert.deepStrictEqual(
      Object.entries(queue_counts).filter(([, n]) => n !== 0).toSorted(),
      Array.from(counted, ([queue, tasks]): [string, unknown] => [queue, tasks.length]).toSorted()
    )
    assert.strictEqual((yield* ask("GET", "tasks")).body.total, found.tasks.length)
    assert.strictEqual(provisional_tasks.length, counted.get("provisional")?.length ?? 0)
    assert.sameMembers(Object.keys(flows), found.flows.map(({ name }) => name))
    return found
  })
  return { ask, load, listAll }
})

// Two records that fit, around those that may not.
const first = (kind: ImportKind): Item => good[kind]("first", 900_000)
const last = (kind: ImportKind): Item => good[kind]("last", 900_001)

const patches = [
  { title: "changed" },
  { queue: "requires-intervention" },
  { queue: "claimed", claimed_by: "bob" },
  { queue: "provisional" }
]

describe("a record that is imported", () => {
  it.effect.prop(
    "fits the server, or is a conflict that names its field and does not affect others",
    { changes: Schema.Array(Changed) },
    ({ changes }) =>
      Effect.gen(function*() {
        const { ask, listAll, load } = yield* make
        const records = changes.map((change, n) => ({ ...change, record: changed(change, n) }))
          .filter(({ record }) => canBeSent(record))
        const between = Map.groupBy(records, ({ kind }) => kind)
        const batch = importKinds.map((kind) => {
          const sent = between.get(kind) ?? []
          return [kind, [first(kind), ...sent.map(({ record }) => record), last(kind)]]
        })
        const { conflicts, existing, imported } = yield* load(Object.fromEntries(batch))
        const found = yield* listAll(imported)
        for (const kind of importKinds) {
          const sent = between.get(kind) ?? []
          const refused = conflicts.filter((conflict: Item) => conflict.kind === kind)
          assert.strictEqual(imported[kind] + existing[kind] + refused.length, sent.length + 2, kind)
          const fields = sent.flatMap(({ changes }) => changes.map(({ field }) => field)).join("|")
          for (const { error } of refused) {
            assert.match(error, new RegExp(`\\b(${fields})\\b|^Another draft has the number`))
          }
          const keys = found[kind].map(keyOf)
          assert.includeMembers(keys, [keyOf(first(kind)), keyOf(last(kind))])
          for (const path of keys.flatMap((key) => places(kind, encodeURIComponent(key)))) {
            assert.strictEqual((yield* ask("GET", path)).status, 200, path)
          }
        }
        for (const { id } of found.tasks) {
          for (const patch of patches) yield* ask("PATCH", `tasks/${encodeURIComponent(id)}`, patch)
        }
        yield* listAll(imported)
        // New records continue the numbers of the imported ones.
        for (const { name } of found.flows) {
          yield* ask("POST", "tasks", { id: `of-${name}`.slice(0, 200), file_path: name, branch: "b", flow: name })
        }
        assert.strictEqual((yield* ask("POST", "drafts", { title: "t", author: "a" })).status, 201)
        yield* ask("POST", "tasks/claim", { agent_name: "ann", orchestrator_id: "k-m", scope: "red" })
      }).pipe(Effect.scoped),
    { timeout: 900_000, arbitrary: { runs: runs(8, 6), size: 30 } }
  )

  it.effect.each(importKinds)(
    "fits or is refused, with each of these values in each of its fields: %s",
    (kind) =>
      Effect.gen(function*() {
        for (const field of some(Object.keys(good[kind]("", 0)), 5)) {
          const { ask, listAll, load } = yield* make
          const records = Object.keys(nasty).map((value, n) =>
            changed({ kind, changes: [{ field, value: { nasty: value } }] }, n)
          )
          const { imported } = yield* load({ [kind]: records.filter(canBeSent) })
          for (const record of records.filter((record) => !canBeSent(record))) {
            const { body, status } = yield* ask("POST", "scopes/red/import", { [kind]: [first(kind), record] })
            assert.deepStrictEqual([status, body.issues[0].path], [400, ["body", kind, 1, field]])
          }
          for (const { id } of (yield* listAll(imported)).tasks) {
            yield* ask("PATCH", `tasks/${encodeURIComponent(id)}`, { queue: "escalated" })
          }
          assert.strictEqual((yield* ask("POST", "drafts", { title: "t", author: "a" })).status, 201)
          yield* listAll({ ...imported, drafts: imported.drafts + 1 })
        }
      }),
    900_000
  )
})
