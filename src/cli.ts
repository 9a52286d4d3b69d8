#!/usr/bin/env node
/** The command `octopoid-server`. */
import { readFileSync } from "node:fs"
import * as module from "node:module"

// From Node 22.1 on, the compiled code of the modules below is kept for the next start. Node 20 has no such cache.
module.enableCompileCache?.()
const { run } = await import("./cli/run.ts")

// The same way leads there from `src/` and from `dist/`.
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

const code = await run(process.argv.slice(2), version)
// Standard input may still be open, and would keep the process alive. So the process exits by itself, once its output
// is written.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)))
