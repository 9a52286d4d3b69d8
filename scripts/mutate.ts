/**
 * The mutation check: plants one fault after the other in a copy of the server, and sees whether the properties and the
 * simulator find it out. A fault that survives is a test that is missing.
 *
 *     npm run mutate -- [--only <name>]… [--by <detector>]… [--seed <n>] [--markdown] [--parallel <n>]
 *     [--unchecked]
 *
 * Asks the properties and the simulator unless told; `--by examples` asks the other tests, as information. `--unchecked`
 * takes it that all of them pass without a fault. Exits with 1 if a fault survived, or turned out to be none.
 */
import { faults as all } from "../test/mutation/faults.ts"
import * as Flags from "./flags.ts"
import * as Copy from "./mutate/Copy.ts"
import { detectors as known } from "./mutate/Detector.ts"
import { isCaught, line, markdown, type Outcome } from "./mutate/table.ts"
import type { Verdict } from "./mutate/Verdict.ts"

const flags = Flags.make(
  "npm run mutate -- [--only <fault>]… [--by <detector>]… [--seed 1] [--markdown] [--parallel 2] [--unchecked]"
)
const values = flags.parse({
  only: { type: "string", multiple: true, default: [] },
  seed: { type: "string", default: "1" },
  by: { type: "string", multiple: true, default: [] },
  markdown: { type: "boolean", default: false },
  unchecked: { type: "boolean", default: false },
  parallel: { type: "string", default: "2" }
})
const seed = flags.whole("seed", values.seed)
const faults = all.filter(({ name }) => values.only.length === 0 || values.only.includes(name))
const unknown = values.only.find((wanted) => !all.some(({ name }) => name === wanted))
if (unknown !== undefined) flags.refuse(`There is no fault ${unknown}, only ${all.map(({ name }) => name).join(", ")}.`)

const asked = known.filter(({ informs, name }) => values.by.length === 0 ? !informs : values.by.includes(name))
const detectors = asked.filter(({ isThere }) => isThere)
for (const { name } of asked.filter(({ isThere }) => !isThere)) console.log(`${name}: left out, it is not there`)

const copies = Array.from(
  { length: Math.max(1, Math.min(flags.whole("parallel", values.parallel, 1), faults.length)) },
  Copy.make
)
process.on("exit", () => copies.forEach(({ remove }) => remove()))
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

// Whoever complains without a fault finds nothing out.
for (const detector of values.unchecked ? [] : detectors) {
  const verdict = await detector.detect(copies[0]!.directory, seed)
  if (verdict._tag !== "Survived") {
    throw new Error(`${detector.name} does not pass without a fault: ${JSON.stringify(verdict)}`)
  }
  console.log(`${detector.name}: passes without a fault, seed ${seed}`)
}

const outcomes = new Map<string, Outcome>()
const waiting = [...faults]
const work = async ({ directory, plant }: Copy.Copy) => {
  for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
    const takeOut = plant(fault)
    const verdicts = new Map<string, Verdict>()
    for (const detector of detectors) verdicts.set(detector.name, await detector.detect(directory, seed))
    takeOut()
    const outcome = { fault, verdicts }
    outcomes.set(fault.name, outcome)
    console.log(line(outcome))
  }
}
await Promise.all(copies.map(work))

const found = faults.map(({ name }) => outcomes.get(name)!)
const caught = found.filter((outcome) => isCaught(outcome, detectors)).length
if (values.markdown) console.log(`\n${markdown(found, detectors)}\n`)
console.log(`${faults.length} faults, ${caught} caught, ${faults.length - caught} not, seed ${seed}`)
process.exitCode = caught === faults.length ? 0 : 1
