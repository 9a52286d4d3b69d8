/** Writing a record as SQL that any splitter of statements passes on, in statements that D1 takes. */
import { DumpUnreadable, type Line } from "../../../src/cli/transfer/Dump.ts"
import { hex, literal } from "../../../src/sql/transfer/Literal.ts"

/** The tables there are, and the key of each. */
export const keys: Readonly<Record<string, ReadonlyArray<string>>> = {
  flows: ["scope", "name"],
  roles: ["scope", "name"],
  projects: ["id"],
  tasks: ["id"],
  dependencies: ["blocker_key", "task_id", "blocker_id"],
  history: ["task_id", "version"],
  orchestrators: ["id", "scope"],
  drafts: ["id"],
  messages: ["id"],
  actions: ["id"],
  usage: ["scope", "day"],
  usage_caps: ["scope"],
  idempotency_keys: ["id"],
  api_keys: ["hash"]
}

// D1 takes statements of 100,000 bytes; in hexadecimal a byte takes two.
const MaxStatement = 90_000
const MaxChunk = 20_000

/** The text in pieces that fit a statement, none of which ends within a character. */
const pieces = (text: string): ReadonlyArray<string> => {
  const all: Array<string> = []
  let piece: Array<string> = []
  let bytes = 0
  for (const character of text) {
    const size = Buffer.byteLength(character)
    if (bytes + size > MaxChunk) {
      all.push(piece.join(""))
      piece = []
      bytes = 0
    }
    piece.push(character)
    bytes += size
  }
  return [...all, piece.join("")]
}

/** The statements that write the record: an insert, and then its longest texts piece by piece. */
export const insert = ({ kind, record }: Line): ReadonlyArray<string> => {
  const key = Object.hasOwn(keys, kind) ? keys[kind] : undefined
  if (key === undefined) throw new DumpUnreadable(`There is no table ${kind}.`)
  const columns = Object.keys(record)
  for (const column of columns) if (!/^[a-z_]+$/.test(column)) throw new DumpUnreadable(`${column} is no column.`)
  const where = key.map((column) => `${column} = ${literal(record[column])}`).join(" AND ")
  const rest: Array<string> = []
  let length = 0
  const values = columns.map((column) => {
    const value = record[column]
    const short = literal(value)
    if (length + short.length <= MaxStatement - 2 * MaxChunk - 2000 || typeof value !== "string") {
      length += short.length
      return short
    }
    const [first = "", ...others] = pieces(value)
    rest.push(...others.map((piece) => `UPDATE ${kind} SET ${column} = ${column} || ${hex(piece)} WHERE ${where};`))
    const begin = literal(first)
    if (length + begin.length <= MaxStatement) {
      length += begin.length
      return begin
    }
    rest.unshift(`UPDATE ${kind} SET ${column} = ${begin} WHERE ${where};`)
    return "''"
  })
  return [`INSERT INTO ${kind} (${columns.join(", ")}) VALUES (${values.join(", ")});`, ...rest]
}
