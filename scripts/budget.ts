/**
 * What every endpoint costs on D1, against `bench/budget.json`: `npm run budget`. With `-- --write` what was measured becomes
 * the budget, and the plans of all statements are written to `bench/plans.txt`, for a reviewer to see what changed.
 */
import * as Effect from "effect/Effect"
import * as Budget from "../test/budget/Budget.ts"
import { Measurement } from "../test/budget/Measure.ts"
import * as Flags from "./flags.ts"

const { values: { write } } = Flags.read({
  run: "npm run budget",
  does:
    `Measures what every endpoint and the cron cost on D1 at two depths, and compares it with bench/budget.json. Looks for statements
that read a table that grows from end to end. Exits with 1 if something costs more than it may.`,
  takes: "a minute",
  options: {
    write: {
      type: "boolean",
      default: false,
      says: "makes the measured costs the budget, and writes the plans of all statements to bench/plans.txt"
    }
  }
})

const check = Measurement.use((measurement) =>
  Effect.promise(async () => {
    const plans = await Budget.plansOf(measurement)
    if (write) Budget.write(measurement, plans)
    const findings = [...Budget.scans(plans), ...await Budget.excesses(Budget.read(), measurement)]
    for (const finding of findings) console.error(finding)
    console.log(`${measurement.all.length} costs, ${plans.length} statements, ${findings.length} findings`)
    return findings.length === 0
  })
)

process.exitCode = await Effect.runPromise(Effect.provide(check, Measurement.layer)) ? 0 : 1
