/** What takes seconds to make and many test files need: a bundle, the command, the package. */
import { existsSync } from "node:fs"
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

/** The variable that names the folder of `onceBuilt.ts`. */
export const SharedFolder = "OCTOPOID_TESTS_FOLDER"

const unlessThere = (error: NodeJS.ErrnoException) => {
  if (error.code !== "EEXIST") throw error
}

const inFolder = async (shared: string, name: string, make: (folder: string) => Promise<unknown>) => {
  const [made, making] = [join(shared, name), join(shared, `${name}.making`)]
  while (!existsSync(made)) {
    // Only one of those that try makes the folder. When it fails, another one tries.
    if (await mkdir(making).then(() => true, unlessThere)) {
      try {
        if (existsSync(made)) continue
        const own = await mkdtemp(join(making, "own-"))
        await make(own)
        await rename(own, made)
      } finally {
        await rm(making, { recursive: true })
      }
    } else await sleep(100)
  }
  return made
}

const here = new Map<string, Promise<string>>()

/**
 * Answers a folder that `make` has filled. Within a run of the tests one test file makes it, and those that ask for the same name
 * wait for that; elsewhere each process makes its own.
 */
export const madeOnce = (name: string, make: (folder: string) => Promise<unknown>): Promise<string> => {
  const known = here.get(name)
  if (known !== undefined) return known
  const shared = process.env[SharedFolder]
  const folder = shared === undefined
    ? mkdtemp(join(tmpdir(), `octopoid-${name}-`)).then(async (own) => {
      await make(own)
      return own
    })
    : inFolder(shared, name, make)
  here.set(name, folder)
  return folder
}
