/** The Worker as `wrangler deploy` would upload it: one module, minified. */
import { spawn } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

export const root = resolve(import.meta.dirname, "../..")

const wrangler = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")

/** Builds the Worker, which takes a few seconds, and answers its code. */
export const build = async (): Promise<string> => {
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
