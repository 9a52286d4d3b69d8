/**
 * Bundles the Worker to `build/worker.js`, which wrangler takes from there (`[build]` in wrangler.toml), or to the file that
 * is named. Rolldown does it and not wrangler's own esbuild, because the result is an eighth smaller. `wrangler dev` gets it
 * readable, everything else minified.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { rolldown } from "rolldown"
import * as Flags from "../flags.ts"
import { filesOf } from "./page.ts"

const local = process.env["WRANGLER_COMMAND"] === "dev" && process.env["VITEST"] === undefined

// Stands for the name of the release until the code is there which it is the hash of.
const unnamed = "release-to-be-named"

const { positionals: [file = "build/worker.js", entry = "worker"] } = Flags.read({
  run: "node scripts/build/worker.ts",
  does:
    `Bundles a Worker: that on D1 to build/worker.js, or to the file that is named. Its entry is \`worker\`, \`objects\` for the
Worker on Durable Objects, or \`served\` for that of octopoid-server serve, with the page of dist-app/ in it.`,
  takes: "a few seconds",
  options: {},
  arguments: ["[file]", "[entry]"]
})

/** An object applies its migrations itself, so its Worker brings them. */
const migrations = () =>
  readdirSync("migrations").filter((name) => name.endsWith(".sql")).sort()
    .map((name) => [name, readFileSync(`migrations/${name}`, "utf8")])

/** What takes the place of a module that the build makes. */
const made: Readonly<Record<string, () => string>> = {
  "virtual:migrations": () => `export const migrations = ${JSON.stringify(migrations())}`,
  "virtual:page": () => `export const page = ${JSON.stringify(filesOf("dist-app"))}`
}

const bundle = await rolldown({
  input: `src/${entry}.ts`,
  external: /^cloudflare:/,
  plugins: [{
    name: "made",
    resolveId: (id) => id in made ? id : undefined,
    load: (id) => made[id]?.()
  }],
  platform: "browser",
  // Effect checks whether it runs on Node. workerd has a `process` too, and loading it takes longer than all our
  // schemas. Only the build distinguishes a local server from a deployed one: a request could claim anything.
  transform: {
    define: {
      "globalThis.process": "undefined",
      "OCTOPOID_RELEASE": JSON.stringify(unnamed),
      "LOCAL": String(local)
    }
  }
})
const { output: [worker] } = await bundle.generate({ format: "esm", minify: !local })

const code = worker.code.replaceAll(unnamed, createHash("sha256").update(worker.code).digest("hex").slice(0, 12))

mkdirSync(dirname(file), { recursive: true })
// Builds may run side by side: none may read what another has written half of.
const draft = `${file}.${process.pid}`
writeFileSync(draft, code)
renameSync(draft, file)
