/** Real repositories of git in a folder that goes with the scope of the test, and the hook as the command writes it. */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { commandFile } from "../support/command.ts"

export interface Ran {
  readonly code: number
  readonly stdout: string
  /** Both streams. */
  readonly said: string
}

const run = (file: string, args: ReadonlyArray<string>, cwd: string, env: Record<string, string> = {}) =>
  Effect.promise(() =>
    new Promise<Ran>((done) => {
      const child = execFile(
        file,
        args,
        {
          cwd,
          env: {
            PATH: process.env.PATH ?? "",
            HOME: cwd,
            GIT_CONFIG_NOSYSTEM: "1",
            GIT_AUTHOR_NAME: "a",
            GIT_AUTHOR_EMAIL: "a@example.com",
            GIT_COMMITTER_NAME: "a",
            GIT_COMMITTER_EMAIL: "a@example.com",
            ...env
          }
        },
        (error, stdout, stderr) =>
          done({ code: error === null ? 0 : Number(error.code) || 1, stdout, said: stdout + stderr })
      )
      child.stdin?.end()
    })
  )

export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "git hook "))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export const git = (cwd: string, args: ReadonlyArray<string>, env?: Record<string, string>) =>
  run("git", args, cwd, env)

export const shell = (cwd: string, script: string, env?: Record<string, string>) =>
  run("sh", ["-e", "-c", script], cwd, env)

/** The command `octopoid-server git-hook`. */
export const hook = (cwd: string, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(
    Effect.promise(commandFile),
    (command) => run(process.execPath, [command, "git-hook", ...args], cwd)
  )

const must = (ran: Effect.Effect<Ran>) =>
  Effect.map(ran, ({ code, said, stdout }) => {
    if (code !== 0) throw new Error(said)
    return stdout.trim()
  })

/** A bare repository with one commit on main. */
export const bare = Effect.fnUntraced(function*(parent: string) {
  const path = join(parent, "remote.git")
  const seed = join(parent, "seed")
  yield* must(git(parent, ["init", "-q", "--bare", "-b", "main", path]))
  yield* must(git(parent, ["init", "-q", "-b", "main", seed]))
  yield* must(git(seed, ["commit", "-q", "--allow-empty", "-m", "first"]))
  yield* must(git(seed, ["push", "-q", path, "main"]))
  return path
})

/** A clone for an agent. */
export const clone = Effect.fnUntraced(function*(remote: string, path: string) {
  yield* must(git(join(remote, ".."), ["clone", "-q", remote, path]))
  return path
})

let commits = 0

/** Makes a commit on the branch, which is made if there is none. */
export const commit = Effect.fnUntraced(function*(path: string, branch: string) {
  const { code } = yield* git(path, ["rev-parse", "-q", "--verify", `refs/heads/${branch}`])
  yield* must(git(path, ["checkout", "-q", ...(code === 0 ? [branch] : ["-b", branch])]))
  writeFileSync(join(path, "work.txt"), String(++commits))
  yield* must(git(path, ["add", "-A"]))
  yield* must(git(path, ["commit", "-q", "-m", `work ${commits}`]))
  return yield* must(git(path, ["rev-parse", "HEAD"]))
})

/** The commit of a branch; undefined if there is no such branch. */
export const headOf = (path: string, branch: string) =>
  Effect.map(
    git(path, ["rev-parse", "-q", "--verify", `refs/heads/${branch}`]),
    ({ code, stdout }) => code === 0 ? stdout.trim() : undefined
  )
