/** What removing old records costs on D1, with few of them and with many. */
import type { D1Database } from "@cloudflare/workers-types"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { compiled, statementsOf, type Steps } from "../../src/sql/Batch.ts"
import { type Kind, kinds, look, type Slice, step } from "../../src/sql/upkeep/Retention.ts"
import { Workerd } from "../support/harness.ts"

const now = Date.now()
const Day = 86_400_000
const config = {
  RETAIN_HISTORY_DAYS: "30",
  RETAIN_MESSAGES_DAYS: "30",
  RETAIN_FINISHED_TASKS_DAYS: "30",
  RETAIN_PER_MINUTE: "20"
}

/** Tasks with two versions, and as many messages: every other task is old, the rest waits. */
const fill = (from: number, to: number) => {
  const old = now - 40 * Day
  const numbers = `WITH RECURSIVE n (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM n WHERE n < ${to - 1})`
  const each = `'s', printf('t%06d', n)`
  return [
    `INSERT INTO tasks (scope, id, file_path, title, queue, version, priority, priority_rank, branch, flow, created_at,
       updated_at, completed_at)
     ${numbers} SELECT ${each}, n || '.md', 't', iif(n % 2, 'done', 'incoming'), 2, 'P2', 2, 'b', 'default', ${old}, ${old},
       iif(n % 2, ${old}, NULL) FROM n`,
    ...[1, 2].map((version) =>
      `INSERT INTO history (scope, task_id, version, event, from_queue, to_queue, grants, at)
       ${numbers} SELECT ${each}, ${version}, 'e', ${version === 1 ? "NULL" : "'incoming'"},
         ${version === 2 ? "iif(n % 2, 'done', 'incoming')" : "'incoming'"}, 0, ${old} FROM n`
    ),
    `INSERT INTO messages (scope, id, task_id, from_actor, type, content, created_at)
     ${numbers} SELECT 's', 'm' || n, 't', 'a', 'comment', 'c', iif(n < ${(from + to) / 2}, ${old}, ${now}) FROM n`,
    `INSERT INTO queue_counts (scope, counts) SELECT 's', json_object() WHERE true ON CONFLICT DO NOTHING`,
    `UPDATE queue_counts SET counts = (
       SELECT json_group_object(queue, n) FROM (SELECT queue, count(*) AS n FROM tasks GROUP BY queue))`
  ]
}

layer(Workerd.layerWith(config), { excludeTestServices: true, timeout: "10 minutes" })("in workerd", (it) => {
  it.effect("a step costs what it removes, at any size of the table, and resting costs next to nothing", () =>
    Effect.gen(function*() {
      const { database: db, tick } = yield* Workerd
      const run = (steps: Steps) =>
        Effect.promise(async () => {
          const results = await db.batch<any>(
            statementsOf(steps).map((statement) => {
              const [text, parameters] = compiled(statement)
              return db.prepare(text).bind(...parameters)
            }) as Parameters<D1Database["batch"]>[0]
          )
          const sum = (name: "rows_read" | "rows_written") => results.reduce((n, { meta }) => n + meta[name], 0)
          return { rows: results[0]!.results, read: sum("rows_read"), written: sum("rows_written") }
        })
      const execute = (texts: ReadonlyArray<string>) =>
        Effect.promise(() => db.batch(texts.map((text) => db.prepare(text))))
      const count = (text: string) =>
        Effect.promise(async () => (await db.prepare(`SELECT count(*) AS n FROM ${text}`).first<{ n: number }>())!.n)

      const most = 20
      const sweepOf = (kind: Kind) => ({ kind, before: now - 30 * Day, most, now })
      /** One step of each kind: the rows that it read and wrote. */
      const measure = Effect.forEach(kinds, (kind) =>
        Effect.gen(function*() {
          const looked = yield* run({ looked: look(sweepOf(kind)) })
          const removed = yield* run(step(sweepOf(kind), looked.rows[0] as Slice))
          return [kind, { looked: looked.read, read: removed.read, written: looked.written + removed.written }] as const
        }))
      yield* execute(fill(0, 1000))
      const few = yield* measure
      yield* execute(fill(1000, 10_000))
      const many = yield* measure
      for (const [i, [kind, cost]] of many.entries()) {
        assert.isAbove(cost.written, most, `${kind}: something is removed`)
        assert.isAtMost(cost.looked, few[i]![1].looked + 10, `${kind}: looked at more`)
        assert.isAtMost(cost.read, few[i]![1].read + 10, `${kind}: read more`)
        assert.isAtMost(cost.written, few[i]![1].written + 10, `${kind}: wrote more`)
      }

      const due = ["tasks WHERE queue = 'done'", `messages WHERE created_at < ${now - 30 * Day}`] as const
      const before = yield* Effect.forEach(due, count)
      yield* tick
      const after = yield* Effect.forEach(due, count)
      assert.deepStrictEqual(after, before.map((n) => n - most), "the cron takes one step of each")

      yield* execute([`UPDATE sweeps SET due_at = ${now + Day}`])
      for (const kind of kinds) {
        const resting = yield* run({ looked: look(sweepOf(kind)) })
        assert.strictEqual((resting.rows[0] as Slice).open, 0)
        assert.isAtMost(resting.read, 4, kind)
      }
      for (const { name, sql } of integrity) {
        assert.deepStrictEqual((yield* Effect.promise(() => db.prepare(sql).all())).results, [], name)
      }
    }))
})
