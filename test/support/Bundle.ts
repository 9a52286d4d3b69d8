/** The Worker as `wrangler deploy` would upload it: one module, minified. */
import { spawn } from "node:child_process"
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

export const root = resolve(import.meta.dirname, "../..")

const wrangler = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")

/** The variable that names the folder of `onceBuilt.ts`. */
export const SharedFolder = "OCTOPOID_TESTS_FOLDER"

const buildAnew = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), "octopoid-bundle-"))
  try {
    const child = spawn(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", directory], {
      cwd: root,
      env: { ...process.env, CI: "true", WRANGLER_SEND_METRICS: "false" },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    child.stdout.on("data", (chunk) => output += String(chunk))
    child.stderr.on("data", (chunk) => output += String(chunk))
    const code = await new Promise<number | null>((done, failed) => child.once("error", failed).once("close", done))
    if (code !== 0) throw new Error(`wrangler could not build the Worker:\n${output}`)
    return await readFile(join(directory, "worker.js"), "utf8")
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
export const build = async (): Promise<string> => {
  const folder = process.env[SharedFolder]
  if (folder === undefined) return buildAnew()
  const [building, built] = [join(folder, "building"), join(folder, "worker.js")]
  for (;;) {
    const code = await readFile(built, "utf8").catch(unlessThere)
    if (code !== undefined) return code
    // Only one of those that try makes the folder.
    if (await mkdir(building).then(() => true, unlessThere)) {
      try {
        const own = await buildAnew()
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
