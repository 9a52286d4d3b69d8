/**
 * Faults in the SQL of a step. The copy of the server gets two modules in place of `Statement.ts` and `Batch.ts`, which do what
 * those do, and send the statements of one step with the fault.
 */
import { execFile } from "node:child_process"
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import type { StepFault } from "../../../test/mutation/Fault.ts"
import { oneLine, type Order, orderFile, type Seen, seenFile } from "./planted.ts"

const glue = {
  Statement: `export * from "./StatementAsItIs.ts"
import * as sound from "./StatementAsItIs.ts"
import * as planted from "../../scripts/prove/mutate/planted.ts"

export const statement = planted.statementWith(sound.statement, planted.order())
`,
  Batch: `export * from "./BatchAsItIs.ts"
import * as sound from "./BatchAsItIs.ts"
import * as planted from "../../scripts/prove/mutate/planted.ts"

const [order, seen] = [planted.order(), planted.seen()]
const planting = (steps) => planted.stepsWith(steps, order, seen)

export const statementsOf = (steps) => sound.statementsOf(planting(steps))
export const splitAfter = (steps, name) => sound.splitAfter(planting(steps), name)
`
}

/** Lets the copy send statements through `planted.ts`. What it answers undoes that. */
export const hook = (directory: string): () => void => {
  const places = Object.entries(glue).map(([name, code]) => {
    const file = join(directory, "src/sql", `${name}.ts`)
    return { file, sound: join(directory, "src/sql", `${name}AsItIs.ts`), code }
  })
  for (const { code, file, sound } of places) {
    renameSync(file, sound)
    writeFileSync(file, code)
  }
  return () => {
    for (const { file, sound } of places) renameSync(sound, file)
  }
}

/** Sends every request that the budget measures, in a copy, and answers the statements of each step. */
export const record = async (directory: string): Promise<Seen> => {
  const unhook = hook(directory)
  const file = join(directory, seenFile)
  writeFileSync(file, "{}")
  try {
    await promisify(execFile)(process.execPath, ["test/mutation/everyStep.ts"], { cwd: directory })
    return JSON.parse(readFileSync(file, "utf8")) as Seen
  } finally {
    rmSync(file)
    unhook()
  }
}

/** Why the fault cannot be planted; undefined if it can. */
export const problemOf = ({ find, name, replace, step }: StepFault, seen: Seen): string | undefined => {
  const texts = seen[step]
  if (texts === undefined) {
    return `${name}: no step ${step} is sent, only ${Object.keys(seen).sort().join(", ") || "none"}`
  }
  const meant = texts.filter((text) => text.includes(oneLine(find)))
  if (meant.length === 0) return `${name}: no statement of the step ${step} contains ${find}:\n${texts.join("\n")}`
  const twice = meant.find((text) => text.split(oneLine(find)).length > 2)
  if (twice !== undefined) return `${name}: a statement of the step ${step} contains it more than once:\n${twice}`
  return oneLine(find) === oneLine(replace) ? `${name}: it replaces a text by itself` : undefined
}

/** Plants the fault in a copy. What it answers takes it out again. */
export const plant = (directory: string, { find, replace, step }: StepFault): () => void => {
  const unhook = hook(directory)
  const file = join(directory, orderFile)
  const order: Order = { step, find: oneLine(find), replace: oneLine(replace) }
  writeFileSync(file, JSON.stringify(order))
  return () => {
    if (existsSync(file)) rmSync(file)
    unhook()
  }
}
