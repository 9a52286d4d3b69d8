/** Plays the simulation for many seeds, or one: `npm run prove -- simulate`. */
import * as Simulation from "../../test/simulation/Simulation.ts"
import type { Engine } from "../../test/support/Bundle.ts"
import * as Flags from "../flags.ts"

const { values, ...flags } = Flags.read({
  run: "npm run prove -- simulate",
  does:
    `Plays a fleet of machines for hours of virtual time against two isolates of the server, with lost and late messages, crashes,
sleeping machines and wrong clocks. Checks after every batch what the server promises. A seed decides everything, so a run can
be repeated. Prints each violation with its seed, and exits with 1 if there is one.`,
  takes: "about a second for each seed: 15 minutes for 1000",
  options: {
    seeds: { type: "string", value: "n", default: "100", says: "how many seeds are played" },
    from: { type: "string", value: "n", default: "1", says: "the first seed" },
    bail: { type: "boolean", default: false, says: "stops at the first violation" },
    seed: { type: "string", value: "n", says: "plays only this seed" },
    engine: {
      type: "string",
      value: "engine",
      default: "d1",
      says:
        "d1, or objects: what the server runs on. On objects they are evicted, and their alarms come late, twice or never"
    },
    readers: { type: "boolean", default: false, says: "has readers follow the feeds: another run of each seed" },
    asking: {
      type: "boolean",
      default: false,
      says: "has agents ask questions and park accounts: another run of each seed"
    },
    breaking: {
      type: "boolean",
      default: false,
      says: "has breakers, and agents that fail alike: another run of each seed"
    },
    trace: { type: "boolean", default: false, says: "prints every event" }
  }
})
const from = values.seed === undefined ? flags.whole("from", values.from) : flags.whole("seed", values.seed)
const to = values.seed === undefined ? from + flags.whole("seeds", values.seeds, 1) : from + 1

if (values.engine !== "d1" && values.engine !== "objects") flags.refuse("--engine is d1 or objects.")
const engine = values.engine as Engine

const faults = new Map<string, number>()
const coverage = new Map<string, number>()
const violations: Array<number> = []
let steps = 0
let runs = 0

const add = (sum: Map<string, number>, counted: ReadonlyMap<string, number>) => {
  for (const [what, n] of counted) sum.set(what, (sum.get(what) ?? 0) + n)
}
const table = (counted: ReadonlyMap<string, number>) =>
  Array.from(counted).toSorted(([a], [b]) => a < b ? -1 : 1).map(([what, n]) => `  ${String(n).padStart(8)}  ${what}`)
    .join("\n")

const started = performance.now()
for (let seed = from; seed < to && !(values.bail && violations.length > 0); seed++) {
  runs += 1
  const { asking, breaking, readers, trace } = values
  const run = await Simulation.run(seed, { asking, breaking, engine, readers, trace })
  steps += run.steps
  add(faults, run.faults)
  add(coverage, run.coverage)
  if (run.violation !== undefined) {
    violations.push(seed)
    console.log(Simulation.report(run))
  }
  if (values.seed !== undefined) console.log(`seed ${seed}: ${run.digest}`)
  if (runs % 50 === 0) {
    console.log(`${runs} of ${to - from} runs, ${((performance.now() - started) / runs).toFixed(0)} ms each`)
  }
}

const injected = Array.from(faults.values()).reduce((sum, n) => sum + n, 0)
console.log(`seen:\n${table(coverage)}\nfaults:\n${table(faults)}`)
if (violations.length > 0) console.log(`failing seeds: ${violations.join(", ")}`)
console.log(`runs: ${runs}, steps: ${steps}, faults injected: ${injected}, violations: ${violations.length}`)
process.exitCode = violations.length > 0 ? 1 : 0
