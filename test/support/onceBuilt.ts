/** A folder for what the test files of this run share (`madeOnce.ts`). */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SharedFolder } from "./madeOnce.ts"

export const setup = () => {
  const folder = mkdtempSync(join(tmpdir(), "octopoid-tests-"))
  process.env[SharedFolder] = folder
  // The commands that the tests start load much code. With the cache each process compiles less of it.
  process.env["NODE_COMPILE_CACHE"] ??= join(folder, "compiled")
  return () => rmSync(folder, { recursive: true, force: true })
}
