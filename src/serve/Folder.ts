/**
 * The folder that a server on this machine keeps its data in:
 *
 *     admin.key    the key of the administrator, unless API_SECRET_KEY is set; only its owner may read it
 *     objects/     the databases: workerd makes them
 *     lock-…       a socket of the server that runs on the folder
 *     workerd.pid  the process id of its workerd
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { randomBytes } from "node:crypto"
import { chmod, link, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { connect, createServer, type Server } from "node:net"
import { homedir } from "node:os"
import { dirname, isAbsolute, join, relative, resolve } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { codeOf, Refusal, sentenceOf } from "./Refusal.ts"

/**
 * The folder of the data, if the command names none. It is in the home directory. In the working directory each project
 * would get a server of its own.
 */
export const usual = (env: Readonly<Record<string, string | undefined>>): string =>
  join(
    env["XDG_DATA_HOME"] !== undefined && isAbsolute(env["XDG_DATA_HOME"])
      ? env["XDG_DATA_HOME"]
      : join(homedir(), ".local", "share"),
    "octopoid-server"
  )

export const databases = (folder: string): string => join(folder, "objects")

const why: Readonly<Record<string, string>> = {
  EACCES: "this user has no right to it",
  EEXIST: "a file is in its path",
  ENOTDIR: "a file is in its path",
  EPERM: "this user has no right to it",
  EROFS: "its disk can only be read"
}

const refused = (folder: string) => (error: unknown) =>
  error instanceof Refusal
    ? error
    : new Refusal({
      message: `The folder ${folder} cannot be used for the data: ${
        why[codeOf(error) ?? ""] ?? sentenceOf(error)
      }. Give another one: --data DIR.`
    })

/** Makes the folder and those above it that are missing. Node's own recursion never ends below `/proc`. */
const makeAll = async (folder: string): Promise<void> => {
  const make = () => mkdir(folder, { mode: 0o700 })
  try {
    await make()
  } catch (error) {
    if (codeOf(error) === "EEXIST" && (await stat(folder)).isDirectory()) return
    if (codeOf(error) !== "ENOENT" || dirname(folder) === folder) throw error
    await makeAll(dirname(folder))
    await make()
  }
}

/** Makes the folder if it is not there. Only its owner may look into what is made. */
export const make = (folder: string) =>
  Effect.tryPromise({
    try: async () => {
      await makeAll(resolve(databases(folder)))
    },
    catch: refused(folder)
  })

/** The secrets that the Worker takes: `Settings.ts`. */
const isSecret = (text: string) => text.length >= 16 && text === text.trim()

/** The key of the administrator, and whether it was made just now. */
export const key = (folder: string) =>
  Effect.tryPromise({
    try: async (): Promise<{ readonly key: string; readonly made: boolean }> => {
      const file = join(folder, "admin.key")
      const text = await readFile(file, "utf8").catch((error: unknown) => {
        if (codeOf(error) === "ENOENT") return undefined
        throw error
      })
      if (text !== undefined) {
        const kept = text.trim()
        if (!isSecret(kept)) {
          throw new Refusal({
            message:
              `${file} holds no key: it has less than 16 characters. Put the key of the administrator there, or delete the file and a new key is made.`
          })
        }
        await chmod(file, 0o600)
        return { key: kept, made: false }
      }
      const made = `admin_${randomBytes(32).toString("hex")}`
      // A link makes the file of the key, so the file never holds half of a key.
      const part = `${file}.${process.pid}`
      await writeFile(part, `${made}\n`, { mode: 0o600, flush: true })
      await link(part, file)
      await rm(part)
      return { key: made, made: true }
    },
    catch: refused(folder)
  })

/** Removes a key that nobody was told. */
export const forgetKey = (folder: string) => Effect.promise(() => rm(join(folder, "admin.key"), { force: true }))

/**
 * What the server behind the socket says: its process, and where it answers. Empty if a process has the socket and does
 * not answer, undefined if none has it.
 */
const holder = (socket: string) =>
  new Promise<string | undefined>((done) => {
    const client = connect(socket)
    let said = ""
    client.setTimeout(500, () => client.destroy())
    client.on("data", (chunk) => void (said += String(chunk)))
    client.on("error", (error) => codeOf(error) === "EAGAIN" ? done("") : done(undefined))
    client.on("close", () => done(said))
  })

/** How long to wait for a server that is ending or also starting: after a kill, workerd lives on for a moment. */
const MaxOtherMillis = 3000

