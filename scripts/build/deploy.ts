/** Deploys the server: on D1, whose migrations come first, or on Durable Objects, which migrate themselves. */
import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { join } from "node:path"
import * as Flags from "../flags.ts"

const { values } = Flags.read({
  run: "npm run deploy",
  does: `Deploys the server to Cloudflare: on D1, after the migrations of wrangler.toml were applied to the remote database.
With --objects on Durable Objects, one for each scope (wrangler.objects.toml, docs/scale.md): each applies the migrations when it wakes.`,
  options: { objects: { type: "boolean", default: false, says: "on Durable Objects instead of D1" } }
})

const bin = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")
const commands = values.objects
  ? [["deploy", "--config", "wrangler.objects.toml"]]
  : [["d1", "migrations", "apply", "octopoid-db", "--remote"], ["deploy"]]

for (const command of commands) {
  const { status } = spawnSync(process.execPath, [bin, ...command], { stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}
