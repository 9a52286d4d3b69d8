/** The simulator as a detector: the first run in which something does not hold says what that is. */
import * as node from "./node.ts"
import { shortened } from "./reason.ts"
import { failed, type Verdict } from "./Verdict.ts"

/** Plays so many runs of the script, which has its options with it: those of the seeds from `seed` on. */
export const detect = async (
  script: ReadonlyArray<string>,
  runs: number,
  directory: string,
  seed: number
): Promise<Verdict> => {
  const ended = await node.run(directory, [...script, "--seeds", String(runs), "--from", String(seed), "--bail"])
  if (ended === "hang") return { _tag: "Hang" }
  const { code, output } = ended
  if (code === 0) return { _tag: "Survived" }
  const [, which, violation] = /^(seed \d+), step \d+: (.*)$/m.exec(output) ?? []
  return which === undefined || violation === undefined
    ? { _tag: "Broken", reason: shortened(/^.*Error.*$/m.exec(output)?.[0] ?? "it did not run") }
    : failed(which, violation, shortened(`${which}: ${violation}`))
}
