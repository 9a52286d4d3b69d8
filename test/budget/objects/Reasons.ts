/**
 * Why a request costs more on Durable Objects than on D1. What costs more and has no reason here is a finding: a statement
 * that D1 does not get, rows that the same statement does not read or write there, or a second request to an object.
 */
import type { Measured } from "../Measure.ts"
import type { Execution } from "./Objects.ts"
import type { MeasuredObjects } from "./Tally.ts"

interface Reason {
  readonly name: string
  /** The statements that are sent for this reason. */
  readonly statement: RegExp
  readonly because: string
}

export const reasons: ReadonlyArray<Reason> = [
  {
    name: "alarm",
    statement: /^\s*SELECT min\(due\) AS due FROM/,
    because: "each change looks when the object has to wake next; an alarm that is set is one written row"
  },
  {
    name: "duties",
    statement: /\b(_duties|_restoring)\b/,
    because:
      "an object notes when it did the duties of the cron last, and removes pieces of a restore that was given up"
  },
  {
    name: "directory",
    statement: /\b(_notices|_told|_empty|(INTO|FROM) (scopes|keys|machines|unlisted|empty))\b/,
    because: "the control object knows the scopes, the keys and the machines, and an object tells it before it answers"
  },
  {
    name: "records",
    statement: /^SELECT 1 WHERE EXISTS \(SELECT 1 FROM tasks WHERE scope = \?1\) OR/,
    because: "an object that was quiet for an hour tells the control object if it has no records"
  },
  {
    name: "machine of another scope",
    statement:
      /^(SELECT scope FROM orchestrators WHERE id = \? ORDER|SELECT \* FROM (orchestrators|roles) WHERE ((id|name) = \? AND )?scope = \?$|INSERT OR REPLACE INTO|DELETE FROM orchestrators WHERE id = \? AND scope <> \?$)/,
    because:
      "the first claim of a machine through an isolate makes sure that the object has the machine, and each claim that a copy is up to date"
  },
  {
    name: "search",
    statement: /AS age FROM/,
    because: "a request that names a record and no scope asks each scope whether it has the record"
  },
  {
    name: "schema",
    statement: /\b(_schema|_name|sqlite_schema|d1_migrations|pragma_table_info)\b|^--|^\s*CREATE (TABLE|TRIGGER)/,
    because: "an object that wakes looks whether its schema is current, and a new one applies the migrations"
  }
]

export const reasonOf = (text: string): Reason | undefined => reasons.find(({ statement }) => statement.test(text))

const byText = (executions: ReadonlyArray<Pick<Execution, "read" | "text" | "written">>) =>
  new Map(
    [...Map.groupBy(executions, ({ text }) => text)].map(([text, same]) => [text, {
      times: same.length,
      read: same.reduce((sum, { read }) => sum + read, 0),
      written: same.reduce((sum, { written }) => sum + written, 0)
    }])
  )

/** Each key and machine that comes or goes also writes what the control object has to be told (`objects/Schema.ts`). */
const isTold = (text: string) => /(INSERT INTO|DELETE FROM) (api_keys|orchestrators)\b/.test(text)

/** The statements of a request that need a reason and have none. */
const unexplained = (one: MeasuredObjects, known: ReadonlySet<string>) =>
  [...byText(one.executions).keys()]
    .filter((text) => !known.has(text) && reasonOf(text) === undefined)
    .map((text) => `${one.name}, ${one.where}: D1 does not get this statement:\n  ${text}`)

/** What the same statements cost more in an object than on D1. */
const dearer = (one: MeasuredObjects, onD1: Measured) => {
  const before = byText(onD1.executions)
  return [...byText(one.executions)].flatMap(([text, { read, times, written }]) => {
    const d1 = before.get(text)
    if (d1 === undefined) return []
    // The trigger that bounds the length of a row counts as a row read with each row that is written (`objects/Schema.ts`).
    const over = read > d1.read + written || written > d1.written + (isTold(text) ? times : 0)
    return over
      ? [
        `${one.name}, ${one.where}: ${read} rows read and ${written} written in an object, and ${d1.read} and ${d1.written} on D1:\n  ${text}`
      ]
      : []
  })
}

const textsOf = (measured: ReadonlyArray<Measured>) =>
  measured.flatMap(({ executions }) => executions.map(({ text }) => text))

/**
 * What costs more on objects than on D1 without a reason. A statement is known that D1 gets for any request to the same
 * endpoint, or after an answer. What only objects do is made of any statements that D1 gets.
 */
export const findings = (
  objects: ReadonlyArray<MeasuredObjects>,
  d1: ReadonlyArray<Measured>
): ReadonlyArray<string> => {
  const everywhere = new Set(textsOf(d1))
  const afterwards = textsOf(d1.filter(({ operation }) => operation === "after-request"))
  const byOperation = Map.groupBy(d1, ({ operation }) => operation)
  return objects.flatMap((one) => {
    const same = d1.find(({ depth, name }) => name === one.name && String(depth) === one.where)
    if (same === undefined) return unexplained(one, everywhere)
    const known = new Set([...textsOf(byOperation.get(same.operation)!), ...afterwards])
    return [...unexplained(one, known), ...dearer(one, same)]
  })
}
