/**
 * Measures what requests cost, how that grows, and how long they take beside other servers: `npm run bench`, or
 * `npm run bench -- --quick` to see whether it works. Writes bench/RESULTS.md and bench/growth.svg; `--out` says where else.
 * `npm run bench -- --only life` measures the CPU of a life alone, in less than a minute, and prints it; `--only engines` the
 * lives a second on D1 and on Durable Objects, and writes only that section of RESULTS.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import * as Flags from "../scripts/flags.ts"
import { build } from "../test/support/Bundle.ts"
import { all } from "./Cases.ts"
import * as Compare from "./Compare.ts"
import * as Counts from "./Counts.ts"
import * as Matrix from "./engines/Matrix.ts"
import { replaced, section } from "./engines/Section.ts"
import * as Before from "./life/Before.ts"
import * as Cpu from "./life/Cpu.ts"
import * as Machine from "./Machine.ts"
import * as Report from "./Report.ts"
import * as Storage from "./Storage.ts"

const { refuse, values: { only, out, quick } } = Flags.read({
  run: "npm run bench",
  does:
    `Measures what requests cost at depths of 10 to 100,000 tasks, and the same work on two other servers, side by side.
Writes RESULTS.md and growth.svg. The machine should do nothing else meanwhile.`,
  takes: "a quarter of an hour",
  options: {
    quick: { type: "boolean", default: false, says: "measures little, to see whether it works; needs --out" },
    only: {
      type: "string",
      value: "life or engines",
      says: "measures the CPU of a life alone and prints it, or the lives on both engines and writes that section"
    },
    out: { type: "string", value: "directory", default: import.meta.dirname, says: "where the results are written" }
  }
})
if (only !== undefined && !["life", "engines"].includes(only)) refuse(`--only knows life and engines, not ${only}.`)
const cpuOptions = quick ? { rounds: 2, lives: 50 } : { rounds: 8, lives: 150 }
if (only === "life") {
  console.log(Cpu.report(await Cpu.run(cpuOptions)))
  process.exit(0)
}
const enginesOptions = quick
  ? { clients: [1, 8], scopes: [1, 4], seconds: 1, lives: 20, say: console.log }
  : { clients: [1, 8, 64, 1024], scopes: [1, 16, 256], seconds: 10, lives: 256, say: console.log }
if (only === "engines") {
  const written = section(await Matrix.run(enginesOptions))
  console.log(written)
  if (!quick) {
    const file = join(out, "RESULTS.md")
    writeFileSync(file, replaced(readFileSync(file, "utf8"), written))
  }
  process.exit(0)
}
// A short run says nothing: it must not take the place of what a whole one found.
if (quick && resolve(out) === import.meta.dirname) refuse("--quick needs an --out of its own.")

const MaxHistory = 100_000
const depths = quick ? [10, 100, 1000] : [10, 100, 1000, 10_000, 100_000]
const seconds = quick ? { alone: 1, together: 1 } : { alone: 5, together: 8 }
const sizeOf = (depth: number) => ({ depth, history: Math.min(MaxHistory, depth * 10) })

const started = performance.now()
const say = (what: string) => console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${what}`)

// Before anything takes its time.
const machine = Machine.describe()
say(`${all().length} cases`)
const code = await build()
const empty = await Storage.migrated({ code })
const measured: Array<Counts.AtDepth> = []
for (const depth of depths) {
  say(`counting at ${depth} tasks`)
  measured.push(await Counts.measure(code, empty, sizeOf(depth), seconds.alone))
}
say("the CPU of a life")
const cpu = await Cpu.run(cpuOptions)
say("both engines side by side")
const engines = await Matrix.run(enginesOptions)
say("four servers side by side")
const comparison = await Compare.run({
  code,
  empty,
  ...sizeOf(1000),
  clients: [1, 8, 64],
  rounds: quick ? 1 : 3,
  seconds: seconds.together
})
say("done")

const markdown = `# What the benchmark found

Written by \`npm run bench\`${quick ? " with `--quick`, which says little" : ""}, in ${
  ((performance.now() - started) / 60_000).toFixed(1)
} minutes. [CONTRIBUTING.md](../CONTRIBUTING.md) says how it is run.

${machine.map(([name, value]) => `- ${name}: ${value}`).join("\n")}

The built Worker runs in workerd with a local D1, reached through workerd's own socket. Clients share the machine with
it. The counts are the same on any machine, and are what D1 bills; the times are not, and on Cloudflare each round trip
to D1 takes milliseconds more, which counts for servers that make many.

## What a request costs, and how that grows

A tenth of the tasks in the queue wait for others. There are as many messages, actions, drafts and idempotency keys as tasks in the queue, a
hundredth as many projects, and history rows as the second table says. Every row was measured on its own, without concurrency.

![Rows read by one request](growth.svg)

${Report.counts(measured)}

One client, one life (create, claim, submit, accept) after the other:

${Report.growthInTime(measured)}

## CPU

${Cpu.report(cpu)}

${section(engines)}
## Beside other servers

${comparison.depth.toLocaleString("en")} tasks in the queue and ${
  comparison.history.toLocaleString("en")
} history rows; ${comparison.rounds} rounds of ${comparison.seconds} s for
each server, in turn. Nothing is logged but errors.

- **before** (${Before.commit}) is this server as it was before its statements became constant, built from git. The target is 1.5 times
  its lives a second with 8 clients. It has the same queue, and no history of tasks that are done.
- **bare batches** ([bare.ts](baseline/bare.ts)) is a Worker by hand that sends D1 the very statements of this server and
  checks nothing. What this server takes longer than that is its framework, its schemas and its checks. The target is 0.9 of its lives a second.
- **Hono** ([hono.ts](baseline/hono.ts)) is a server as they are usually written: select, check, update, insert history,
  select again, with an index for its claims. It does this and no more: it keeps no leases, tokens, counters,
  dependencies or idempotency keys, and a claim that another was faster than is a 409, which the client repeats.

${Report.sideBySide(comparison)}

Above 1, this server has more of it: more is better for lives/s, less for all else.

${Report.ratios(comparison)}

${Report.targets(comparison)}

This server, step by step:

${Report.bySteps(comparison)}

${Report.livesPerDay(comparison)}
`

mkdirSync(out, { recursive: true })
writeFileSync(join(out, "RESULTS.md"), markdown)
writeFileSync(join(out, "growth.svg"), Report.plot(measured))
say(`wrote ${join(out, "RESULTS.md")}`)
