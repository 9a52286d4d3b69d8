/** A Worker of the tests as one module, with parts of the server in it. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { rolldown } from "rolldown"
import { root } from "./Bundle.ts"

/** The name and the text of each migration, in order. */
export const migrations = () =>
  readdirSync(join(root, "migrations")).sort().map((name) =>
    [
      name,
      readFileSync(join(root, "migrations", name), "utf8")
    ] as const
  )

const made = new Map<string, Promise<string>>()

/** The code of the Worker whose entry is this file, as `scripts/build/worker.ts` would bundle it, but readable. */
export const bundled = (entry: string): Promise<string> => {
  const code = made.get(entry) ?? bundle(entry)
  made.set(entry, code)
  return code
}

const bundle = async (entry: string): Promise<string> => {
  const build = await rolldown({
    input: join(root, entry),
    external: /^cloudflare:/,
    platform: "browser",
    plugins: [{
      name: "migrations",
      resolveId: (id) => id === "virtual:migrations" ? id : undefined,
      load: (id) =>
        id === "virtual:migrations" ? `export const migrations = ${JSON.stringify(migrations())}` : undefined
    }],
    transform: {
      define: { "globalThis.process": "undefined", "OCTOPOID_RELEASE": "\"test\"", "LOCAL": "false" }
    }
  })
  const { output: [{ code }] } = await build.generate({ format: "esm" })
  return code
}
