/**
 * Kills workerd in the middle of load, again and again, and holds what clients were told against what it left behind.
 * `npm run crash -- --kills 50 --seed 1`. The seed decides what is asked and when it is killed, not how requests meet.
 */
import { run } from "../test/crash/Crash.ts"
import { build } from "../test/support/Bundle.ts"
import * as Flags from "./flags.ts"

const flags = Flags.make("npm run crash -- [--kills 50] [--seed 1]")
const values = flags.parse({ kills: { type: "string", default: "50" }, seed: { type: "string" } })
const kills = flags.whole("kills", values.kills, 1)
const seed = values.seed === undefined ? Date.now() % 1_000_000 : flags.whole("seed", values.seed)

console.log(`seed: ${seed}`)
const started = Date.now()
const report = await run({ code: await build(), kills, seed, say: console.log })
for (const one of report.lost) console.error(`lost: ${one}`)
for (const one of report.violations) console.error(`violation: ${one}`)
console.log(
  `${((Date.now() - started) / 1000).toFixed(0)} s; interrupted: ${report.interrupted}, repeated: ${report.repeated}, `
    + `tasks: ${JSON.stringify(report.tasks)}`
)
console.log(
  `kills: ${kills}, requests: ${report.requests}, acknowledged: ${report.acknowledged}, lost: ${report.lost.length}, `
    + `violations: ${report.violations.length}`
)
process.exitCode = report.lost.length + report.violations.length > 0 ? 1 : 0
