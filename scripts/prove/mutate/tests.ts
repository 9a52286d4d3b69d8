/** Tests as detectors: the first one that fails says what it found out. */
import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Tests } from "./Detector.ts"
import * as node from "./node.ts"
import { reasonOf } from "./reason.ts"
import { failed, type Verdict } from "./Verdict.ts"

interface Report {
  readonly testResults: ReadonlyArray<{
    readonly status: string
    readonly message: string
    readonly assertionResults: ReadonlyArray<{
      readonly status: string
      readonly fullName: string
      readonly failureMessages: ReadonlyArray<string>
    }>
  }>
}

const verdictOf = ({ testResults }: Report): Verdict => {
  for (const { assertionResults, message, status } of testResults) {
    const failure = assertionResults.find((test) => test.status === "failed")
    if (failure !== undefined) {
      const text = failure.failureMessages.join("\n")
      return /timed out in \d+ms/.test(text) ? { _tag: "Hang" } : failed(failure.fullName, text, reasonOf(text))
    }
    // A file that could not be loaded has no tests.
    if (status === "failed") return { _tag: "Broken", reason: message.split("\n")[0] ?? "" }
  }
  return testResults.some(({ assertionResults }) => assertionResults.some((test) => test.status === "passed"))
    ? { _tag: "Survived" }
    : { _tag: "Broken", reason: "no test was run" }
}

const run = async ({ file, name }: Tests, directory: string, seed: number): Promise<Verdict> => {
  const report = join(directory, "mutation.json")
  rmSync(report, { force: true })
  const options = ["--config", "test/mutation/vitest.config.ts", "--root", ".", "--reporter=json"]
  const only = name === undefined ? [] : ["-t", name]
  const vitest = join(directory, "node_modules/vitest/vitest.mjs")
  const ended = await node.run(directory, [vitest, "run", file, ...only, ...options, `--outputFile=${report}`], {
    PROPERTY_SEED: String(seed)
  })
  if (ended === "hang") return { _tag: "Hang" }
  return existsSync(report)
    ? verdictOf(JSON.parse(readFileSync(report, "utf8")) as Report)
    : { _tag: "Broken", reason: "the tests did not run" }
}

/** The verdict of the first that does not pass, or that the fault survived them all. */
export const detect = async (tests: ReadonlyArray<Tests>, directory: string, seed: number): Promise<Verdict> => {
  for (const each of tests) {
    const verdict = await run(each, directory, seed)
    if (verdict._tag !== "Survived") return verdict
  }
  return { _tag: "Survived" }
}
