/** Has npm write package-lock.json, and completes it: see "The lock file" in CONTRIBUTING.md. */
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import * as Flags from "../flags.ts"
import { complete } from "./complete.ts"

Flags.read({
  run: "npm run lock",
  does: "Writes package-lock.json after a change of a dependency, with the changes that npm does not make itself.",
  takes: "half a minute",
  options: {}
})

// On Windows npm is a batch file, which only a shell starts.
const npm = spawnSync("npm", ["install", "--package-lock-only"], {
  stdio: "inherit",
  shell: process.platform === "win32"
})
if (npm.status !== 0) process.exit(npm.status ?? 1)

const file = new URL("../../package-lock.json", import.meta.url)
writeFileSync(file, `${JSON.stringify(complete(JSON.parse(readFileSync(file, "utf8"))), null, 2)}\n`)
