/**
 * Where the processes of a user keep results until the server has them: a directory for each process. A process takes
 * over what processes left that have ended, so that a result outlives the process that could not hand it in.
 */
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

/** The directory of all outboxes, unless one is given. */
export const stateDirectory = (env: Readonly<Record<string, string | undefined>>): string =>
  join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "octopoid", "outbox")

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: the process runs, as another user.
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

/** Moves a file, unless another process was faster. */
const move = (from: string, to: string): void => {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
  }
}

/**
 * The directory of this process, with the results that ended processes left. Results go only to the server and scope
 * that they were made for: a part of the path is a hash of both, or of the server and the key if no scope is named.
 */
export const open = (directory: string, address: string, scopeOrKey: string): string => {
  const server = createHash("sha256").update(`${address}\n${scopeOrKey}`).digest("hex").slice(0, 16)
  const all = join(directory, server)
  const own = join(all, String(process.pid))
  mkdirSync(own, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(all)) {
    // If a process has died and another one has its number now, the results of the dead one wait until that number is
    // free.
    if (!/^\d+$/.test(name) || Number(name) === process.pid || runs(Number(name))) continue
    const left = join(all, name)
    try {
      for (const file of readdirSync(left)) move(join(left, file), join(own, file))
      rmdirSync(left)
    } catch {
      // Another process takes them over at the same time.
    }
  }
  return own
}

/** Removes the directory of this process if it is empty. */
export const close = (own: string): void => {
  try {
    rmdirSync(own)
  } catch {
    // It has results: the next process takes them over.
  }
}
