/**
 * Bodies of more than 64 KiB at the Worker before the objects, where they would fill the memory: how many are read at
 * once, how many of these one scope may send, and how long a body may take.
 */
import { joined } from "./Bounded.ts"

/** A body is a long one when more than this many bytes of it have been read. */
const LongBody = 64 * 1024

/** How many long bodies are read at once. */
export const MaxLongBodies = 64

/** How many of these the keys of one scope send, so that no scope keeps the others from sending theirs. */
export const MaxOfScope = 16

/** How long a body may take, in seconds. */
export const MaxBodySeconds = 60

/** The body, or why it was not read: too many long ones are read just now, or it took too long. */
type Read = Uint8Array<ArrayBuffer> | "busy" | "slow"

export const make = ({ seconds = MaxBodySeconds } = {}) => {
  let all = 0
  const ofScopes = new Map<string, number>()

  /** Counts a long body of the scope. `undefined` if that is one too many, and otherwise how to end the count. */
  const take = (scope: string | undefined): (() => void) | undefined => {
    const own = scope === undefined ? 0 : ofScopes.get(scope) ?? 0
    if (all >= MaxLongBodies || own >= MaxOfScope) return undefined
    all++
    if (scope !== undefined) ofScopes.set(scope, own + 1)
    return () => {
      all--
      if (scope === undefined) return
      const left = ofScopes.get(scope)! - 1
      if (left === 0) ofScopes.delete(scope)
      else ofScopes.set(scope, left)
    }
  }

  /**
   * Reads a body of the scope whose key the caller has, or of the administrator. Of a body that is longer than `most`
   * bytes it keeps the beginning, which is too long as well. The rest, and a body that is refused, is read and dropped:
   * a client that is still sending would not get the answer.
   */
  const read = async (
    body: ReadableStream<Uint8Array>,
    most: number,
    scope: string | undefined
  ): Promise<Read> => {
    const reader = body.getReader()
    let chunks: Array<Uint8Array> = []
    let length = 0
    let free: (() => void) | undefined
    let busy = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<"late">((done) => {
      timer = setTimeout(() => done("late"), seconds * 1000)
    })
    try {
      for (;;) {
        const next = await Promise.race([reader.read(), late])
        if (next === "late") {
          // The client may go on sending, and nobody waits for that.
          void reader.cancel().catch(() => {})
          return busy ? "busy" : "slow"
        }
        if (next.done) break
        if (busy || length > most) continue
        length += next.value.length
        if (length > LongBody && free === undefined) {
          free = take(scope)
          if (free === undefined) {
            busy = true
            chunks = []
            continue
          }
        }
        chunks.push(next.value)
      }
    } finally {
      clearTimeout(timer)
      free?.()
    }
    if (busy) return "busy"
    return joined(chunks, length)
  }

  return { read }
}
