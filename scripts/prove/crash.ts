/** Kills workerd under load and looks for lost answers: `npm run prove -- crash`. */
import { run } from "../../test/crash/Crash.ts"
import { build } from "../../test/support/Bundle.ts"
import * as Flags from "../flags.ts"

const { values, ...flags } = Flags.read({
  run: "npm run prove -- crash",
  does:
    `Starts the built Worker in workerd on a database on disk and puts it under load. Kills workerd (SIGKILL) after a random
number of requests, starts it again on the same storage, and so on. At the end it looks up every answer that a client got:
each acknowledged change must be in the database. Exits with 1 if one is missing or a rule of the schema is broken.`,
  takes: "about 5 seconds for each kill on 2 idle cores: 4 minutes for 50",
  options: {
    objects: { type: "boolean", default: false, says: "the Worker on Durable Objects instead of D1" },
    serve: { type: "boolean", default: false, says: "octopoid-server serve: its process and workerd in one moment" },
    kills: { type: "string", value: "n", default: "50", says: "how often workerd is killed" },
    seed: {
      type: "string",
      value: "n",
      says: "chooses the requests and the moments of the kills; a random one unless given"
    }
  }
})
const kills = flags.whole("kills", values.kills, 1)
const seed = values.seed === undefined ? Date.now() % 1_000_000 : flags.whole("seed", values.seed)

console.log(`seed: ${seed}`)
const started = Date.now()
const engine = values.objects ? "objects" : "d1"
const report = await run(
  values.serve
    ? { engine: "serve", kills, seed, say: console.log }
    : { code: await build(engine), engine, kills, seed, say: console.log }
)
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
