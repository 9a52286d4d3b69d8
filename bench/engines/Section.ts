/** What the benchmark says of both engines: a section of RESULTS.md, which is written alone too. */
import type { Engine } from "../../test/support/Bundle.ts"
import { table } from "../Report.ts"
import { type Cell, engines, type Matrix } from "./Matrix.ts"

const scopesOf = (count: number) => count === 1 ? "1 scope" : `${count} scopes`

const title = "## D1 and Durable Objects"

const names = { d1: "D1", objects: "Durable Objects" } as const

const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`
const kibibytes = (bytes: number) => `${Math.round(bytes / 2 ** 10)} KiB`
const milliseconds = (millis: number) => Number.isNaN(millis) ? "–" : `${millis.toFixed(millis < 100 ? 1 : 0)} ms`

const errorsOf = ({ errors }: Cell) =>
  Object.entries(errors).map(([what, often]) => `${often} × ${what}`).join(", ") || "0"

const rowOf = (cell: Cell) => [
  String(cell.scopes),
  String(cell.clients),
  names[cell.engine],
  (cell.lives / cell.millis * 1000).toFixed(1),
  milliseconds(cell.life.p50),
  milliseconds(cell.life.p99),
  milliseconds(cell.request.p50),
  milliseconds(cell.request.p99),
  milliseconds(cell.busy / cell.lives),
  mebibytes(cell.memory),
  errorsOf(cell)
]

const head = [
  "scopes",
  "clients",
  "engine",
  "lives/s",
  "life p50",
  "life p99",
  "request p50",
  "request p99",
  "CPU of a life",
  "memory",
  "errors"
]

/** How much more memory a server has for each further scope, after the same lives. */
const anObject = ({ options: { lives }, warm }: Matrix) => {
  const of = (engine: Engine) => {
    const all = warm.filter((one) => one.engine === engine).toSorted((a, b) => a.scopes - b.scopes)
    const [least, most] = [all[0]!, all.at(-1)!]
    return { least, most, each: (most.memory - least.memory) / (most.scopes - least.scopes) }
  }
  const rows = engines.map((engine) => {
    const { each, least, most } = of(engine)
    return [names[engine], mebibytes(least.memory), mebibytes(most.memory), kibibytes(each)]
  })
  const { least, most } = of("objects")
  return most.scopes === least.scopes ? "" : `
Memory after ${lives} lives on a new server, on ${scopesOf(least.scopes)} and on ${
    scopesOf(most.scopes)
  }, and the difference for each further scope:

${table(["engine", scopesOf(least.scopes), scopesOf(most.scopes), "a further scope"], rows)}
`
}

export const section = (matrix: Matrix): string => {
  const { cells, machine, options: { seconds } } = matrix
  const about = new Map(machine)
  const of = (name: string) => `${name}: ${about.get(name)}`
  return `${title}

Written by \`npm run bench -- --only engines\`. One machine with two cores for workerd and the clients (${
    ["date", "commit", "machine", "load before the run", "workerd"].map(of).join("; ")
  }). Clients are in one process of their own, each on a connection of its own and with
the key of a scope. Each life (create, claim, submit, accept) is in the next scope. Clients begin lives for ${seconds} s, and finish those they began; engines take turns. Memory is the most that workerd had in use. A request that
is refused, or not answered in 60 s, is an error and ends its life. If the load before the run was above 1, other work took a part of the machine: then lives and times say nothing by themselves, and only lines beside
each other can be compared. Processor time does not depend on that much.

${
    table(
      head,
      cells.toSorted((a, b) => a.scopes - b.scopes || a.clients - b.clients || (a.engine < b.engine ? -1 : 1)).map(
        rowOf
      ),
      3
    )
  }
${anObject(matrix)}
On Cloudflare, D1 is a network away from the Worker, and an object has its database with it: [docs/scale.md](../docs/scale.md#what-the-limits-of-cloudflare-make-of-it).
`
}

/** The document with the section in the place of the one it has, or before the comparison with other servers. */
export const replaced = (document: string, written: string): string => {
  const at = document.indexOf(`${title}\n`)
  const begin = at === -1 ? document.indexOf("## Beside other servers\n") : at
  if (begin === -1) throw new Error("RESULTS.md has no place for the section")
  const next = at === -1 ? begin : document.indexOf("\n## ", begin) + 1
  return `${document.slice(0, begin)}${written}\n${document.slice(next)}`
}
