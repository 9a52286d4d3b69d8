/**
 * Bundles the Worker to `build/worker.js`, which wrangler takes from there (`[build]` in wrangler.toml), or to the file that
 * is named. With `objects` behind the file, bundles the Worker on Durable Objects instead (`wrangler.objects.toml`). Rolldown
 * and not wrangler's own esbuild, because the result is an eighth smaller. `wrangler dev` gets it readable, everything else
 * minified.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { rolldown } from "rolldown"

const local = process.env["WRANGLER_COMMAND"] === "dev" && process.env["VITEST"] === undefined

// Stands for the name of the release until the code is there which it is the hash of.
const unnamed = "release-to-be-named"

const [file = "build/worker.js", entry = "worker"] = process.argv.slice(2)

/** An object applies its migrations itself, so its Worker brings them. */
const migrations = () =>
  readdirSync("migrations").filter((name) => name.endsWith(".sql")).sort()
    .map((name) => [name, readFileSync(`migrations/${name}`, "utf8")])

const bundle = await rolldown({
  input: `src/${entry}.ts`,
  external: /^cloudflare:/,
  plugins: [{
    name: "migrations",
    resolveId: (id) => id === "virtual:migrations" ? id : undefined,
    load: (id) => id === "virtual:migrations" ? `export const migrations = ${JSON.stringify(migrations())}` : undefined
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
