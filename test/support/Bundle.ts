/** The Workers as `wrangler deploy` would upload them: one module, minified. */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"

export const root = resolve(import.meta.dirname, "../..")

/** The variable that names the folder of `onceBuilt.ts`. */
export const SharedFolder = "OCTOPOID_TESTS_FOLDER"

/** What a Worker runs on: a D1 database, or a Durable Object for each scope. */
export type Engine = "d1" | "objects"

// Not into `build/`: a `wrangler dev` that runs from there would load this code, which is not for local servers.
const buildAnew = async (engine: Engine): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), "octopoid-bundle-"))
  try {
    const file = join(directory, "worker.js")
    const { VITEST: _, WRANGLER_COMMAND: __, ...env } = process.env
    await promisify(execFile)(
      process.execPath,
      ["scripts/build/worker.ts", file, engine === "d1" ? "worker" : engine],
      { cwd: root, env }
    )
    return await readFile(file, "utf8")
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const unlessThere = (error: NodeJS.ErrnoException) => {
  if (error.code !== "EEXIST" && error.code !== "ENOENT") throw error
}

/**
 * Answers the Worker's code. It takes a few seconds to build, so within a run of the tests one test file builds it, and the
 * others wait for that.
 */
export const build = async (engine: Engine = "d1"): Promise<string> => {
  const folder = process.env[SharedFolder]
  if (folder === undefined) return buildAnew(engine)
  const [building, built] = [join(folder, `building-${engine}`), join(folder, `${engine}.js`)]
  for (;;) {
    const code = await readFile(built, "utf8").catch(unlessThere)
    if (code !== undefined) return code
    // Only one of those that try makes the folder.
    if (await mkdir(building).then(() => true, unlessThere)) {
      try {
        const own = await buildAnew(engine)
        await writeFile(`${built}.part`, own)
        await rename(`${built}.part`, built)
        return own
      } finally {
        await rm(building, { recursive: true })
      }
    }
    await new Promise((done) => setTimeout(done, 100))
  }
}
