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

/** How many different things sockets of a scope wait for. After each change the database is asked about each. */
export const MaxKinds = 100

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

export const make = <Socket extends object>({ before, call, later, lookAgain, readyTasks }: Options<Socket>) => {
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
      // The object has lost its timer, and perhaps a call.
      lookAgain()
    }
    return kinds
  }

  const leave = (socket: Socket): void => {
    for (const [kind, { sockets }] of all()) {
      if (sockets.delete(socket) && sockets.size === 0) kinds.delete(kind)
    }
  }

  // The sockets that were called and have not claimed a task, of each kind, and when that was. An object that was
  // evicted does not remember them: then one socket more than necessary may be called.
  const called = new Map<string, Map<Socket, number>>()
  let timed = false

  const coming = (kind: string, now: number): Map<Socket, number> => {
    const young = new Map([...called.get(kind) ?? []].filter(([, time]) => time > now - Patience))
    if (young.size === 0) called.delete(kind)
    else called.set(kind, young)
    return young
  }

  /** Calls others for the tasks that those who were called did not get. A laptop that sleeps does not answer. */
  const expire = () => {
    timed = false
    const now = Date.now()
    const late = [...called].map(([kind, times]) => times.size - coming(kind, now).size)
    if (late.some((n) => n > 0)) lookAgain()
    time()
  }
  const time = () => {
    const oldest = Math.min(...[...called.values()].flatMap((times) => [...times.values()]))
    if (timed || oldest === Infinity) return
    timed = true
    later(Math.max(oldest + Patience - Date.now(), 0), expire)
  }

  // How often tasks may have become ready, and at which of these times a socket was last called. A socket that is
  // called for a task and does not get it is not called for it again.
  let changes = 1
  const calledAt = new WeakMap<Socket, number>()
  const isNew = (socket: Socket): boolean => (calledAt.get(socket) ?? 0) < changes

  const lookAt = (kind: string, { sockets, wanted }: Kind<Socket>): void => {
    const now = Date.now()
    const awaited = coming(kind, now)
    const candidates = [...sockets].filter(isNew)
    if (candidates.length === 0) return
    let left = readyTasks(wanted, candidates.length + awaited.size) - awaited.size
    for (const socket of candidates) {
      if (left <= 0) break
      leave(socket)
      if (!call(socket)) continue
      calledAt.set(socket, changes)
      awaited.set(socket, now)
      called.set(kind, awaited)
      left--
    }
    time()
  }

  /** Calls as many sockets as there are tasks for which no claim is coming: those that have waited longest. */
  const look = (): void => {
    for (const [kind, those] of Array.from(all())) lookAt(kind, those)
  }

  /** Takes the socket out. It has ended, or waits for something else. If it was called, another may be called now. */
  const end = (socket: Socket): void => {
    leave(socket)
    for (const times of called.values()) if (times.delete(socket)) lookAgain()
  }

  /**
   * The socket waits from now on, in its place if it waited for the same before. Answers `false` if it is one kind too
   * many.
   */
  const wait = (socket: Socket, wanted: Wanted): boolean => {
    const kind = kindOf(wanted)
    const here = all().get(kind)
    if (here?.sockets.has(socket) === true) return true
    if (here === undefined && kinds.size >= MaxKinds) return false
    end(socket)
    join(socket, wanted)
    lookAt(kind, kinds.get(kind)!)
    return true
  }

  /** A claim that looked for this got a task. It may be that of a socket that was called. */
  const claimed = (wanted: Wanted): void => {
    const times = called.get(kindOf(wanted))
    const [oldest] = times?.keys() ?? []
    if (oldest === undefined) return
    times!.delete(oldest)
    // The task that the socket was called for may still be ready: its claim may have got another.
    lookAgain()
  }

  return {
    /** Tasks may have become ready. */
    changed: (): void => {
      changes++
    },
    claimed,
    end,
    look,
    wait
  }
}
