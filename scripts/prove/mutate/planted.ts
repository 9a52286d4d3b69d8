/**
 * The part of a copy of the server that plants a fault in the SQL of a step: `src/sql/Statement.ts` and `src/sql/Batch.ts` of the
 * copy pass through here (`Steps.ts`). Nothing of the server itself knows about it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import type { Sendable, Step, Steps } from "../../../src/sql/Batch.ts"
import type { Bound, Statement, Values } from "../../../src/sql/Statement.ts"

/** The fault: in the statements of this step that contain `find`, once, it stands replaced. */
export interface Order {
  readonly step: string
  readonly find: string
  readonly replace: string
}

/** The statements that were sent, as they are written, by the names of their steps. */
export type Seen = Record<string, Array<string>>

/** A statement that knows its text, and itself with the fault. */
interface Known extends Bound {
  readonly source: string
  readonly faulty: () => Bound
}

/** A statement as it is written, on one line. */
export const oneLine = (source: string): string => source.replace(/\s+/g, " ").trim()

/** Makes statements as `sound` does, and each with the fault as well. */
export const statementWith =
  (sound: (source: string) => Statement, order: Order | undefined) => (source: string): Statement => {
    const text = oneLine(source)
    const whole = sound(source)
    const faulty = order !== undefined && text.includes(order.find)
      ? sound(text.replace(order.find, () => order.replace))
      : whole
    const bind = (values?: Values): Known =>
      Object.assign(whole(values), { source: text, faulty: () => faulty(values) })
    return Object.assign(bind, { text: whole.text })
  }

const listOf = (step: Step): ReadonlyArray<Sendable> =>
  step === undefined ? [] : Array.isArray(step) ? step : [step as Sendable]

const isKnown = (one: Sendable): one is Known => "source" in one

/** The steps. The step of the order sends its statements with the fault. All statements that are sent are added to `seen`. */
export const stepsWith = (steps: Steps, order: Order | undefined, seen: Seen): Steps =>
  Object.fromEntries(
    Object.entries(steps).map(([name, step]): [string, Step] => {
      const known = listOf(step)
      for (const one of known) {
        const texts = seen[name] ??= []
        if (isKnown(one) && !texts.includes(one.source)) texts.push(one.source)
      }
      return [name, name === order?.step ? known.map((one) => isKnown(one) ? one.faulty() : one) : step]
    })
  )

const root = new URL("../../../", import.meta.url)

/** The file in the copy that says which fault is planted. */
export const orderFile = "planted.json"

/** The file in the copy that the seen statements are written to, if it is there when the server starts. */
export const seenFile = "seen.json"

/** The fault of this copy. */
export const order = (): Order | undefined => {
  const file = new URL(orderFile, root)
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) as Order : undefined
}

/** Where the seen statements are noted: written to the file when the process ends. */
export const seen = (): Seen => {
  const file = new URL(seenFile, root)
  const all: Seen = {}
  if (existsSync(file)) process.once("exit", () => writeFileSync(file, JSON.stringify(all)))
  return all
}
