/** The package as `npm publish` would upload it. Two that pack at once would disturb each other in `dist/`. */
import { execFile } from "node:child_process"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { root } from "./Bundle.ts"
import { madeOnce } from "./madeOnce.ts"

/** Answers the file, which is packed once for a run of the tests. It takes ten seconds. */
export const tarball = async (): Promise<string> => {
  const folder = await madeOnce(
    "tarball",
    (folder) => promisify(execFile)("npm", ["pack", "--pack-destination", folder], { cwd: root, maxBuffer: 64_000_000 })
  )
  const [file] = await readdir(folder)
  return join(folder, file!)
}
