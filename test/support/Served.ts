/** `octopoid-server serve` as the package has it, on the Node of the machine, with its data in a folder of the test. */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { cp } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { root } from "./Bundle.ts"
import { commandFile, plainNode } from "./command.ts"
import { madeOnce } from "./madeOnce.ts"

const require = createRequire(import.meta.url)
const workerd: string = require("workerd").default

/** The command with what it serves beside it, as in the package. */
const servingCommand = async (): Promise<string> => {
  const folder = await madeOnce("serving-command", async (folder) => {
    await cp(join(dirname(await commandFile()), ".."), folder, { recursive: true })
    await promisify(execFile)(process.execPath, ["scripts/build/serve.ts", join(folder, "dist")], { cwd: root })
  })
  return join(folder, "dist", "cli.js")
}

export interface Options {
  readonly data: string
  /** Any that is free, unless given. */
  readonly port?: string
  readonly env?: Readonly<Record<string, string>>
  /** Is given what the server logs. */
  readonly log?: (line: string) => void
}

/** Starts the command. It may end without being ready. */
export const spawned = async ({ data, env = {}, port = "0" }: Options): Promise<ChildProcess> =>
  spawn(plainNode, [await servingCommand(), "serve", "--json", "--data", data, "--port", port], {
    env: { PATH: process.env.PATH, HOME: "/nonexistent", OCTOPOID_WORKERD: workerd, ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })

export interface Served {
  readonly base: URL
  readonly said: { readonly url: string; readonly data: string; readonly key: string | null; readonly page: string }
  readonly pid: number
  /** The process of workerd. */
  readonly workerd: number
  readonly end: (signal: NodeJS.Signals) => Promise<number | null>
  /** Kills the command and workerd in one moment, as the end of the machine would. */
  readonly kill: () => Promise<void>
}

export const isRunning = (pid: number): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

export const gone = async (pid: number): Promise<void> => {
  while (isRunning(pid)) await new Promise((done) => setTimeout(done, 5))
}

/** Starts the command, and waits until it says that it is ready. */
export const launch = async (options: Options): Promise<Served> => {
  const child = await spawned(options)
  let [out, err] = ["", ""]
  child.stderr!.on("data", (chunk) => {
    err += String(chunk)
    for (const line of String(chunk).split("\n")) options.log?.(line)
  })
  const ended = new Promise<number | null>((done) => child.once("close", done))
  const text = await new Promise<string>((done, fail) => {
    child.stdout!.on("data", (chunk) => {
      out += String(chunk)
      if (out.endsWith("}\n")) done(out)
    })
    child.once("close", (code) => fail(new Error(`serve ended with ${code}: ${err}`)))
  })
  const said = JSON.parse(text)
  const pid = Number(readFileSync(join(options.data, "workerd.pid"), "utf8"))
  return {
    base: new URL(said.url),
    said,
    pid: child.pid!,
    workerd: pid,
    end: (signal) => {
      child.kill(signal)
      return ended
    },
    kill: async () => {
      process.kill(pid, "SIGKILL")
      child.kill("SIGKILL")
      await Promise.all([ended, gone(pid)])
    }
  }
}
