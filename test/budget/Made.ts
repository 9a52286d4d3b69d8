/**
 * The statements that the server makes when it is loaded, each with the module and the name that it is made for. They are
 * collected in a process of its own, before anything else loads a module of the server.
 */
import { execFileSync } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { Measured } from "./Measure.ts"

export interface Made {
  readonly text: string
  readonly names: ReadonlyArray<string>
  /** Such as `src/services/task/create.ts: inserted`. */
  readonly of: string
}

const root = fileURLToPath(new URL("../../", import.meta.url))
const rooms = "src/{services,sql}/**/*.ts"

let known: ReadonlyArray<Made> | undefined

/** All of them, by module and name. */
const all = (): ReadonlyArray<Made> =>
  known ??= JSON.parse(execFileSync(process.execPath, [import.meta.filename], { encoding: "utf8", maxBuffer: 1e8 }))

/** Those that no case of the budget sends. */
export const unsent = (measured: ReadonlyArray<Measured>): ReadonlyArray<Made> => {
  const sent = new Set(measured.flatMap(({ executions }) => executions.map(({ text }) => text)))
  return all().filter(({ text }) => !sent.has(text))
}

/** The name of what a line of a file belongs to: the nearest name that is declared there or above it. */
const nameAt = (file: string, line: number): string =>
  readFileSync(join(root, file), "utf8").split("\n").slice(0, line)
    .map((text) => /^(?:export )?const (\w+)/.exec(text)?.[1]).findLast((name) => name !== undefined) ?? ""

const collect = async (): Promise<ReadonlyArray<Made>> => {
  const made = new Map<string, Made>()
  const { observer } = await import("../../src/sql/Statement.ts")
  Error.stackTraceLimit = 50
  observer.made = ({ names, text }) => {
    // The outermost frame is the module that is loaded.
    const frames = Array.from(new Error().stack!.matchAll(/\/(src\/[\w/.]+):(\d+):\d+/g))
    const [, file, line] = frames.at(-1)!
    made.set(text, made.get(text) ?? { text, names, of: `${file}: ${nameAt(file!, Number(line))}` })
  }
  for (const file of globSync(rooms, { cwd: root }).sort()) await import(pathToFileURL(join(root, file)).href)
  return [...made.values()].toSorted((a, b) => a.of < b.of ? -1 : Number(a.of > b.of))
}

if (process.argv[1] === import.meta.filename) process.stdout.write(JSON.stringify(await collect()))
