/** `docs/schema.sql`: the schema of a migrated database, in the order of `words.ts` and with what that says. */
import type { DatabaseSync } from "node:sqlite"
import { head, tables, type TableWords, views } from "./words.ts"

interface Entry {
  readonly type: string
  readonly name: string
  readonly table: string
  readonly sql: string
}

const Width = 118

const entriesOf = (raw: DatabaseSync) =>
  raw.prepare(`SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY rowid`).all() as unknown as ReadonlyArray<Entry>

const comment = (text: string, indent = "") =>
  text.split("\n").map((line) => `${indent}-- ${line}`.trimEnd()).join("\n")

const withoutComments = (sql: string) =>
  sql.replace(/('[^']*')|\s*--[^\n]*/g, (_, text: string | undefined) => text ?? "")

/** What stands between the outermost parentheses, divided at its commas. */
const definitionsOf = (sql: string) => {
  const inner = sql.slice(sql.indexOf("(") + 1, sql.lastIndexOf(")"))
  const found: Array<string> = [""]
  let depth = 0
  for (const [token] of inner.matchAll(/'[^']*'|[^']/g)) {
    if (token === "(") depth++
    if (token === ")") depth--
    if (token === "," && depth === 0) found.push("")
    else found[found.length - 1] += token
  }
  return found.map((definition) => definition.trim())
}

/** Lines that are no longer than the file is wide. */
const wrapped = (definition: string) => {
  const lines: Array<string> = []
  for (
    const word of definition.replace(/\s+/g, " ").replaceAll("( ", "(").replaceAll(" )", ")").split(
      / (?=\+ |CHECK |AND )/
    )
  ) {
    const last = lines.at(-1)
    if (last !== undefined && `${last} ${word}`.length < Width - 4) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join("\n    ")
}

const inLines = (index: string) => {
  const text = index.replace(/\s+/g, " ")
  return text.length < Width ? text : text.replace(" WHERE ", "\n  WHERE ")
}

/** The column that a definition is of; undefined for a constraint of the table. */
const nameOf = (definition: string) => /^(?!CHECK\b|PRIMARY\b|UNIQUE\b|FOREIGN\b)\w+/.exec(definition)?.[0]

const table = ({ name, sql }: Entry, { about, columns = {} }: TableWords) => {
  const plain = withoutComments(sql)
  const definitions = definitionsOf(plain).map(wrapped)
  const names = definitions.map(nameOf)
  const unknown = Object.keys(columns).filter((column) => !names.includes(column))
  if (unknown.length > 0) throw new Error(`scripts/schema/words.ts: ${name} has no column ${unknown.join(", ")}`)
  const width = Math.max(...names.map((column) => column?.length ?? 0))
  const lines = definitions.map((definition, n) => {
    const column = names[n]
    const said = column === undefined ? undefined : columns[column]
    const end = n === definitions.length - 1 ? "" : ","
    const padded = column === undefined ? definition : column.padEnd(width) + definition.slice(column.length)
    return `${said === undefined ? "" : `${comment(said, "  ")}\n`}  ${padded}${end}`
  })
  return `${comment(about)}\nCREATE TABLE ${name} (\n${lines.join("\n")}\n)${plain.slice(plain.lastIndexOf(")") + 1)};`
}

/** The file. Throws if `words.ts` does not describe a table, column, view or index, or describes one that does not exist. */
export const render = (raw: DatabaseSync): string => {
  const entries = entriesOf(raw)
  const known = new Set([
    ...Object.keys(tables),
    ...Object.keys(views),
    ...Object.values(tables).flatMap(({ indexes = {} }) => Object.keys(indexes))
  ])
  const names = new Set(entries.map(({ name }) => name))
  const wrong = [...known].filter((name) => !names.has(name)).concat([...names].filter((name) => !known.has(name)))
  if (wrong.length > 0) throw new Error(`scripts/schema/words.ts and the migrations differ in ${wrong.join(", ")}`)
  const entryOf = (name: string) => entries.find((one) => one.name === name)!
  const sections = Object.entries(tables).map(([name, words]) =>
    [
      table(entryOf(name), words),
      ...Object.entries(words.indexes ?? {}).map(([index, said]) => `${comment(said)}\n${inLines(entryOf(index).sql)};`)
    ].join("\n\n")
  )
  const rules = Object.entries(views).map(([name, said]) => `${comment(said)}\n${entryOf(name).sql};`)
  return `${[comment(head), ...sections, comment("======== Views ========"), ...rules].join("\n\n")}\n`
}
