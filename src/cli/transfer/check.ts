/**
 * Reads an export and checks what each line holds: a file of one scope has records of that scope, and none that belong
 * to the server or open it. An edited file could otherwise write into other scopes.
 */
import * as Schema from "effect/Schema"
import { ScopeName } from "../../domain/Identifier.ts"
import { millisOf } from "../../domain/Instant.ts"
import { exportKinds, wholeOnly } from "../../domain/transfer/Export.ts"
import { problemOf } from "../../domain/transfer/StoredRecord.ts"
import * as Dump from "./Dump.ts"
import { DumpUnreadable, type Header, type Line } from "./Dump.ts"

const isScope = Schema.is(ScopeName)
const kinds = new Set<string>([...exportKinds, "dependencies", "history"])
const whole = new Set<string>(wholeOnly)

const checkHeader = ({ at, scope }: Header): void => {
  if (scope !== null && !isScope(scope)) {
    throw new DumpUnreadable("Line 1 names no scope: `scope` is the name of one, or null for the whole server.")
  }
  if (typeof at !== "string" || millisOf(at) === undefined) {
    throw new DumpUnreadable(
      "Line 1 does not say when the export was made: `at` is an instant as 2026-01-31T12:00:00Z."
    )
  }
}

/** Checks the lines one by one, and at the end their references to each other. */
const make = ({ scope }: Header) => {
  const tasks = new Set<string>()
  // The first edge of each task that no line before it has.
  const edges = new Map<string, number>()
  // The last entry of each history, and its line.
  const histories = new Map<string, { readonly record: Line["record"]; readonly number: number }>()

  const line = (one: Line, number: number): void => {
    const { kind, record } = one
    const refuse = (problem: string) => new DumpUnreadable(`Line ${number} ${problem}`)
    if (!kinds.has(kind)) throw refuse(`is of a kind that no export has: ${kind}.`)
    if (scope !== null && whole.has(kind)) {
      throw refuse(
        `is of the kind ${kind}, which only an export of the whole server has; this is one of the scope ${scope}.`
      )
    }
    const named = kind === "idempotency_keys" ? one.scope : record.scope
    if (!(kind === "idempotency_keys" && named === undefined) && !isScope(named)) throw refuse("names no scope.")
    if (scope !== null && record.scope !== scope) {
      throw refuse(`is a record of the scope ${String(record.scope)}, and this is an export of the scope ${scope}.`)
    }
    const problem = problemOf(one)
    if (problem !== undefined) throw refuse(problem)
    if (kind === "tasks") tasks.add(String(record.id))
    if (kind === "dependencies" && !tasks.has(String(record.task_id))) edges.set(String(record.task_id), number)
    if (kind === "history") {
      const last = histories.get(String(record.task_id))
      if (last === undefined || Number(last.record.version) < Number(record.version)) {
        histories.set(String(record.task_id), { record, number })
      }
    }
  }

  const end = (): void => {
    if (scope === null) return
    for (const [task, number] of edges) {
      if (!tasks.has(task)) {
        throw new DumpUnreadable(`Line ${number} says what the task ${task} waits for, which is not in the file.`)
      }
    }
    // The history of a deleted task ends with its deletion.
    for (const [task, { number, record }] of histories) {
      if (!tasks.has(task) && record.to_queue !== null) {
        throw new DumpUnreadable(`Line ${number} is from the history of the task ${task}, which is not in the file.`)
      }
    }
  }

  return { line, end }
}

/** The same as `Dump.read`. Fails at the first line that does not belong into the file. */
export const read = async function*(lines: AsyncIterable<string>) {
  let checked: ReturnType<typeof make> | undefined
  for await (const part of Dump.read(lines)) {
    if (part.header !== undefined) {
      checkHeader(part.header)
      checked = make(part.header)
    }
    if (part.line !== undefined) checked!.line(part.line, part.number)
    if (part.counts !== undefined) checked!.end()
    yield part
  }
}
