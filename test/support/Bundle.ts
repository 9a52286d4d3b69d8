/** The Workers as `wrangler deploy` would upload them: one module, minified. */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { madeOnce } from "./madeOnce.ts"

export const root = resolve(import.meta.dirname, "../..")

/** What a Worker runs on: a D1 database, or a Durable Object for each scope. */
export type Engine = "d1" | "objects"

/** Answers the Worker's code. It takes a few seconds to build. */
export const build = async (engine: Engine = "d1"): Promise<string> => {
  // Not into `build/`: a `wrangler dev` that runs from there would load this code, which is not for local servers.
  const folder = await madeOnce(`bundle-${engine}`, (folder) => {
    const { VITEST: _, WRANGLER_COMMAND: __, ...env } = process.env
    return promisify(execFile)(
      process.execPath,
      ["scripts/build/worker.ts", join(folder, "worker.js"), engine === "d1" ? "worker" : engine],
      { cwd: root, env }
    )
  })
  return readFile(join(folder, "worker.js"), "utf8")
}
