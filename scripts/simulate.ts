import * as Simulation from "../test/simulation/Simulation.ts"
const seed = Number(process.argv[2] ?? 1)
const t = performance.now()
const run = await Simulation.run(seed, { trace: process.argv[3] === "trace" })
console.log(run.seed, run.steps, run.digest, run.violation, performance.now() - t)
if (run.violation) console.log(run.recent.join("\n"))
console.log([...run.faults].sort().map(([k, v]) => k + "=" + v).join(", "))
console.log([...run.coverage].sort().map(([k, v]) => k + "=" + v).join(", "))
