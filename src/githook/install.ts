/** Writes the hook into a repository, where git looks for it, and the settings into its configuration. */
import * as Data from "effect/Data"
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { type Hook, mark, scriptOf } from "./script.ts"

export interface Options {
  readonly hook: Hook
  /** Where the repository is. */
  readonly directory: string
  readonly url?: string | undefined
  readonly branches?: string | undefined
  readonly offline?: "open" | "closed" | undefined
  /** Keeps a hook of somebody else, and runs it after ours. */
  readonly chain: boolean
  /** Replaces a hook of somebody else. */
  readonly force: boolean
}

/** Why the hook was not written. */
export class CannotInstall extends Data.TaggedError("CannotInstall")<{ readonly message: string }> {}

const cannot = (message: string) => new CannotInstall({ message })

const git = (directory: string, ...args: ReadonlyArray<string>): string => {
  try {
    return execFileSync("git", args, { cwd: directory, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim()
  } catch (error) {
    const { code, stderr } = error as { readonly code?: string; readonly stderr?: string }
    throw cannot(
      code === "ENOENT" ? "git is not installed, or the folder does not exist." : `git says: ${String(stderr).trim()}`
    )
  }
}

const configured = (directory: string, name: string): string | undefined => {
  try {
    return git(directory, "config", "--get", name)
  } catch {
    return undefined
  }
}

const isOurs = (file: string): boolean => readFileSync(file, "utf8").includes(mark)

/** Writes the hook. Answers where it is, and what was done, in sentences. */
export const install = (
  { branches, chain, directory, force, hook, offline, url }: Options
): { readonly file: string; readonly says: ReadonlyArray<string> } => {
  const says: Array<string> = []
  // Git looks there for the hooks of every worktree of the repository, or where core.hooksPath says.
  const hooks = git(directory, "rev-parse", "--path-format=absolute", "--git-path", "hooks")
  const file = join(hooks, hook)
  const chained = `${file}.chained`
  if (existsSync(file) && !isOurs(file)) {
    if (chain) {
      if (existsSync(chained)) throw cannot(`There is a ${basename(chained)} already: ${chained}. Remove it first.`)
      renameSync(file, chained)
      chmodSync(chained, 0o755)
      says.push(`The ${hook} that was there runs after it: ${chained}`)
    } else if (force) {
      says.push(`The ${hook} that was there is replaced.`)
    } else {
      throw cannot(
        `There is a ${hook} already: ${file}. Nothing was changed. With --chain it runs after the fence, with --force it is replaced.`
      )
    }
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, scriptOf(hook), { mode: 0o755 })
  renameSync(`${file}.new`, file)
  says.unshift(`Written: ${file}`)
  const shared = configured(directory, "core.hooksPath")
  if (shared !== undefined) says.push(`core.hooksPath is ${shared}: the hook is for every repository that uses it.`)
  for (const [name, value] of Object.entries({ url, branches, offline })) {
    if (value === undefined) continue
    git(directory, "config", `octopoid.${name}`, value)
    says.push(`Set: octopoid.${name} = ${value}`)
  }
  if (url === undefined && configured(directory, "octopoid.url") === undefined) {
    says.push("octopoid.url is not set: git config octopoid.url <address>, or OCTOPOID_URL when you push.")
  }
  says.push(
    "The key, of the rank fence, comes from OCTOPOID_FENCE_KEY or git config octopoid.fenceKey. An open server needs none."
  )
  return { file, says }
}
