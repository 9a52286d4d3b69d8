/** Emits the content of the package to `dist`: the typed client, the worker, the command, and the server that it serves. */
import { spawnSync } from "node:child_process"
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import * as Flags from "../flags.ts"
import { bundle } from "./cli.ts"
import * as Serve from "./serve.ts"

Flags.read({
  run: "npm run build",
  does:
    "Writes the content of the npm package to dist/: the typed client, the worker, the command, and the server that it serves.",
  takes: "half a minute",
  options: {}
})

const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "..", "bin", "tsc")

rmSync("dist", { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { stdio: "inherit" })
process.exitCode = status ?? 1

// `rewriteRelativeImportExtensions` is for JavaScript only: the declarations still name the `.ts` files we do not ship.
for (const file of globSync("dist/**/*.d.ts")) {
  const declaration = readFileSync(file, "utf8")
  writeFileSync(file, declaration.replace(/((?:from |import\()"\.\.?\/[^"]+)\.ts"/g, "$1.js\""))
}

await bundle("dist")
Serve.build("dist")
