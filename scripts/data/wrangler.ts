/** Runs wrangler and answers its output. Fails with an `Error` that says why. */
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { join } from "node:path"

const bin = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")

/** What wrangler says instead of an answer: JSON on stdout, or lines for people on stderr. */
const reasonOf = (stdout: string, stderr: string): string => {
  const message = /"text": "([^"]*)"/.exec(stdout)?.[1]
  return message ?? (stderr.split("\n").find((line) => line.includes("ERROR")) ?? stderr).trim()
}

export const wrangler = async (args: ReadonlyArray<string>): Promise<string> => {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { ...process.env, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let [stdout, stderr] = ["", ""]
  child.stdout.on("data", (chunk) => stdout += String(chunk))
  child.stderr.on("data", (chunk) => stderr += String(chunk))
  const code = await new Promise<number | null>((done, failed) => child.once("error", failed).once("close", done))
  if (code !== 0) throw new Error(reasonOf(stdout, stderr))
  return stdout
}
