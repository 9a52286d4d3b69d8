/** The process of workerd: how it is found, started, watched and stopped. */
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { codeOf, Refusal, sentenceOf } from "./Refusal.ts"

const require = createRequire(import.meta.url)

/**
 * The folder of this package: the first one upwards whose package.json is ours, from the sources and from the bundle.
 */
const packageFolder = (): string => {
  for (let folder = dirname(fileURLToPath(import.meta.url));; folder = dirname(folder)) {
    const manifest = join(folder, "package.json")
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "octopoid-server") return folder
    if (folder === dirname(folder)) throw new Error("octopoid-server does not find its own package.json")
  }
}

/** The binary: that of the npm package workerd, which this package depends on, unless the variable names another. */
const binary = (env: Readonly<Record<string, string | undefined>>) =>
  Effect.suspend(() => {
    const named = env["OCTOPOID_WORKERD"]
    if (named !== undefined && named !== "") {
      return existsSync(named)
        ? Effect.succeed(named)
        : Effect.fail(new Refusal({ message: `OCTOPOID_WORKERD names ${named}, and there is no such file.` }))
    }
    try {
      return Effect.succeed(String(require("workerd").default))
    } catch (error) {
      return Effect.fail(
        new Refusal({
          message: `workerd, which runs the server, is not there: ${
            sentenceOf(error).trim().split("\n")[0]
          } Install octopoid-server again, without --omit=optional and --ignore-scripts, or name the binary in OCTOPOID_WORKERD.`
        })
      )
    }
  })

const config = Effect.suspend(() => {
  const file = join(packageFolder(), "dist", "serve", "workerd.capnp")
  return existsSync(file)
    ? Effect.succeed(file)
    : Effect.fail(new Refusal({ message: `${file} is not there. In a checkout, npm run build makes it.` }))
})

/** Fails with a sentence if nothing can listen there. workerd would say it with a stack. */
const free = (host: string, port: number) =>
  Effect.callback<void, Refusal>((resume) => {
    const server = createServer()
    server.once("error", (error) => {
      const why = codeOf(error)
      resume(
        Effect.fail(
          new Refusal({
            message: why === "EADDRINUSE"
              ? `Port ${port} of ${host} is in use. Stop what listens there, or take another port: --port N.`
              : why === "EACCES"
              ? `This user may not listen on port ${port}. Take one above 1023: --port N.`
              : `The server cannot listen on ${host}: ${sentenceOf(error)}. Give an address of this machine: --host.`
          })
        )
      )
    })
    server.listen({ host, port, exclusive: true }, () => server.close(() => resume(Effect.void)))
  })

export interface Options {
  readonly databases: string
  /** The descriptor of the lock of the folder, which workerd gets as well and has as long as it lives. */
  readonly lock: number
  readonly host: string
  readonly port: number
  /** The variables that the server reads its settings from. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Is called with what the server logs. */
  readonly log: (text: string) => void
}

export interface Running {
  readonly pid: number
  readonly port: number
  /** Completes when workerd has ended, and says how it ended. */
  readonly ended: Effect.Effect<string>
}

/** How long requests may take to end when the server is stopped. */
const MaxStopMillis = 5000

const CutOff = `Requests were cut off: they had not ended ${MaxStopMillis / 1000} seconds after the stop.\n`

const end = (child: ChildProcess, ended: Promise<string>, log: (text: string) => void) =>
  Effect.promise(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    // On SIGTERM workerd stops listening, and finishes the requests under way.
    child.kill("SIGTERM")
    const late = setTimeout(() => {
      child.kill("SIGKILL")
      log(CutOff)
    }, MaxStopMillis)
    await ended
    clearTimeout(late)
  })

/**
 * Kills workerd when this process has ended, also if it was killed and could not do it itself. The watch reads from a
 * pipe of this process, which the system closes then. The first line is the process to kill. The watch begins before
 * workerd, because this process may be killed right after it has started workerd.
 */
const watch = (): ChildProcess =>
  spawn("/bin/sh", ["-c", "read -r pid && { read -r _; kill -9 \"$pid\"; }"], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true
  })

const MaxSaid = 4000

/** Why workerd did not start. The Worker stops at a setting that it cannot read, and names it. */
const reason = (said: string, how: string): string => {
  const setting = /Uncaught Error: SchemaError\(([^]*?)\)?\n\s+at worker\.js/.exec(said)?.[1]
  return setting === undefined
    ? `workerd does not start (${how}): ${said.trim() || "it says nothing"}`
    : `A setting cannot be read. ${setting.replace(/\s+/g, " ").trim()}`
}

/** The port that workerd says it listens on. */
const listening = (child: ChildProcess) =>
  new Promise<number>((done) => {
    let said = ""
    child.stdio[3]!.on("data", (chunk) => {
      said += String(chunk)
      for (const line of said.split("\n").slice(0, -1)) {
        const { event, port } = JSON.parse(line)
        if (event === "listen") done(port)
      }
    })
  })

/** Starts workerd, and stops it when the scope ends. */
export const start = Effect.fnUntraced(function*({ databases, env, host, lock, log, port }: Options) {
  const file = yield* binary(env)
  const setup = yield* config
  yield* free(host, port)
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`
  const name = env["WEBHOOK_ALLOW_PRIVATE"]?.toLowerCase() === "true" ? "private" : "config"
  const args = ["serve", setup, name, "--directory-path", `data=${databases}`, "--socket-addr", `http=${address}`]
  const guard = watch()
  guard.on("error", () => {})
  guard.stdin?.on("error", () => {})
  // In a process group of its own: Ctrl-C is for this process, which then stops workerd in order.
  const child = spawn(file, [...args, "--control-fd", "3"], {
    env,
    stdio: ["ignore", "pipe", "pipe", "pipe", lock],
    detached: true
  })
  if (child.pid !== undefined) guard.stdin?.write(`${child.pid}\n`)
  // If workerd does not become ready, its output until then says why.
  let [said, isReady] = ["", false]
  const heard = (chunk: unknown) => {
    if (isReady) log(String(chunk))
    else said = (said + String(chunk)).slice(-MaxSaid)
  }
  child.stdout!.on("data", heard)
  child.stderr!.on("data", heard)
  const gone = new Promise<string>((done) => {
    child.once("error", (error) => done(sentenceOf(error)))
    child.once("exit", (code, signal) => done(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })
  const ended = Effect.promise(() => gone)
  const { pid } = child
  if (pid === undefined) {
    guard.kill("SIGKILL")
    return yield* new Refusal({ message: `workerd does not start: ${yield* ended}.` })
  }
  yield* Effect.addFinalizer(() => Effect.andThen(end(child, gone, log), Effect.sync(() => void guard.kill("SIGKILL"))))
  const ready = yield* Effect.promise(() => Promise.race([listening(child), gone]))
  if (typeof ready === "string") return yield* new Refusal({ message: reason(said, ready) })
  isReady = true
  if (said !== "") log(said)
  return { pid, port: ready, ended } satisfies Running
})
