/**
 * Whether schemas that are compiled ahead of time pay: `npm run bench:encoding`. Two Workers that are the same but for that
 * take turns in workerd over the same database. Prints the table of bench/ENCODING.md.
 */
import * as Compiler from "effect/schema/SchemaAOTCompiler"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { rolldown } from "rolldown"
import { quantile } from "../scripts/soak/Windows.ts"
import { launch } from "../test/support/Launcher.ts"
import { type Call, connect } from "../test/support/Wire.ts"
import { scope } from "./Case.ts"
import { targets } from "./encoding/targets.ts"
import * as Load from "./Load.ts"
import * as Machine from "./Machine.ts"
import * as Seed from "./Seed.ts"
import * as Storage from "./Storage.ts"

const Rounds = 7
const Seconds = 2
const Clients = 8
const Encodings = 500

const here = join(import.meta.dirname, "encoding")
const generated = join(here, "generated.js")
const entry = join(here, "entry.js")

/** The Worker, with the generated code in place before anything is decoded. */
const Entry = `import { install } from "./generated.js"
import { targets } from "./targets.ts"
install(targets())
export { default } from "../../src/worker.ts"
`

/** A Worker that only decodes and encodes the list that it is sent, as often as `n` says. */
const Codec = (ahead: boolean) =>
  `${ahead ? "import { install } from \"./generated.js\"" : ""}
import * as Schema from "effect/Schema"
import { Api } from "../../src/api/Api.ts"
import { targets } from "./targets.ts"
${ahead ? "install(targets())" : ""}
const [answer] = Api.groups.tasks.endpoints.list.success
const [decode, encode] = [Schema.decodeUnknownSync(answer), Schema.encodeUnknownSync(answer)]
export default {
  async fetch(request) {
    const text = await request.text()
    const list = decode(JSON.parse(text))
    let length = 0
    for (let n = Number(new URL(request.url).searchParams.get("n")); n > 0; n--) {
      length += JSON.stringify(encode(list)).length
    }
    return new Response(String(length))
  }
}
`

const bundle = async (input: string) => {
  const built = await rolldown({
    input,
    external: /^cloudflare:/,
    platform: "browser",
    transform: { define: { "globalThis.process": "undefined" } }
  })
  const { output: [chunk] } = await built.generate({ format: "esm", minify: true })
  return chunk.code
}

const kib = (bytes: number) => (bytes / 1024).toFixed(1)

const requests: Record<string, Call> = {
  "a list of 50 tasks": { method: "GET", path: `/api/v1/tasks?scope=${scope}&limit=50` },
  "a list of 500 tasks": { method: "GET", path: `/api/v1/tasks?scope=${scope}&limit=500` },
  "a poll": { method: "GET", path: `/api/v1/scheduler/poll?scope=${scope}` },
  "a claim that finds nothing": {
    method: "POST",
    path: "/api/v1/tasks/claim",
    body: { scope, orchestrator_id: "bench-client-0", agent_name: "ann", role_filter: "nobody" }
  }
}

/** Requests a second. */
const measure = async (base: URL, call: Call): Promise<number> => {
  const wire = connect(base)
  const started = performance.now()
  let count = 0
  await Promise.all(Array.from({ length: Clients }, async () => {
    while (performance.now() - started < Seconds * 1000) {
      await wire.send(call)
      count += 1
    }
  }))
  wire.close()
  return count / (performance.now() - started) * 1000
}

/** How long it takes to encode a list, without anything around it. */
const alone = async (list: string, storage: string) => {
  const times: Array<number> = []
  for (const ahead of [false, true]) {
    writeFileSync(entry, Codec(ahead))
    const server = await launch({ code: await bundle(entry), storage: Storage.copyOf(storage) })
    const ask = async (n: number) => {
      const started = performance.now()
      const answer = await fetch(new URL(`/?n=${n}`, server.base), { method: "POST", body: list })
      await answer.text()
      return performance.now() - started
    }
    await ask(Encodings)
    const rounds: Array<number> = []
    for (let round = 0; round < Rounds; round++) rounds.push((await ask(Encodings) - await ask(0)) / Encodings * 1000)
    times.push(quantile(rounds, 0.5))
    await server.close()
  }
  const [interpreted, compiled] = times as [number, number]
  console.log(
    `\nEncoding 50 tasks alone: ${interpreted.toFixed(0)} µs interpreted, ${compiled.toFixed(0)} µs compiled, ratio ${
      (interpreted / compiled).toFixed(2)
    }`
  )
}

for (const [name, value] of Machine.describe()) console.log(`- ${name}: ${value}`)
try {
  writeFileSync(entry, Entry)
  writeFileSync(generated, Compiler.compile(targets().map((ast) => ({ ast, operations: ["decode"] }))))
  const code = {
    interpreted: await bundle(join(here, "../../src/worker.ts")),
    compiled: await bundle(entry)
  }
  for (const [name, text] of Object.entries(code)) {
    console.log(`- ${name}: ${kib(text.length)} KiB, ${kib(gzipSync(text).length)} KiB compressed`)
  }
  const storage = await Storage.migrated({ code: code.interpreted })
  await Storage.opened(storage, async (database) => {
    await Seed.seed(database, { depth: 1000, history: 10_000 })
    await Seed.register(database, Load.machines(1))
  })
  const copy = Storage.copyOf(storage)
  const env = { LOG_LEVEL: "Error" }
  const running = {
    interpreted: await launch({ code: code.interpreted, storage, env }),
    compiled: await launch({ code: code.compiled, storage: copy, env })
  }
  try {
    console.log(
      "\n| request | interpreted /s | compiled /s | ratio, median | least | most |\n| --- | --: | --: | --: | --: | --: |"
    )
    for (const [name, call] of Object.entries(requests)) {
      const found = { interpreted: [] as Array<number>, compiled: [] as Array<number> }
      for (const base of [running.interpreted.base, running.compiled.base]) await measure(base, call)
      for (let round = 0; round < Rounds; round++) {
        const order = ["interpreted", "compiled"] as const
        for (const kind of round % 2 === 0 ? order : order.toReversed()) {
          found[kind].push(await measure(running[kind].base, call))
        }
      }
      const ratios = found.compiled.map((value, n) => value / found.interpreted[n]!)
      const cells = [
        quantile(found.interpreted, 0.5).toFixed(0),
        quantile(found.compiled, 0.5).toFixed(0),
        ...[quantile(ratios, 0.5), Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2))
      ]
      console.log(`| ${[name, ...cells].join(" | ")} |`)
    }
    const { body } = await connect(running.interpreted.base).send(requests["a list of 50 tasks"]!)
    await alone(JSON.stringify(body), storage)
  } finally {
    await running.interpreted.close()
    await running.compiled.close()
  }
} finally {
  for (const file of [generated, entry]) rmSync(file, { force: true })
}
