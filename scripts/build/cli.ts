/**
 * Bundles the command with everything that it imports, so that it runs on Node 20 without an installation: `@effect/platform-node`
 * asks for a newer one, but its code runs there. What only some commands need stays in files of its own, and is loaded by those.
 */
import { chmod } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"
import * as Flags from "../flags.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Writes `cli.js` and the folder `cli` into `directory`. */
export const bundle = async (directory: string): Promise<void> => {
  const built = await rolldown({
    input: { cli: join(root, "src/cli.ts") },
    platform: "node",
    external: /^node:/,
    logLevel: "warn"
  })
  await built.write({
    dir: directory,
    format: "esm",
    minify: true,
    entryFileNames: "[name].js",
    chunkFileNames: "cli/[name]-[hash].js"
  })
  await built.close()
  await chmod(join(directory, "cli.js"), 0o755)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { positionals: [folder = "dist"] } = Flags.read({
    run: "node scripts/build/cli.ts",
    does: "Bundles the command octopoid-server to dist/, or to the folder that is named.",
    takes: "a few seconds",
    options: {},
    arguments: ["[folder]"]
  })
  await bundle(folder)
}
