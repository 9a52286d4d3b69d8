/** A server on this machine: the folder, workerd on it, and the moment at which it answers. */
import * as Effect from "effect/Effect"
import { join, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Folder from "./Folder.ts"
import { Refusal } from "./Refusal.ts"
import * as Workerd from "./Workerd.ts"

export interface Options {
  readonly data: string
  readonly host: string
  readonly port: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: (text: string) => void
}

export interface Started {
  readonly url: string
  readonly data: string
  /** The key of the administrator, if it was made at this start. */
  readonly key: string | undefined
  /** Where the key is kept; undefined if API_SECRET_KEY is set. */
  readonly keyFile: string | undefined
  readonly pid: number
  readonly ended: Effect.Effect<string>
}

const MaxReadyMillis = 20_000

/** An address of the machine itself, for a server that listens on all. */
const reachable = (host: string) =>
  host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host

/**
 * Asks until the server answers that it is well. Then wakes the scopes: what they have to do by themselves goes on,
 * although nobody has asked them for anything since the last server ended.
 */
const answers = async (url: string, secret: string, signal: AbortSignal): Promise<string | undefined> => {
  let said = "nothing"
  for (const until = Date.now() + MaxReadyMillis; Date.now() < until; await sleep(20)) {
    try {
      const response = await fetch(`${url}/api/health`, { signal })
      if (response.status === 200) {
        await response.arrayBuffer()
        void fetch(`${url}/metrics`, { signal, headers: { authorization: `Bearer ${secret}` } })
          .then((woken) => woken.arrayBuffer()).catch(() => {})
        return undefined
      }
      said = await response.text()
    } catch (error) {
      if (signal.aborted) return said
      said = error instanceof Error ? error.message : String(error)
    }
  }
  return said
}

/** How long the claims that wait may take to be answered, and the sockets to be closed, when the server is stopped. */
const MaxAnswerMillis = 2000

/** Has the claims that wait answered and the sockets closed. workerd would wait for them, and then cut them off. */
const sayThatItStops = async (url: string, secret: string): Promise<void> => {
  await fetch(`${url}/stop`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    signal: AbortSignal.timeout(MaxAnswerMillis)
  }).then((answer) => answer.arrayBuffer()).catch(() => {})
}

/** Starts the server. It is stopped when the scope ends. */
export const start = Effect.fnUntraced(function*({ data, env, host, log, port }: Options) {
  const folder = resolve(data)
  yield* Folder.make(folder)
  const lock = yield* Folder.lock(folder)
  const given = env["API_SECRET_KEY"]
  // The Worker's own sentence would advise to run an open server, which this one never is.
  if (given?.trim() === "") {
    return yield* new Refusal({
      message:
        "API_SECRET_KEY is set but empty. Remove it, and the server makes a key of its own, or set a secret of at least 16 characters."
    })
  }
  const { key, made } = given === undefined ? yield* Folder.key(folder) : { key: given, made: false }
  let isReady = false
  // A start that fails prints no key, and the next one prints only a key that it made.
  if (made) yield* Effect.addFinalizer(() => isReady ? Effect.void : Folder.forgetKey(folder))
  const running = yield* Workerd.start({
    databases: Folder.databases(folder),
    lock: lock.descriptor,
    host,
    port,
    log,
    // Requests are not logged: a line for each would hide the other lines.
    env: { LOG_LEVEL: "Warn", ...env, API_SECRET_KEY: key }
  })
  yield* Effect.promise(() => lock.note(running.pid))
  const url = `http://${reachable(host)}:${running.port}`
  // This runs before workerd is stopped.
  yield* Effect.addFinalizer(() => Effect.promise(() => sayThatItStops(url, key)))
  lock.tell(url)
  const problem = yield* Effect.raceFirst(
    Effect.promise((signal) => answers(url, key, signal)),
    Effect.map(running.ended, (how) => `workerd ended with ${how}`)
  )
  if (problem !== undefined) return yield* new Refusal({ message: `The server does not answer: ${problem}` })
  isReady = true
  return {
    url,
    data: folder,
    key: made ? key : undefined,
    keyFile: given === undefined ? join(folder, "admin.key") : undefined,
    pid: running.pid,
    ended: running.ended
  } satisfies Started
})
