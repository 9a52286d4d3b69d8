/** The command as the package has it, run as a person runs it: in a process of its own, on a pipe or a terminal. */
import { execFile, spawn } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { copyFile, mkdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { text } from "node:stream/consumers"
import { promisify } from "node:util"
import { root } from "./Bundle.ts"
import { madeOnce } from "./madeOnce.ts"

const isThere = (file: string, mode = constants.R_OK) => {
  try {
    accessSync(file, mode)
    return true
  } catch {
    return false
  }
}

/** The Node that users have: the first one that is not of this project. */
export const plainNode: string = (process.env.PATH ?? "").split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .map((folder) => join(folder, "node"))
  .find((file) => isThere(file, constants.X_OK)) ?? process.execPath

/** The command, in a folder like that of the package. */
export const commandFile = async (): Promise<string> => {
  const folder = await madeOnce("command", async (folder) => {
    await mkdir(join(folder, "dist"))
    await promisify(execFile)(process.execPath, ["scripts/build/cli.ts", join(folder, "dist")], { cwd: root })
    await copyFile(join(root, "package.json"), join(folder, "package.json"))
  })
  return join(folder, "dist", "cli.js")
}

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly cwd?: string
  /** The Node that runs the command: that of this project, unless given. It keeps compiled code, and starts the command in half the time. */
  readonly node?: string
}

// Nothing of the machine on which the tests run may play a part.
const clean = (env: Readonly<Record<string, string>> = {}) => ({
  PATH: process.env.PATH ?? "",
  ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
  HOME: "/nonexistent",
  TERM: "xterm-256color",
  USER: "tester",
  OCTOPOID_ACTOR: "tester",
  ...env
})

/** Runs the command on pipes. */
export const run = async (
  args: ReadonlyArray<string>,
  { cwd, env, input = "", node = process.execPath }: Surroundings = {}
): Promise<Ran> => {
  const child = spawn(node, [await commandFile(), ...args], { env: clean(env), cwd: cwd ?? tmpdir() })
  child.stdin.on("error", () => {})
  child.stdin.end(input)
  const ended = new Promise<number | null>((done) => child.on("close", done))
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { code, stdout, stderr }
}

/** Starts the command on pipes, and answers the process. */
export const start = async (args: ReadonlyArray<string>, { env }: Surroundings = {}, node = plainNode) =>
  spawn(node, [await commandFile(), ...args], { env: clean(env), stdio: ["ignore", "pipe", "pipe"] })

const word = (one: string) => `'${one.replaceAll("'", "'\\''")}'`

export interface Talk {
  /** The text that the command has to show, after what it showed before, until the next keys are typed. */
  readonly sees: string
  readonly types: string
}

/** Runs the command on a terminal of so many columns, types into it, and answers all that it wrote. */
export const onTerminal = async (
  args: ReadonlyArray<string>,
  { columns = 80, env, talk = [] }: Surroundings & { readonly columns?: number; readonly talk?: ReadonlyArray<Talk> } =
    {}
): Promise<{ readonly code: number | null; readonly screen: string }> => {
  const line = `stty cols ${columns} rows 40; ${[plainNode, await commandFile(), ...args].map(word).join(" ")}`
  const child = spawn("script", ["-qec", line, "/dev/null"], { env: clean(env) })
  let screen = ""
  let seen = 0
  const left = [...talk]
  child.stdout.on("data", (chunk) => {
    screen += String(chunk)
    const [next] = left
    const at = next === undefined ? -1 : screen.indexOf(next.sees, seen)
    if (next !== undefined && at >= 0) {
      seen = screen.length
      left.shift()
      child.stdin.write(next.types)
    }
  })
  child.stdin.on("error", () => {})
  const code = await new Promise<number | null>((done) => child.on("close", done))
  if (left.length > 0) throw new Error(`The command never showed ${JSON.stringify(left[0]!.sees)}:\n${screen}`)
  return { code, screen }
}
