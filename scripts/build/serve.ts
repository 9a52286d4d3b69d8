/** Builds what `octopoid-server serve` has workerd run: the Worker with the page in it, and the configuration beside it. */
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Flags from "../flags.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const run = (...args: ReadonlyArray<string>) => {
  const { VITEST: _, WRANGLER_COMMAND: __, ...env } = process.env
  const { status } = spawnSync(process.execPath, args, { cwd: root, env, stdio: "inherit" })
  if (status !== 0) throw new Error(`${args.join(" ")} failed`)
}

/** Writes the folder `serve` into `directory`. */
export const build = (directory: string): void => {
  const folder = join(directory, "serve")
  mkdirSync(folder, { recursive: true })
  run("scripts/build/app.ts")
  run("scripts/build/worker.ts", join(folder, "worker.js"), "served")
  copyFileSync(join(root, "src/serve/workerd.capnp"), join(folder, "workerd.capnp"))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { positionals: [folder = "dist"] } = Flags.read({
    run: "node scripts/build/serve.ts",
    does: "Builds what octopoid-server serve has workerd run to serve/ in dist/, or in the folder that is named.",
    takes: "a few seconds",
    options: {},
    arguments: ["[folder]"]
  })
  build(folder)
}
