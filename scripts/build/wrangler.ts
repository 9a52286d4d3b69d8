/**
 * What wrangler runs with every build (`[build]` in wrangler.toml and wrangler.objects.toml): bundles the page and the Worker, and
 * migrates the database of `wrangler dev`. Durable Objects apply their migrations themselves.
 */
import { spawnSync } from "node:child_process"
import * as Flags from "../flags.ts"
import { migrateDev } from "./migrate-dev.ts"

const { positionals: [engine], refuse } = Flags.read({
  run: "npm run build:worker",
  does:
    `Bundles the page to dist-app/, and the Worker on D1 to build/worker.js or that on Durable Objects to build/objects.js.
Wrangler runs it with every build. It is for a person only who wants to look at the result.`,
  takes: "a few seconds",
  options: {},
  arguments: ["[objects]"]
})
if (engine !== undefined && engine !== "objects") refuse(`The Worker is that on D1 or on objects, not ${engine}.`)

const run = (...args: ReadonlyArray<string>) => {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}

run("scripts/build/app.ts")
run("scripts/build/worker.ts", ...(engine === undefined ? [] : ["build/objects.js", "objects"]))
if (engine === undefined) process.exitCode = migrateDev()
