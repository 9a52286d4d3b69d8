/** Where the CPU time of a profile goes, by the module that ran. */
import type { Profiler } from "node:inspector"

export const parts = [
  "SQLite",
  "SQL building",
  "schemas",
  "our services",
  "our HTTP",
  "Effect HTTP",
  "fibers and the rest of Effect",
  "fetch, streams and the rest of Node",
  "garbage collection",
  "the benchmark"
] as const
export type Part = typeof parts[number]

/** The share of each part, and the functions with the most time of their own. */
export interface Shares {
  readonly parts: Readonly<Record<Part, number>>
  readonly functions: ReadonlyArray<{ readonly name: string; readonly part: Part; readonly share: number }>
}

const Shown = 15

/** Which part a file belongs to: the first of these that its path has. */
const places: ReadonlyArray<readonly [place: RegExp, part: Part]> = [
  [/test\/support\/NodeD1/, "SQLite"],
  [/effect\/dist\/(internal\/)?sql|@effect\/sql/, "SQL building"],
  [/effect\/dist\/http/, "Effect HTTP"],
  [/effect\/dist\/(internal\/)?schema/i, "schemas"],
  [/node_modules\/effect\//, "fibers and the rest of Effect"],
  [/\/src\/sql\//, "SQL building"],
  [/\/src\/domain\//, "schemas"],
  [/\/src\/services\//, "our services"],
  [/\/src\/(http|api)\//, "our HTTP"],
  [/\/(bench|test)\//, "the benchmark"]
]

// Functions of node:sqlite have no file.
const native = new Set(["all", "prepare", "exec", "run", "get"])

const partOf = (url: string, name: string): Part | undefined => {
  if (name === "(idle)" || name === "(root)" || url === "node:inspector") return undefined
  if (name === "(garbage collector)") return "garbage collection"
  if (url === "" && native.has(name)) return "SQLite"
  return places.find(([place]) => place.test(url))?.[1] ?? "fetch, streams and the rest of Node"
}

export const sharesOf = ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares => {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const sums = new Map<Part, number>()
  const functions = new Map<string, { part: Part; time: number }>()
  let all = 0
  for (const [n, id] of samples.entries()) {
    const { functionName, lineNumber, url } = byId.get(id)!.callFrame
    const part = partOf(url, functionName)
    if (part === undefined) continue
    const time = timeDeltas[n]!
    all += time
    sums.set(part, (sums.get(part) ?? 0) + time)
    const file = url.split("/").slice(-2).join("/")
    const name = `${functionName || "(anonymous)"}${file === "" ? "" : ` ${file}:${lineNumber + 1}`}`
    const known = functions.get(name) ?? { part, time: 0 }
    known.time += time
    functions.set(name, known)
  }
  return {
    parts: Object.fromEntries(parts.map((part) => [part, (sums.get(part) ?? 0) / all])) as Record<Part, number>,
    functions: [...functions].sort(([, a], [, b]) => b.time - a.time).slice(0, Shown)
      .map(([name, { part, time }]) => ({ name, part, share: time / all }))
  }
}
