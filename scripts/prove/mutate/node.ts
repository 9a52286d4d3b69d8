/** Node in a copy of the repository, for as long as it may take. */
import { spawn } from "node:child_process"

export interface Ended {
  readonly code: number | null
  readonly output: string
}

// The slowest detector takes a minute on an idle machine.
const MaxMinutes = 12

/** What it printed; `hang` if it had to be ended. */
export const run = (
  directory: string,
  args: ReadonlyArray<string>,
  env: Record<string, string> = {}
): Promise<Ended | "hang"> => {
  const { promise, resolve } = Promise.withResolvers<Ended | "hang">()
  const child = spawn(process.execPath, args, {
    cwd: directory,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, with the workers that it starts.
    detached: true
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
  }
  const stop = () => process.kill(-child.pid!, "SIGKILL")
  const timer = setTimeout(stop, MaxMinutes * 60_000)
  process.on("exit", stop)
  child.on("close", (code) => {
    clearTimeout(timer)
    process.off("exit", stop)
    resolve(code === null ? "hang" : { code, output })
  })
  return promise
}
