/** A line on standard error that shows how far long work is. Only a terminal gets it. */
import { amount } from "./Moment.ts"
import { cut, line } from "./Text.ts"

export interface Progress {
  /** Shows that `done` are done, of `total` if that is known. */
  readonly at: (done: number, total?: number) => void
  /** Removes the line. */
  readonly end: () => void
}

const Bar = 24
const EveryMillis = 100

export const silent: Progress = { at: () => {}, end: () => {} }

/** `what` says what is counted: `records exported`. */
export const make = (what: string): Progress => {
  const stream = process.stderr
  if (stream.isTTY !== true) return silent
  let last = 0
  return {
    at: (done, total) => {
      const now = performance.now()
      if (now - last < EveryMillis && done !== total) return
      last = now
      const part = total === undefined || total === 0 ? undefined : Math.min(1, done / total)
      const bar = part === undefined
        ? ""
        : `${"█".repeat(Math.round(part * Bar)).padEnd(Bar, "░")} ${String(Math.floor(part * 100)).padStart(3)} %  `
      const text = `${bar}${amount(done)}${total === undefined ? "" : ` of ${amount(total)}`} ${line(what)}`
      stream.write(`\r\u001B[K${cut(text, (stream.columns || 80) - 1)}`)
    },
    end: () => void stream.write("\r\u001B[K")
  }
}
