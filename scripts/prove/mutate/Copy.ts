/** A copy of the repository in a temporary directory, in which faults are planted, so that the repository never has any. */
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Fault } from "../../../test/mutation/Fault.ts"
import * as Place from "./Place.ts"
import type { Seen } from "./planted.ts"
import * as Steps from "./Steps.ts"

export interface Copy {
  readonly directory: string
  /** Plants the fault; what it answers takes it out again. Throws if it does not fit the code. */
  readonly plant: (fault: Fault) => Promise<() => void>
  /** The statements of each step, as they are written. */
  readonly steps: () => Promise<Seen>
  readonly remove: () => void
}

/** Copies the files that git knows, or would know, as they are now. */
export const make = (): Copy => {
  const directory = mkdtempSync(join(tmpdir(), "mutate-"))
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    encoding: "utf8"
  })
  for (const file of listed.split("\0")) {
    if (file !== "" && file !== "node_modules" && existsSync(file)) cpSync(file, join(directory, file))
  }
  symlinkSync(join(process.cwd(), "node_modules"), join(directory, "node_modules"))
  let recorded: Promise<Seen> | undefined
  const steps = () => recorded ??= Steps.record(directory)
  return {
    directory,
    steps,
    plant: async (fault) => {
      if ("step" in fault) {
        const problem = Steps.problemOf(fault, await steps())
        if (problem !== undefined) throw new Error(problem)
        return Steps.plant(directory, fault)
      }
      const place = Place.find(directory, fault)
      if (typeof place === "string") throw new Error(place)
      const file = join(directory, place.file)
      writeFileSync(file, place.after)
      return () => writeFileSync(file, place.before)
    },
    remove: () => rmSync(directory, { recursive: true, force: true })
  }
}
