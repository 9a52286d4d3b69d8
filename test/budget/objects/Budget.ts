/** The limits on Durable Objects (`bench/budget-objects.json`), and what exceeds them. */
import { readFileSync, writeFileSync } from "node:fs"
import type { Measurement } from "../Measurement.ts"
import * as Reasons from "./Reasons.ts"
import { type Counts, figures, type MeasuredObjects } from "./Tally.ts"

/** What may be asked for, and what it may cost by the depth of the scope, or by the number of scopes. */
type Budget = { readonly [name: string]: { readonly [where: string]: Counts } }

const file = new URL("../../../bench/budget-objects.json", import.meta.url)

export const read = (): Budget => JSON.parse(readFileSync(file, "utf8"))

/** The budget of objects as a file: one line for each place. */
const render = (all: ReadonlyArray<MeasuredObjects>): string => {
  const lines = [...Map.groupBy(all, ({ name }) => name)].map(([name, measured]) => {
    const places = measured.map((one) =>
      `    ${JSON.stringify(one.where)}: { ${figures.map((figure) => `"${figure}": ${one[figure]}`).join(", ")} }`
    )
    return `  ${JSON.stringify(name)}: {\n${places.join(",\n")}\n  }`
  })
  return `{\n${lines.join(",\n")}\n}\n`
}

export const write = ({ objects }: Measurement["Service"]): void => writeFileSync(file, render(objects))

/** What does not keep to the budget, what has none, and what costs more than on D1 without a reason. */
export const excesses = (
  budget: Budget,
  { all, everyScope, objects }: Pick<Measurement["Service"], "all" | "everyScope" | "objects">
): ReadonlyArray<string> => {
  const over = objects.flatMap((one) => {
    const limits = budget[one.name]?.[one.where]
    if (limits === undefined) return [`${one.name} has no budget on objects: ${one.where}`]
    return figures.filter((figure) => one[figure] > limits[figure]).map((figure) =>
      `${one.name}, on objects, ${one.where}: ${one[figure]} ${figure} (allowed: ${limits[figure]})`
    )
  })
  const names = new Set(objects.map(({ name }) => name))
  const gone = Object.keys(budget).filter((name) => !names.has(name))
  return [
    ...over,
    ...gone.map((name) => `${name} has a budget on objects and is not measured`),
    ...Reasons.findings(objects, [...all, ...everyScope])
  ]
}
