/** The processes of the night: serve and its kills, the hands, and the command. */
import { type ChildProcess, spawn } from "node:child_process"
import { createWriteStream, mkdirSync, readdirSync, readFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { text } from "node:stream/consumers"
import { setTimeout as sleep } from "node:timers/promises"
import type { Installed } from "./Package.ts"

const ended = (child: ChildProcess) =>
  new Promise<number | NodeJS.Signals | null>((done) => child.once("close", (code, signal) => done(code ?? signal)))

export const isAlive = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

/** Kills every process of the group of the child. */
const signalGroup = (child: ChildProcess, signal: NodeJS.Signals) => {
  try {
    process.kill(-child.pid!, signal)
  } catch {
    // It has just ended.
  }
}

export interface Server {
  readonly child: ChildProcess
  readonly ready: Promise<string | undefined>
  readonly ended: Promise<number | NodeJS.Signals | null>
}

/** Starts serve as a user does. `ready` is its address, or undefined if it ended before. */
export const serve = (
  { env, folder }: Installed,
  { data, log, port, settings }: {
    readonly data: string
    readonly port: number
    readonly settings: Readonly<Record<string, string>>
    readonly log: (said: string) => void
  }
): Server => {
  const child = spawn(
    "npx",
    ["--no-install", "octopoid-server", "serve", "--json", "--port", String(port), "--data", data],
    { cwd: folder, env: { ...env, ...settings }, stdio: ["ignore", "pipe", "pipe"], detached: true }
  )
  let out = ""
  child.stderr.on("data", (chunk) => log(String(chunk)))
  const over = ended(child)
  const ready = Promise.race([
    new Promise<string>((done) =>
      child.stdout.on("data", (chunk) => {
        out += String(chunk)
        if (out.endsWith("}\n")) done(JSON.parse(out).url)
      })
    ),
    over.then(() => undefined)
  ])
  return { child, ready, ended: over }
}

/** Kills serve and every process of its group, and with `whole` its workerd in the same moment too. */
export const kill = async (server: Server, data: string, whole: boolean): Promise<void> => {
  const workerd = whole ? Number(readIf(join(data, "workerd.pid"))) : 0
  signalGroup(server.child, "SIGKILL")
  if (workerd > 0 && commandOf(workerd).includes(data)) process.kill(workerd, "SIGKILL")
  await server.ended
}

const readIf = (file: string): string => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

const commandOf = (pid: number | string): string => readIf(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim()

/** The processes that name the folder in their command line or their environment, or run in it. */
export const leftOver = (folder: string): ReadonlyArray<string> =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => commandOf(pid).includes(folder) || readIf(`/proc/${pid}/environ`).includes(folder))
    .map((pid) => `${pid} ${commandOf(pid)}`)

export interface Hand {
  readonly name: string
  readonly kill: () => Promise<void>
  readonly start: () => void
  /** Ends it in order, and answers how it ended. */
  readonly stop: () => Promise<number | NodeJS.Signals | null>
  readonly isAlive: () => boolean
  readonly starts: () => number
}

/** Where Node has WebSockets: the one of this process. The Node of the machine may be 20, which has none. */
const nodeWithSockets = process.execPath

/**
 * One of the hands, a process that may be killed and started again. It keeps its folder. With `sockets` its Node has
 * WebSockets.
 */
export const hand = (
  { env, folder, node }: Installed,
  program: string,
  setting: { readonly name: string; readonly sockets?: boolean } & Readonly<Record<string, unknown>>,
  wrong: (what: string) => void
): Hand => {
  const { name } = setting
  const own = join(folder, "own", name)
  mkdirSync(own, { recursive: true })
  const log = createWriteStream(join(folder, "own", `${name}.log`), { flags: "a" })
  let child: ChildProcess | undefined
  let over: Promise<number | NodeJS.Signals | null> = Promise.resolve(null)
  let [starts, mayEnd] = [0, false]
  const start = () => {
    mayEnd = false
    starts++
    const begun = spawn(setting.sockets === true ? nodeWithSockets : node, [join(folder, "hands", `${program}.mjs`)], {
      cwd: folder,
      env: { ...env, NIGHT: JSON.stringify({ ...setting, own }) },
      stdio: ["ignore", "pipe", "pipe"]
    })
    begun.stdout.pipe(log, { end: false })
    begun.stderr.pipe(log, { end: false })
    child = begun
    over = ended(begun).then((how) => {
      // A worker kills itself for some tasks.
      if (how !== "SIGKILL" && !mayEnd) wrong(`${name} ended with ${how}: see ${join(folder, "own", `${name}.log`)}`)
      return how
    })
  }
  const stop = async (signal: NodeJS.Signals) => {
    mayEnd = true
    child?.kill(signal)
    return await over
  }
  return {
    name,
    start,
    kill: async () => void await stop("SIGKILL"),
    stop: () => stop("SIGTERM"),
    isAlive: () => child !== undefined && isAlive(child),
    starts: () => starts
  }
}

/** Runs a program of the hands to its end, and answers what it printed. */
export const ask = async (
  { env, folder, node }: Installed,
  program: string,
  setting: Readonly<Record<string, unknown>>
): Promise<any> => {
  const child = spawn(node, [join(folder, "hands", `${program}.mjs`)], {
    cwd: folder,
    env: { ...env, NIGHT: JSON.stringify(setting) },
    stdio: ["ignore", "pipe", "inherit"]
  })
  return JSON.parse(await text(child.stdout))
}

export interface Said {
  readonly code: number | NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** Runs the command, as a person does, with the settings of a server. */
export const command = async (
  { env, folder }: Installed,
  server: Readonly<Record<string, string>>,
  args: ReadonlyArray<string>
): Promise<Said> => {
  const child = spawn("npx", ["--no-install", "octopoid-server", ...args], {
    cwd: folder,
    env: { ...env, ...server },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const over = ended(child)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await over, out, err }
}

/** The command until it has done it: a person tries again while the server is away. */
export const untilDone = async (
  installed: Installed,
  server: Readonly<Record<string, string>>,
  args: ReadonlyArray<string>,
  patience = 90_000
): Promise<any> => {
  for (const until = Date.now() + patience;; await sleep(500)) {
    const { code, err, out } = await command(installed, server, args)
    if (code === 0) return out === "" ? undefined : JSON.parse(out)
    if (code !== 3 && !/"DatabaseUnavailable"/.test(err) || Date.now() > until) {
      throw new Error(`octopoid-server ${args.join(" ")} ended with ${code}: ${err}`)
    }
  }
}

/** `octopoid-server watch` on a WebSocket, for the whole night. */
export const watch = (
  { env, folder }: Installed,
  server: Readonly<Record<string, string>>,
  file: string
): { readonly stop: () => Promise<unknown> } => {
  const child = spawn(
    "npx",
    ["--no-install", "octopoid-server", "watch", "--after", "0", "--every", "0.5", "--json"],
    {
      cwd: folder,
      env: { ...env, ...server, PATH: `${dirname(nodeWithSockets)}${delimiter}${env["PATH"]}` },
      stdio: ["ignore", "pipe", "ignore"],
      detached: true
    }
  )
  child.stdout.pipe(createWriteStream(file))
  const over = ended(child)
  return {
    stop: () => {
      signalGroup(child, "SIGTERM")
      return over
    }
  }
}
