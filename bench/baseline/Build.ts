/** The servers of the comparison as code for workerd: one module each, minified as the Worker is. */
import { join } from "node:path"
import { rolldown } from "rolldown"

export const build = async (name: "bare" | "hono"): Promise<string> => {
  const bundle = await rolldown({
    input: join(import.meta.dirname, `${name}.ts`),
    external: /^cloudflare:/,
    platform: "browser"
  })
  const { output: [worker] } = await bundle.generate({ format: "esm", minify: true })
  return worker.code
}

export const honoMigrations = join(import.meta.dirname, "migrations")
