/** Nothing costs more than `bench/budget.json` says, and no statement reads a table that grows from end to end. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { MaxStatements } from "../../src/sql/Database.ts"
import * as Budget from "./Budget.ts"
import * as Format from "./Format.ts"
import * as Graphs from "./Graphs.ts"
import * as Made from "./Made.ts"
import { depths, figures } from "./Measure.ts"
import { Measurement } from "./Measurement.ts"
import * as ObjectsBudget from "./objects/Budget.ts"
import * as Reasons from "./objects/Reasons.ts"
import * as Plan from "./Plan.ts"
import * as Recorded from "./Recorded.ts"
import * as Statements from "./Statements.ts"

const again = "If that is meant, `npm run statements -- --write` writes it down."

layer(Measurement.layer, { excludeTestServices: true, timeout: "10 minutes" })("the budget", (it) => {
  it.effect("is kept by every endpoint and the cron, at both depths", () =>
    Effect.gen(function*() {
      const measurement = yield* Measurement
      const found = yield* Effect.promise(() => Budget.excesses(Budget.read(), measurement))
      assert.isEmpty(found, `\n${found.join("\n")}\n${again}`)
    }))

  it.effect("is kept on Durable Objects, where nothing costs more than on D1 without a reason", () =>
    Effect.gen(function*() {
      const measurement = yield* Measurement
      assert.isAbove(measurement.objects.length, 200)
      const found = ObjectsBudget.excesses(ObjectsBudget.read(), measurement)
      assert.isEmpty(found, `\n${found.join("\n")}\n${again}`)
      // Every reason applies to at least one statement.
      const texts = measurement.objects.flatMap(({ executions }) => executions.map(({ text }) => text))
      const names = new Set(texts.map((text) => Reasons.reasonOf(text)?.name))
      assert.isEmpty(Reasons.reasons.filter(({ name }) => !names.has(name)))
    }))

  it.effect.each<readonly [what: string, change: { readonly read?: number; readonly text?: string }]>([
    ["a row that the same statement does not read on D1", { read: 1 }],
    ["a statement that D1 does not get", { text: "SELECT 1 FROM tasks" }]
  ])("finds on Durable Objects %s", ([, { read = 0, text }]) =>
    Effect.gen(function*() {
      const { all, everyScope, objects } = yield* Measurement
      const poll = objects.find(({ name }) => name === "GET /api/v1/scheduler/poll")!
      const last = poll.executions.at(-1)!
      const changed = { ...last, text: text ?? last.text, read: last.read + read }
      const dearer = { ...poll, read: poll.read + read, executions: [...poll.executions.slice(0, -1), changed] }
      const found = ObjectsBudget.excesses(
        { [poll.name]: { [poll.where]: poll } },
        { all, everyScope, objects: [dearer] }
      )
      assert.lengthOf(found, read + 1)
      assert.include(found.at(-1), changed.text)
    }))

  it.effect("has an idle object whose alarm writes two rows", () =>
    Effect.gen(function*() {
      const { objects } = yield* Measurement
      const idle = objects.find(({ name }) => name === "alarm: nothing to do")!
      assert.deepStrictEqual([idle.alarms, idle.written, idle.objects], [1, 2, 1])
    }))

  it.effect("has no statement that reads tasks, history, messages or dependencies from end to end", () =>
    Effect.gen(function*() {
      const plans = yield* Effect.flatMap(
        Measurement,
        (measurement) => Effect.promise(() => Budget.plansOf(measurement))
      )
      const found = Budget.scans(plans)
      assert.isEmpty(found, `\n${found.join("\n")}`)
    }))

  it.effect("knows how each statement is carried out", () =>
    Effect.gen(function*() {
      const plans = yield* Effect.flatMap(
        Measurement,
        (measurement) => Effect.promise(() => Budget.plansOf(measurement))
      )
      assert.strictEqual(Plan.render(plans), Budget.readPlans(), `bench/plans.txt has other plans. ${again}`)
    }))

  it.effect("has every statement whole in bench/statements", () =>
    Effect.gen(function*() {
      const measurement = yield* Measurement
      const plans = yield* Effect.promise(() => Budget.plansOf(measurement))
      const found = Statements.difference(Statements.read(), Statements.render(measurement.all, plans))
      assert.strictEqual(found?.now, found?.expected, `${found?.file} is not current. ${again}`)
    }))

  it.effect("lays a statement out for reading without changing it", () =>
    Effect.gen(function*() {
      const { all } = yield* Measurement
      for (const { text } of [...all.flatMap(({ executions }) => executions), ...Made.unsent(all)]) {
        assert.deepStrictEqual(Format.words(Format.format(text)), Format.words(text))
      }
    }))

  it.effect("knows the step of every statement", () =>
    Effect.gen(function*() {
      const { all } = yield* Measurement
      const unnamed = all.flatMap(({ executions }) => executions).filter(({ step }) => step === undefined)
      assert.isEmpty([...new Set(unnamed.map(({ text }) => text))])
    }))

  it.effect.each<readonly [what: string, text: string, step: string]>([
    ["a table", "SELECT id FROM tasks WHERE +queue = ?", "SCAN tasks"],
    ["a table by an alias", "SELECT t.id FROM tasks AS t WHERE +t.queue = ?", "SCAN t"],
    [
      "an index",
      `SELECT id FROM tasks INDEXED BY tasks_waiting WHERE queue = ? AND claimed_by IS NULL
        AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')`,
      "SCAN tasks USING"
    ],
    ["history", "SELECT count(*) AS n FROM history AS h WHERE event = ?", "SCAN h"],
    [
      "a table within a recursion",
      `WITH RECURSIVE up (id) AS (SELECT ?
        UNION SELECT t.id FROM up CROSS JOIN tasks AS t ON t.branch = up.id) SELECT id FROM up`,
      "SEARCH t USING AUTOMATIC"
    ]
  ])("finds a planted scan of %s, and tells the plan", ([, text, step]) =>
    Effect.gen(function*() {
      const { all, db } = yield* Measurement
      const { open, take } = Recorded.make(db)
      yield* Effect.promise(() => open().batch([open().prepare(text).bind("incoming")]))
      const [[execution] = []] = take()
      const plans = yield* Effect.promise(() => Plan.explain(db, [execution!]))
      assert.lengthOf(Budget.scans(plans), 1)
      const own = all.find(({ depth, name }) => name === "POST /api/v1/tasks/claim" && depth === 1000)
      const read = own!.read + execution!.read
      const dearer = { ...own!, read, executions: [...own!.executions, execution!] }
      const found = yield* Effect.promise(() => Budget.excesses(Budget.read(), { all: [dearer], db }))
      assert.include(found[0], `POST /api/v1/tasks/claim, at a depth of 1000: ${read} rows read (allowed: `)
      assert.include(found[0], step)
    }))

  it.effect("has no request and no turn of the cron that sends more statements than D1's free plan allows", () =>
    Effect.gen(function*() {
      const { all } = yield* Measurement
      const over = all.filter(({ statements }) => statements > MaxStatements)
      assert.isEmpty(over.map(({ depth, name, statements }) => `${name}, at a depth of ${depth}: ${statements}`))
    }))

  it.effect("has a turn of the cron with nothing to do that writes nothing, whatever the number of tasks and scopes", () =>
    Effect.gen(function*() {
      const { all } = yield* Measurement
      const idle = all.filter(({ name }) => name.startsWith("cron: nothing to do"))
      assert.lengthOf(idle, 2 * depths.length)
      for (const { depth, name, read, trips, written } of idle) {
        assert.deepStrictEqual([trips, written], [1, 0], `${name}, at a depth of ${depth}`)
        assert.isAtMost(read, 22, `${name}, at a depth of ${depth}`)
      }
    }))

  it.effect("has an overview that reads a bounded number of rows, and one row if nothing changed", () =>
    Effect.gen(function*() {
      const { all } = yield* Measurement
      const overviews = all.filter(({ name }) => name.startsWith("GET /api/v1/overview"))
      for (const { depth, name, read } of overviews) {
        assert.isAtMost(read, name.endsWith("not modified") ? 2 : 1300, `${name}, at a depth of ${depth}`)
      }
    }))

  it.effect("reads rows in proportion to the edges and tasks of a graph", () =>
    Effect.gen(function*() {
      const { all } = yield* Measurement
      const graphs = Map.groupBy(all.filter(({ name }) => name.startsWith(Graphs.prefix)), ({ name }) => name)
      assert.isAbove(graphs.size, 20)
      for (const [name, [small, large]] of graphs) {
        assert.isAbove(large!.depth, 5 * small!.depth)
        const [before, after] = [small!.read / small!.depth, large!.read / large!.depth]
        assert.isBelow(after, 1.2 * before, `${name}: ${before} rows for each edge or task, and ${after} of more`)
        assert.isBelow(after, 60, name)
      }
    }))

  it.effect("measures what was asked for", () =>
    Effect.gen(function*() {
      const { all } = yield* Measurement
      for (const depth of depths) {
        const claim = all.find((one) => one.depth === depth && one.name === "POST /api/v1/tasks/claim")!
        for (const figure of figures) assert.isAbove(claim[figure], 0)
      }
    }))
})
