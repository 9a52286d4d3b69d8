/**
 * What every endpoint and the cron send to D1, and what it costs there and on Durable Objects: `npm run statements`. One
 * measurement is held to `bench/budget.json` and `bench/budget-objects.json` (costs), `bench/plans.txt` (plans) and
 * `bench/statements/` (the statements, whole), or written to them.
 */
import * as Effect from "effect/Effect"
import * as Budget from "../test/budget/Budget.ts"
import { Measurement } from "../test/budget/Measurement.ts"
import * as ObjectsBudget from "../test/budget/objects/Budget.ts"
import * as Plan from "../test/budget/Plan.ts"
import * as Statements from "../test/budget/Statements.ts"
import * as Flags from "./flags.ts"

const { values: { write } } = Flags.read({
  run: "npm run statements",
  does:
    `Measures what every endpoint and the cron send to D1 at two depths, and what it costs there and on Durable Objects.
Compares the costs with bench/budget.json and bench/budget-objects.json, and the statements and their plans with bench/statements/ and
bench/plans.txt. Looks for what costs more on objects than on D1 without a reason, and for statements that read a table that grows from end
to end. Exits with 1 if something costs more than it may, or a file is not current.`,
  takes: "one to two minutes",
  options: {
    write: {
      type: "boolean",
      default: false,
      says: "makes the measured costs the budget, and writes the statements and their plans"
    }
  }
})

const check = Measurement.use((measurement) =>
  Effect.promise(async () => {
    const plans = await Budget.plansOf(measurement)
    if (write) {
      Budget.write(measurement, plans)
      ObjectsBudget.write(measurement)
    }
    const stale = Statements.difference(Statements.read(), Statements.render(measurement.all, plans))
    const findings = [
      ...Budget.scans(plans),
      ...await Budget.excesses(Budget.read(), measurement),
      ...ObjectsBudget.excesses(ObjectsBudget.read(), measurement),
      ...(Plan.render(plans) === Budget.readPlans() ? [] : ["bench/plans.txt is not current"]),
      ...(stale === undefined ? [] : [`${stale.file} is not current`])
    ]
    for (const finding of findings) console.error(finding)
    console.log(
      `${measurement.all.length} costs, ${measurement.objects.length} on objects, ${plans.length} statements, ${findings.length} findings`
    )
    return findings.length === 0
  })
)

process.exitCode = await Effect.runPromise(Effect.provide(check, Measurement.layer)) ? 0 : 1
