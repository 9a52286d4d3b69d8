#!/usr/bin/env node
/** The command `octopoid-server`. */
import { readFileSync } from "node:fs"
import { run } from "./cli/run.ts"

// The same way leads there from `src/` and from `dist/`.
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

process.exitCode = await run(process.argv.slice(2), version)
