/** Whether the tests of a detector find a fault out, and by what. */
import { spawn } from "node:child_process"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Detector, Tests } from "./Detector.ts"
import { reasonOf } from "./reason.ts"

export type Verdict =
  | { readonly _tag: "Caught"; readonly test: string; readonly reason: string }
  /** It stopped, as a fault may make it, and was ended. */
  | { readonly _tag: "Hang" }
  /** The fault is no server any more: its modules do not load, or SQLite does not understand it. That proves nothing. */
  | { readonly _tag: "Broken"; readonly reason: string }
  | { readonly _tag: "Survived" }

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

const MaxMinutes = 10

// What a mistake of a fault looks like, as against a server that breaks its word.
const mistake = /SQLITE_(ERROR|MISMATCH|TOOBIG)|SyntaxError|ReferenceError|TypeError|Cannot find (module|package)/

/** Runs tests in a copy of the repository: their report, nothing when it could not be written, or that they hang. */
const run = ({ file, name }: Tests, directory: string, seed: number): Promise<Report | "hang" | undefined> => {
  const output = join(directory, "mutation.json")
  rmSync(output, { force: true })
  const vitest = join(directory, "node_modules/vitest/vitest.mjs")
  const options = ["--config", "test/mutation/vitest.config.ts", "--root", ".", "--reporter=json"]
  const only = name === undefined ? [] : ["-t", name]
  const { promise, resolve } = Promise.withResolvers<Report | "hang" | undefined>()
  const child = spawn(process.execPath, [vitest, "run", file, ...only, ...options, `--outputFile=${output}`], {
    cwd: directory,
    env: { ...process.env, MUTATION_SEED: String(seed) },
    stdio: "ignore",
    // A group of its own, with the workers that it starts.
    detached: true
  })
  const stop = () => process.kill(-child.pid!, "SIGKILL")
  const timer = setTimeout(stop, MaxMinutes * 60_000)
  process.on("exit", stop)
  child.on("close", (_code, signal) => {
    clearTimeout(timer)
    process.off("exit", stop)
    if (signal !== null) return resolve("hang")
    resolve(existsSync(output) ? JSON.parse(readFileSync(output, "utf8")) as Report : undefined)
  })
  return promise
}

const verdictOf = (report: Report | "hang" | undefined): Verdict => {
  if (report === "hang") return { _tag: "Hang" }
  if (report === undefined) return { _tag: "Broken", reason: "the tests did not run" }
  for (const { assertionResults, message, status } of report.testResults) {
    const failed = assertionResults.find((test) => test.status === "failed")
    if (failed !== undefined) {
      const text = failed.failureMessages.join("\n")
      if (/timed out in \d+ms/.test(text)) return { _tag: "Hang" }
      return mistake.test(text)
        ? { _tag: "Broken", reason: reasonOf(text) }
        : { _tag: "Caught", test: failed.fullName, reason: reasonOf(text) }
    }
    if (status === "failed") return { _tag: "Broken", reason: message.split("\n")[0] ?? "" }
  }
  return report.testResults.some(({ assertionResults }) => assertionResults.some((test) => test.status === "passed"))
    ? { _tag: "Survived" }
    : { _tag: "Broken", reason: "no test was run" }
}

/** Whether the tests of the detector are there; otherwise it is left out. */
export const isThere = ({ tests }: Detector): boolean => tests.every(({ file }) => existsSync(file))

/** The verdict of the first tests that do not pass, or that the fault survived them all. */
export const detect = async ({ tests }: Detector, directory: string, seed: number): Promise<Verdict> => {
  for (const each of tests) {
    const verdict = verdictOf(await run(each, directory, seed))
    if (verdict._tag !== "Survived") return verdict
  }
  return { _tag: "Survived" }
}