/** What a server says that does not have the lock yet. */
const Starting = "starting"

export interface Lock {
  /** The descriptor of the lock. While workerd has it too, the folder is taken, also if this process was killed. */
  readonly descriptor: number
  /** Sets what this server tells a second one that is started on the folder. */
  readonly tell: (what: string) => void
  /** Notes the process of the workerd on the folder. */
  readonly note: (pid: number) => Promise<void>
}

const taken = (folder: string, said: string) =>
  new Refusal({
    message: `A server runs on ${folder} already${
      said === Starting ? "" : ` (${said})`
    }. Stop it, or give another folder: --data DIR.`
  })

const silent = async (folder: string) => {
  const pid = Number(await readFile(join(folder, "workerd.pid"), "utf8").catch(() => ""))
  const which = pid > 0
    ? ` It may be the workerd of a server that was killed, process ${pid}: end it, or`
    : " End it, or"
  return new Refusal({
    message:
      `The folder ${folder} is still in use, and what uses it does not answer.${which} give another folder: --data DIR.`
  })
}

/** The path of a socket has about a hundred bytes at most, and one from here may be shorter. */
const short = (file: string) => {
  const near = relative(process.cwd(), file)
  return near.length < file.length ? near : file
}

const listen = (server: Server, socket: string) =>
  new Promise<unknown>((done) => {
    server.once("error", done)
    server.listen(socket, () => {
      server.off("error", done)
      done(undefined)
    })
  })

/** Node documents no descriptor of a server, and has had this one in all versions. */
const descriptorOf = (server: Server): number => {
  const fd = (server as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd
  if (fd === undefined || fd < 0) throw new Error("this Node does not tell the descriptor of a socket")
  return fd
}

const lockPrefix = "lock-"

/** Waits until no other process has a lock of the folder, and removes the files of locks that none has. */
const alone = async (folder: string, own: string) => {
  for (const until = Date.now() + MaxOtherMillis;; await sleep(20)) {
    let others: "none" | "silent" | typeof Starting = "none"
    for (const name of await readdir(folder)) {
      if (!name.startsWith(lockPrefix) || name === own) continue
      const said = await holder(short(join(folder, name)))
      // No name is used twice, so this is never the lock of a server that has started since.
      if (said === undefined) await rm(join(folder, name), { force: true })
      else if (said === "") others = "silent"
      // Of those that start at once the first by name goes on. The others see it, because each listens before it looks.
      else if (said !== Starting || name < own) throw taken(folder, said)
      else others = Starting
    }
    if (others === "none") break
    if (Date.now() >= until) throw others === "silent" ? await silent(folder) : taken(folder, Starting)
  }
  // Another one may have met this lock between its file and its listening, and have removed it.
  if (!(await readdir(folder)).includes(own)) throw taken(folder, Starting)
}

/**
 * Takes the folder for this process, until the scope ends or the process does. The lock is a socket and not a file: the
 * system closes it with the processes that have it, however those end, and it also holds between containers that share
 * the folder. Each server has a socket of a name of its own and looks for those of others once it listens, so of two
 * at least one sees the other.
 */
export const lock = (folder: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const own = `${lockPrefix}${randomBytes(4).toString("hex")}`
        let says = Starting
        const server = createServer((client) => client.on("error", () => {}).end(says))
        server.on("error", () => {})
        const problem = await listen(server, short(join(folder, own)))
        if (codeOf(problem) === "EINVAL" || codeOf(problem) === "ENAMETOOLONG") {
          throw new Refusal({ message: `The path ${folder} is too long for a socket. Take one of less than 90 bytes.` })
        }
        if (problem !== undefined) throw problem
        // Closing removes the file of the socket.
        const free = () => new Promise<void>((done) => server.close(() => done()))
        try {
          await alone(folder, own)
          says = `process ${process.pid}`
          return {
            descriptor: descriptorOf(server),
            tell: (what: string) => void (says = `process ${process.pid}, ${what}`),
            note: (pid: number) => writeFile(join(folder, "workerd.pid"), `${pid}\n`),
            free
          }
        } catch (error) {
          await free()
          throw error
        }
      },
      catch: refused(folder)
    }),
    ({ free }) =>
      Effect.promise(async () => {
        await rm(join(folder, "workerd.pid"), { force: true })
        await free()
      })
  ) as Effect.Effect<Lock, Refusal, Scope>
