/** A copy of the repository in a temporary directory, in which faults are planted, so that the repository never has any. */
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Fault } from "../../test/mutation/Fault.ts"

export interface Copy {
  readonly directory: string
  /** Plants the fault; what it answers takes it out again. Throws if the text to replace is not there exactly once. */
  readonly plant: (fault: Fault) => () => void
  readonly remove: () => void
}

/** Copies the files that git knows, or would know, as they are now. */
export const make = (): Copy => {
  const directory = mkdtempSync(join(tmpdir(), "mutate-"))
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    encoding: "utf8"
  })
  for (const file of listed.split("\0")) {
    if (file !== "" && existsSync(file)) cpSync(file, join(directory, file))
  }
  symlinkSync(join(process.cwd(), "node_modules"), join(directory, "node_modules"))
  return {
    directory,
    plant: ({ file, find, name, replace }) => {
      const path = join(directory, file)
      const text = readFileSync(path, "utf8")
      const parts = text.split(find)
      if (parts.length !== 2) throw new Error(`${name}: what it replaces is in ${file} ${parts.length - 1} times`)
      writeFileSync(path, parts.join(replace))
      return () => writeFileSync(path, text)
    },
    remove: () => rmSync(directory, { recursive: true, force: true })
  }
}
