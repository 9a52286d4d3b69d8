/**
 * The sockets that wait for work. A socket says what a claim of its client would look for. When such a task is ready,
 * it is called: it gets one message, and its client claims. The client says again what it waits for when it wants more.
 */
import type * as Line from "../../services/lease/Line.ts"

export type Wanted = Omit<Line.Wanted, "same">

/** What a socket waits for, and since when. */
export interface Wait extends Wanted {
  readonly since: number
}

/** Equal for all that look for the same tasks. */
const kindOf = ({ queue, roles, types }: Wanted): string => JSON.stringify([queue, roles, types])

/** How long a called socket may take to claim a task, in milliseconds. Then another socket is called. */
export const Patience = 2_000

interface Options<Socket> {
  /** How many ready tasks match, `most` at most. */
  readonly readyTasks: (wanted: Wanted, most: number) => number
  /** The sockets that waited when the object was last in memory. */
  readonly before: () => ReadonlyArray<readonly [Socket, Wait]>
  /** Sends the socket its message. Answers `false` if the socket can get none. */
  readonly call: (socket: Socket) => boolean
  /** Has `look` called soon. */
  readonly lookAgain: () => void
  /** Runs the action after so many milliseconds. */
  readonly later: (millis: number, act: () => void) => void
}

/** The sockets that wait for the same tasks, in the order in which they began. */
interface Kind<Socket> {
  readonly wanted: Wanted
  readonly sockets: Set<Socket>
}

export const make = <Socket>({ before, call, later, lookAgain, readyTasks }: Options<Socket>) => {
  // To read the attachments of 400 sockets after each change took twice as long as the change.
  const kinds = new Map<string, Kind<Socket>>()
  let known = false

  const join = (socket: Socket, { queue, roles, types }: Wanted): void => {
    const kind = kindOf({ queue, roles, types })
    const { sockets } = kinds.get(kind) ?? { sockets: new Set() }
    sockets.add(socket)
    kinds.set(kind, { wanted: { queue, roles, types }, sockets })
  }

  const all = (): ReadonlyMap<string, Kind<Socket>> => {
    if (!known) {
      known = true
      for (const [socket, wait] of before().toSorted(([, a], [, b]) => a.since - b.since)) join(socket, wait)
    }
    return kinds
  }

  /** Takes the socket out. It was called, has ended, or waits for something else. */
  const leave = (socket: Socket): void => {
    for (const [kind, { sockets }] of all()) {
      if (sockets.delete(socket) && sockets.size === 0) kinds.delete(kind)
    }
  }

  /** The socket waits from now on, in its place if it waited for the same before. */
  const wait = (socket: Socket, wanted: Wanted): void => {
    if (all().get(kindOf(wanted))?.sockets.has(socket)) return
    leave(socket)
    join(socket, wanted)
  }

  // When sockets were called that have not claimed a task. An object that was evicted does not remember them: then one
  // socket more than necessary may be called.
  const called = new Map<string, Array<number>>()
  let timed = false

  const coming = (kind: string, now: number): Array<number> => {
    const young = (called.get(kind) ?? []).filter((time) => time > now - Patience)
    if (young.length === 0) called.delete(kind)
    else called.set(kind, young)
    return young
  }

  /** Calls others for the tasks that those who were called did not get. A laptop that sleeps does not answer. */
  const expire = () => {
    timed = false
    const now = Date.now()
    const late = [...called].map(([kind, times]) => times.length - coming(kind, now).length)
    if (late.some((n) => n > 0)) lookAgain()
    time()
  }
  const time = () => {
    const oldest = Math.min(...[...called.values()].map(([first = Infinity]) => first))
    if (timed || oldest === Infinity) return
    timed = true
    later(Math.max(oldest + Patience - Date.now(), 0), expire)
  }

  /** Calls as many sockets as there are tasks for which no claim is coming: those that have waited longest. */
  const look = (): void => {
    const now = Date.now()
    for (const [kind, { sockets, wanted }] of all()) {
      const awaited = coming(kind, now)
      let left = readyTasks(wanted, sockets.size + awaited.length) - awaited.length
      for (const socket of sockets) {
        if (left <= 0) break
        leave(socket)
        if (!call(socket)) continue
        awaited.push(now)
        called.set(kind, awaited)
        left--
      }
    }
    time()
  }

  /** A claim that looked for this got a task. It may be that of a socket that was called. */
  const claimed = (wanted: Wanted): void => {
    called.get(kindOf(wanted))?.shift()
  }

  return { claimed, leave, look, wait }
}
