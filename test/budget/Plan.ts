/** How SQLite carries statements out: what it searches by an index, and what it reads from end to end. */
import type { D1Database } from "@cloudflare/workers-types"
import { createHash } from "node:crypto"
import type { Execution } from "./Recorded.ts"

export interface Plan {
  /** The statement, in one line. */
  readonly text: string
  /** `EXPLAIN QUERY PLAN`, indented as it is nested. */
  readonly steps: ReadonlyArray<string>
}

/** The tables that grow with what was done. None may be read from end to end. */
export const growing = ["tasks", "history", "messages", "dependencies"]

const inOneLine = (text: string) => text.replace(/\s+/g, " ").trim()

const byText = (a: Plan, b: Plan) => a.text < b.text ? -1 : Number(a.text > b.text)

/** Asks D1 for the plans of the statements: of each that is different, once. */
export const explain = async (
  db: D1Database,
  executions: ReadonlyArray<Pick<Execution, "parameters" | "text">>
): Promise<ReadonlyArray<Plan>> => {
  const distinct = [...new Map(executions.map((one) => [inOneLine(one.text), one]))]
  if (distinct.length === 0) return []
  const results = await db.batch<{ readonly id: number; readonly parent: number; readonly detail: string }>(
    distinct.map(([, { parameters, text }]) => db.prepare(`EXPLAIN QUERY PLAN ${text}`).bind(...parameters))
  )
  return distinct.map(([text], i) => {
    const depths = new Map([[0, 0]])
    const steps = results[i]!.results.map(({ detail, id, parent }) => {
      const depth = depths.get(parent)!
      depths.set(id, depth + 1)
      return "  ".repeat(depth) + detail
    })
    return { text, steps }
  }).toSorted(byText)
}

/** What a name in a statement stands for: of tables that grow, and of anything else. One name may be several things. */
const meanings = (name: string, text: string) => {
  const aliased = text.match(new RegExp(`[\\w)]+"? AS "?${name}\\b`, "g"))?.map((found) => /^\w*/.exec(found)![0]) ?? []
  const all = [name, ...aliased]
  return { grows: all.some((one) => growing.includes(one)), other: aliased.some((one) => !growing.includes(one)) }
}

const indentOf = (step: string) => step.length - step.trimStart().length

/**
 * The steps that read a table that grows, or an index of it, from end to end. If a name stands for several things, it is taken
 * for the table. An exception is the recursive name of a common table expression: it stands for the rows found last.
 */
export const scansOf = ({ steps, text }: Plan): ReadonlyArray<string> =>
  steps.filter((step, i) => {
    // An automatic index is made by reading all of the table.
    const name = /^\s*(?:SCAN (?!\w+ VIRTUAL TABLE)|SEARCH (?=\w+ USING AUTOMATIC))(\w+)/.exec(step)?.[1]
    if (name === undefined) return false
    const { grows, other } = meanings(name, text)
    const parent = steps.slice(0, i).findLast((before) => indentOf(before) < indentOf(step))
    return grows && !(other && parent?.trim() === "RECURSIVE STEP")
  }).map((step) => step.trim())

const Shown = 150

/** The plans as a file: for each statement how it begins, a digest of all of it, and the steps. */
export const render = (plans: ReadonlyArray<Plan>): string =>
  plans.map(({ steps, text }) => {
    const digest = createHash("sha256").update(text).digest("hex").slice(0, 8)
    const shown = text.length > Shown ? `${text.slice(0, Shown)}…` : text
    return [`${digest} ${shown}`, ...steps.map((step) => `    ${step}`)].join("\n")
  }).join("\n\n") + "\n"
