/** The limits that CI holds the server to (`bench/budget.json`), and what exceeds them. */
import { readFileSync, writeFileSync } from "node:fs"
import * as Made from "./Made.ts"
import { type Counts, figures, type Measured } from "./Measure.ts"
import type { Measurement as Measuring } from "./Measurement.ts"
import * as Plan from "./Plan.ts"
import * as Statements from "./Statements.ts"

export interface Budget {
  /** The sizes of the Workers on D1 and on Durable Objects, compressed: `npm run bundle`. */
  readonly bundle: { readonly gzipKiB: number; readonly objectsGzipKiB: number }
  /** How long it is busy when it starts, on a machine that does nothing else: `node scripts/build/startup.ts`. */
  readonly startup: { readonly activeMillis: number }
  /** What may be asked for, and the counts it may cost by the depth of the database. */
  readonly operations: { readonly [name: string]: { readonly [depth: string]: Counts } }
}

type Measurement = Pick<Measuring["Service"], "all" | "db">

const file = new URL("../../bench/budget.json", import.meta.url)
const plansFile = new URL("../../bench/plans.txt", import.meta.url)

export const read = (): Budget => JSON.parse(readFileSync(file, "utf8"))

export const readPlans = (): string => readFileSync(plansFile, "utf8")

/**
 * Steps that read a growing table or an index of it from end to end, and may: each by a pattern of the statement and the
 * step, with the reason.
 */
const allowed: ReadonlyArray<{ readonly statement: RegExp; readonly step: RegExp; readonly because: string }> = [
  {
    statement: /INDEXED BY tasks_backing_off (SET .*)?WHERE (?!scope)/,
    step: /^SCAN tasks USING (COVERING )?INDEX tasks_backing_off$/,
    because:
      "Only tasks that back off are in this index, and the cron looks there only where backoff is off: hardly any."
  }
]

/** The scans among the plans, one line each, with what it is in. */
export const scans = (plans: ReadonlyArray<Plan.Plan>): ReadonlyArray<string> =>
  plans.flatMap((plan) =>
    Plan.scansOf(plan)
      .filter((step) => !allowed.some((one) => one.statement.test(plan.text) && one.step.test(step)))
      .map((step) => `${step}\n  in ${Plan.render([plan])}`)
  )

/** Every statement with its plan: those that were executed, and those that no case sends. */
export const plansOf = ({ all, db }: Measurement): Promise<ReadonlyArray<Plan.Plan>> =>
  Plan.explain(db, [
    ...all.flatMap(({ executions }) => executions),
    // SQLite does not plan by the values of parameters (`src/sql/Statement.ts`).
    ...Made.unsent(all).map(({ names, text }) => ({ text, parameters: names.map(() => null) }))
  ])

const words: Record<keyof Counts, string> = {
  trips: "round trips",
  statements: "statements",
  read: "rows read",
  written: "rows written"
}

const excess = async (measured: Measured, limits: Counts, db: Measurement["db"]) => {
  const over = figures.filter((figure) => measured[figure] > limits[figure])
  if (over.length === 0) return []
  const figure = over.includes("written") && !over.includes("read") ? "written" : "read"
  // What did it is a statement that is new, or is carried out in another way: of those, and else of all, the dearest.
  const known = readPlans()
  const planned = await Promise.all(measured.executions.map(async (execution) => ({
    execution,
    plan: Plan.render(await Plan.explain(db, [execution]))
  })))
  const changed = planned.filter(({ plan }) => !known.includes(plan))
  const [dearest] = (changed.length > 0 ? changed : planned).toSorted((a, b) =>
    b.execution[figure] - a.execution[figure]
  )
  return [
    `${measured.name}, at a depth of ${measured.depth}: ` +
    over.map((figure) => `${measured[figure]} ${words[figure]} (allowed: ${limits[figure]})`).join(", ") +
    (dearest === undefined
      ? ""
      : `\n  ${changed.length > 0 ? "The new statement" : "The statement"} with the most ${words[figure]} (${
        dearest.execution[figure]
      }):\n  ${dearest.plan}`)
  ]
}

/** What does not keep to the budget, and what has none. */
export const excesses = async ({ operations }: Budget, { all, db }: Measurement): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const measured of all) {
    const limits = operations[measured.name]?.[measured.depth]
    if (limits === undefined) found.push(`${measured.name} has no budget at a depth of ${measured.depth}`)
    else found.push(...await excess(measured, limits, db))
  }
  const names = new Set(all.map(({ name }) => name))
  const gone = Object.keys(operations).filter((name) => !names.has(name))
  return [...found, ...gone.map((name) => `${name} has a budget and is not measured`)]
}

/** Writes what was measured down as the limits, one line for each depth, the plans, and the statements. */
export const write = (measurement: Measurement, plans: ReadonlyArray<Plan.Plan>): void => {
  const { bundle, startup } = read()
  const lines = [...Map.groupBy(measurement.all, ({ name }) => name)].map(([name, measured]) => {
    const depths = measured.map(({ depth, read, statements, trips, written }) =>
      `      "${depth}": { "trips": ${trips}, "statements": ${statements}, "read": ${read}, "written": ${written} }`
    )
    return `    ${JSON.stringify(name)}: {\n${depths.join(",\n")}\n    }`
  })
  const limits = Object.entries({ bundle, startup }).map(([name, value]) =>
    `  "${name}": ${JSON.stringify(value, null, 1).replace(/\s+/g, " ")}`
  )
  writeFileSync(file, `{\n${limits.join(",\n")},\n  "operations": {\n${lines.join(",\n")}\n  }\n}\n`)
  writeFileSync(plansFile, Plan.render(plans))
  Statements.write(Statements.render(measurement.all, plans))
}
