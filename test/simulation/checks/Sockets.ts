/**
 * The sockets of objects.
 *
 * Each gets the feed as it is written: whenever an object has told its sockets of a change, each has all pages. A key
 * that has ended gets nothing. A socket is called once for each time that it said it waits.
 *
 * And it is called in time. Let a task be ready for what a socket waits for. The object looks when the task becomes
 * ready, when the socket begins to wait, and after its duties. It may count on claims of other sockets that it has
 * called, but on each for `Patience` only. So a call follows within `Patience` after the latest of these looks and the
 * latest call. There are two excuses. An isolate that stalls goes on later. An object that lost its memory has
 * forgotten its timer, until it has a reason to look.
 */
import { createHash } from "node:crypto"
import type { DatabaseSync } from "node:sqlite"
import { nameOf } from "../../../src/objects/Home.ts"
import { Patience } from "../../../src/objects/push/Waiting.ts"
import type { Exchange } from "../Exchange.ts"
import type { Ledger } from "../Ledger.ts"
import type { Connection } from "../objects/Connections.ts"
import type { Awake } from "../objects/Objects.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"
import { isReady } from "./Claims.ts"

/** What sockets of a scope wait for. */
interface Kind {
  readonly scope: string
  readonly queue: string
  readonly role: string | undefined
  ready: ReadonlySet<string>
  /** The ready tasks, and when the object looked for sockets to call for them. */
  readonly due: Map<string, number>
  /** Whether the object looks for every ready task in this step. */
  looks: boolean
  called: { readonly at: number; readonly broken: boolean } | undefined
}

/** What is known of a socket. */
interface Seen {
  /** What it waits for, since when, and in which memory of the object that was. */
  wait: { readonly kind: Kind; readonly since: number; readonly heardBy: Awake } | undefined
  wasCalled: boolean
  /** The place in the feed up to which it got pages; none if it wants no feed. */
  place: number | undefined
}

/** The objects as the check of each event sees them. */
interface Present {
  readonly connections: (name: string) => Iterable<Connection>
  readonly inMemory: (name: string) => Awake | undefined
}

