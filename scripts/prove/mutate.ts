/**
 * The mutation check: plants one fault after the other in a copy of the server, and looks whether the tests find it:
 * `npm run prove -- mutate`. A fault that survives means that a test is missing.
 */
import { faults as all } from "../../test/mutation/faults.ts"
import * as Flags from "../flags.ts"
import * as Copy from "./mutate/Copy.ts"
import { detectors as known } from "./mutate/Detector.ts"
import { isCaught, line, markdown, type Trial } from "./mutate/table.ts"
import type { Verdict } from "./mutate/Verdict.ts"

const { values, ...flags } = Flags.read({
  run: "npm run prove -- mutate",
  does:
    `Copies the repository, plants the faults of test/mutation/ in the copy, one at a time, and runs the tests that should find any
fault: the properties and the simulator. Prints a line for each fault. Exits with 1 if a fault survives, or if one cannot be
planted or breaks the server so that it does not run at all.`,
  takes: "about two minutes for each fault and each of --parallel: three hours for all",
  options: {
    only: {
      type: "string",
      value: "fault",
      multiple: true,
      default: [],
      says: "plants only this fault; may be repeated"
    },
    by: {
      type: "string",
      value: "detector",
      multiple: true,
      default: [],
      says:
        "runs only this detector: properties, agents, simulator, objects (the simulator on Durable Objects), sockets, or examples (the other tests, as information)"
    },
    seed: { type: "string", value: "n", default: "1", says: "what the detectors draw from" },
    parallel: { type: "string", value: "n", default: "2", says: "how many faults are tried at the same time" },
    markdown: { type: "boolean", default: false, says: "prints the results as a table in Markdown as well" },
    unchecked: { type: "boolean", default: false, says: "does not first check that the detectors pass without a fault" }
  }
})
const seed = flags.whole("seed", values.seed)
const faults = all.filter(({ name }) => values.only.length === 0 || values.only.includes(name))
const unknown = values.only.find((wanted) => !all.some(({ name }) => name === wanted))
if (unknown !== undefined) flags.refuse(`There is no fault ${unknown}, only ${all.map(({ name }) => name).join(", ")}.`)

const asked = known.filter(({ informs, name }) => values.by.length === 0 ? !informs : values.by.includes(name))
const detectors = asked.filter(({ isFor, isThere }) => isThere && faults.some(isFor))
for (const { name } of asked.filter(({ isThere }) => !isThere)) console.log(`${name}: left out, it is not there`)

const copies = Array.from(
  { length: Math.max(1, Math.min(flags.whole("parallel", values.parallel, 1), faults.length)) },
  Copy.make
)
process.on("exit", () => copies.forEach(({ remove }) => remove()))
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1))

// If a detector fails without a fault, its failures prove nothing.
for (const detector of values.unchecked ? [] : detectors) {
  const verdict = await detector.detect(copies[0]!.directory, seed)
  if (verdict._tag !== "Survived") {
    throw new Error(`${detector.name} does not pass without a fault: ${JSON.stringify(verdict)}`)
  }
  console.log(`${detector.name}: passes without a fault, seed ${seed}`)
}

const outcomes = new Map<string, Trial>()
const waiting = [...faults]
const work = async ({ directory, plant }: Copy.Copy) => {
  for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
    const takeOut = await plant(fault)
    const verdicts = new Map<string, Verdict>()
    for (const detector of detectors.filter(({ isFor }) => isFor(fault))) {
      verdicts.set(detector.name, await detector.detect(directory, seed))
    }
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