export const make = (world: World, ledger: Ledger, databases: ReadonlyMap<string, DatabaseSync>) => {
  const { journal, timeline } = world
  const kinds = new Map<string, Kind>()
  const seen = new WeakMap<Connection, Seen>()
  const keys = new Map(
    Array.from(databases, ([name, raw]) =>
      [
        name,
        raw.prepare("SELECT 1 FROM api_keys WHERE hash = ? AND (expires_at IS NULL OR expires_at > ?)")
      ] as const)
  )
  const latest = new Map(
    Array.from(databases, ([name, raw]) => [name, raw.prepare("SELECT max(seq) AS seq FROM history")] as const)
  )

  const of = (connection: Connection): Seen => {
    const known = seen.get(connection) ?? { wait: undefined, wasCalled: false, place: undefined }
    seen.set(connection, known)
    return known
  }

  /** What a claim, or the message of a socket, looks for. */
  const kindOf = (scope: string, { queue = "incoming", role_filter }: any): Kind => {
    const role: string | undefined = [role_filter].flat()[0]
    const name = JSON.stringify([scope, queue, role])
    const known = kinds.get(name)
      ?? { scope, queue, role, ready: new Set(), due: new Map(), looks: false, called: undefined }
    kinds.set(name, known)
    return known
  }

  const called = (connection: Connection, object: Awake | undefined) => {
    const known = of(connection)
    ensure(known.wait !== undefined, () => `${connection.name} is called and does not wait`)
    const { heardBy, kind } = known.wait
    journal.saw("a socket was called")
    if (heardBy !== object) journal.saw("a socket was called by an object that had lost its memory")
    const { broken, at } = kind.called ?? { broken: false, at: 0 }
    if (broken && kind.due.size > 0 && timeline.now() - at >= Patience) {
      journal.saw("a socket was called instead of one whose claim did not come")
    }
    if (connection.isBroken()) journal.saw("a broken socket was called")
    kind.called = { at: timeline.now(), broken: connection.isBroken() }
    known.wait = undefined
    known.wasCalled = true
  }

  /** An object sends a message. */
  const sent = (connection: Connection, text: string, object: Awake | undefined) => {
    const { exchange, name } = connection
    const key = /^Bearer (oct_.*)$/.exec(exchange.sent!.headers["authorization"]!)?.[1]
    if (key !== undefined) {
      const hash = createHash("sha256").update(key).digest("hex")
      ensure(
        keys.get(connection.object)!.get(hash, timeline.now()) !== undefined,
        () => `${name} got a message, and its key has ended`
      )
    }
    const { next, type } = JSON.parse(text)
    if (type === "work") called(connection, object)
    else {
      ensure(type === "events", () => `${name} got ${text}`)
      of(connection).place = next
    }
  }

  /** An object got the message of a client. */
  const heard = (connection: Connection, text: string, object: Awake) => {
    const known = of(connection)
    const kind = kindOf(connection.exchange.scope!, JSON.parse(text))
    known.wait = { kind, since: known.wait?.since ?? timeline.now(), heardBy: object }
    // The claim that follows a call has seen what was ready.
    if (!known.wasCalled) kind.looks = true
  }

  /** A claim has looked. */
  const claimed = ({ asked, body, scope }: Exchange, gotTask: boolean) => {
    if (asked.verb !== "claim" || scope === undefined) return
    const kind = kindOf(scope, body)
    if (gotTask) kind.called = kind.called && { ...kind.called, broken: false }
  }

  const lookAt = (kind: Kind, object: Awake | undefined, connections: ReadonlyArray<Connection>) => {
    const { due, queue, role, scope } = kind
    const now = timeline.now()
    const ready = new Set<string>()
    const stopped = new Set<string>()
    for (const row of ledger.rows().values()) {
      if (!isReady(row, scope, queue, role)) continue
      ready.add(row.id)
      // Nobody is called for a task that a breaker stops. When its wait ends, the duties look.
      if (world.isStopped(row, now)) stopped.add(row.id)
    }
    if (object === undefined) due.clear()
    else {
      for (const id of ready) {
        if (!due.has(id) && !stopped.has(id) && (kind.looks || !kind.ready.has(id))) due.set(id, now)
      }
    }
    for (const id of due.keys()) if (!ready.has(id) || stopped.has(id)) due.delete(id)
    kind.ready = ready
    kind.looks = false
    if (object === undefined || due.size === 0) return
    for (const connection of connections) {
      const { wait } = of(connection)
      if (wait?.kind !== kind || !connection.isOpen()) continue
      const [id, since] = due.entries().next().value!
      const latest = Math.max(since, wait.since, kind.called?.at ?? 0, object.process.asleepUntil)
      ensure(
        now - latest <= Patience,
        () => `${connection.name} waits and was not called, and ${id} has been ready for ${now - since} ms`
      )
    }
  }

  return {
    sent,
    heard,
    claimed,
    waits: (connection: Connection) => of(connection).wait !== undefined,
    /** The object has done its duties. Then it looks for every ready task. */
    dutiesDone: (name: string) => {
      for (const kind of kinds.values()) if (nameOf(kind.scope) === name) kind.looks = true
    },
    /** After each event. */
    look: (objects: Present) => {
      for (const [name, statement] of latest) {
        const object = objects.inMemory(name)
        const connections = Array.from(objects.connections(name))
        for (const kind of kinds.values()) if (nameOf(kind.scope) === name) lookAt(kind, object, connections)
        if (object?.hasTold !== true) continue
        const reading = connections.filter((one) => one.isOpen() && of(one).place !== undefined)
        if (reading.length === 0) continue
        const seq = Number(statement.get()!["seq"])
        for (const connection of reading) {
          const { place } = of(connection)
          ensure(place === seq, () => `${connection.name} got the feed up to ${place}, and ${name} has told of ${seq}`)
        }
      }
    }
  }
}

export type Sockets = ReturnType<typeof make>
