/** The server on Durable Objects in process: the Worker before the objects, and every object on a database of its own. */
import { readdirSync, readFileSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { type Restored, sendAll } from "../../src/cli/transfer/pieces.ts"
import * as Control from "../../src/objects/Control.ts"
import * as Front from "../../src/objects/Front.ts"
import * as Home from "../../src/objects/Home.ts"
import type { Copy } from "../../src/objects/Machines.ts"
import type { Platform } from "../../src/objects/push/Sockets.ts"
import type { Kind } from "../../src/objects/Route.ts"
import * as Schema from "../../src/objects/Schema.ts"
import * as Server from "../../src/Server.ts"
import * as ObjectStorage from "../../src/sql/engine/ObjectStorage.ts"
import * as NodeStorage from "./NodeStorage.ts"
import * as Wires from "./Wires.ts" // The build sets it.
;(globalThis as any).LOCAL = false

type Home = ReturnType<typeof Home.make>

type Made = ReturnType<typeof NodeStorage.make> & {
  readonly stub: Front.ScopeStub
  readonly home: Home
  readonly wires: ReturnType<typeof Wires.make>
}

const directory = new URL("../../migrations/", import.meta.url)
export const migrations = readdirSync(directory).sort().map((name) =>
  [name, readFileSync(new URL(name, directory), "utf8")] as const
)

/** Declarations that the types of Node 24.0 lack. */
interface Copied {
  readonly serialize: () => Uint8Array
  readonly deserialize: (image: Uint8Array) => void
}

let image: Uint8Array | undefined

/** A database of an object that woke before. */
const prepared = (): DatabaseSync => {
  const raw = new DatabaseSync(":memory:")
  if (image === undefined) {
    const first = NodeStorage.make(new DatabaseSync(":memory:"))
    Schema.prepare(first.storage, migrations)
    image = (first.raw as unknown as Copied).serialize()
  }
  ;(raw as unknown as Copied).deserialize(image)
  return raw
}

/**
 * What befalls a transaction. `run` runs it, and with an error it fails at its end and is rolled back. `end` ends the object,
 * and the next request wakes it.
 */
export type Around = <A>(run: (failure?: Error) => A, end: () => void) => A

interface Surroundings {
  /** The server of the isolate. */
  readonly server?: ReturnType<typeof serverOf>
  readonly around?: Around
  /** The database of an object that is asked for the first time; one that woke before, unless given. */
  readonly first?: () => DatabaseSync
  /** How long a body may take, in seconds. */
  readonly bodySeconds?: number
  /** Runs an action of an object after so many milliseconds; by the time of the machine unless given. */
  readonly later?: Platform["later"]
}

export const serverOf = (config: Readonly<Record<string, string>>) =>
  Server.make(ObjectStorage.layer, { LOG_LEVEL: "None", ...config } as object)

export const make = (
  config: Readonly<Record<string, string>> = {},
  { around = (run) => run(), bodySeconds, first = prepared, later, server = serverOf(config) }: Surroundings = {}
) => {
  const told = NodeStorage.make().storage
  let known = Control.make(told)
  let release: Schema.Migrations = migrations
  const control = (): Control.ControlStub => ({
    note: async (notice) => known.note(notice),
    scopeOf: async (hash) => known.scopeOf(hash),
    knows: async (scope) => known.knows(scope),
    scopes: async (from, most) => known.scopes(from, most),
    filled: async (most) => known.filled(most),
    scopesOfMachine: async (id, most) => known.scopesOfMachine(id, most)
  })
  const objects = new Map<string, Made>()
  const wiresOf = (name: string) =>
    Wires.make({
      heard: (own, message) => named(name).home.heard(own, message),
      ended: (own) => named(name).home.ended(own),
      ...(later === undefined ? {} : { later })
    })
  const named = (name: string): Made => {
    const before = objects.get(name)
    if (before !== undefined) return before
    return wake(name, first())
  }
  const wake = (name: string, raw: DatabaseSync, wires = wiresOf(name)) => {
    const storage = NodeStorage.make(raw)
    let ended = false
    const end = () => {
      ended = true
      wake(name, raw, wires)
    }
    const transactionSync = <A>(run: () => A): A => {
      if (ended) throw new Error("The Durable Object was reset.")
      return around((failure) =>
        storage.storage.transactionSync(() => {
          const done = run()
          if (failure !== undefined) throw failure
          return done
        }), end)
    }
    const state = { ...storage.state, ...wires.state, id: { name }, storage: { ...storage.storage, transactionSync } }
    const { platform } = wires
    const home = Home.make(state as never, { server, control, migrations: release, platform })
    const stub: Front.ScopeStub = {
      fetch: async (request) => {
        await storage.unblocked()
        const response = await home.fetch(request)
        if (ended) throw new Error("The Durable Object was reset.")
        return response
      },
      find: async (kind: Kind, id: string) => home.find(kind, id),
      homeOfMachine: async (id: string) => home.machines.homeOf(id),
      lendMachine: async (id: string) => home.machines.lend(id),
      borrowMachine: async (copy: Copy) => home.machines.borrow(copy),
      giveBackMachine: async (id: string) => home.machines.giveBack(id)
    }
    const made = { ...storage, stub, home, wires }
    objects.set(name, made)
    return made
  }
  const front = Front.make({
    control,
    scope: (scope) => named(Home.nameOf(scope)).stub,
    nobody: () => named(Home.nobody).stub,
    secret: config["API_SECRET_KEY"],
    ...(bodySeconds === undefined ? {} : { bodySeconds })
  })
  const fetch =
    ((input: string | URL | Request, init?: RequestInit) =>
      front.fetch(new Request(input, init))) as typeof globalThis.fetch
  return {
    fetch,
    /** The database of the scope. */
    raw: (scope: string) => named(Home.nameOf(scope)).raw,
    /** When the object of the scope wakes by itself. */
    alarm: (scope: string) => named(Home.nameOf(scope)).alarm(),
    /** Lets the alarm of the scope ring. */
    ring: async (scope: string) => {
      const { home, unblocked } = named(Home.nameOf(scope))
      await unblocked()
      await home.duties()
    },
    /** Ends the object of the scope, as the runtime does when it is idle. Its sockets stay. */
    evict: (scope: string) => {
      const { raw, wires } = named(Home.nameOf(scope))
      wake(Home.nameOf(scope), raw, wires)
    },
    /** Opens a socket of the scope, or answers why not. */
    open: async (query: string, key?: string) => {
      const headers = { upgrade: "websocket", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
      const response = await fetch(`http://server/api/v1/events?${query}`, { headers })
      return Wires.opened(response) ?? response
    },
    /** The databases of all scopes that have one. */
    databases: () => known.scopes("", 1000).map((scope) => named(Home.nameOf(scope)).raw),
    scopes: () => known.scopes("", 1000),
    /** The control object. */
    known: () => known,
    /** Ends the process and starts it again: only what is in the databases is left. The new one has more migrations. */
    restart: (added: Schema.Migrations = []) => {
      known = Control.make(told)
      release = [...release, ...added]
      for (const [name, { raw }] of objects) wake(name, raw)
    },
    /** Sends a request, with a body as JSON. */
    ask: async (method: string, path: string, body?: object, key?: string) => {
      const response = await fetch(`http://server/api/v1/${path}`, {
        method,
        headers: {
          "content-type": "application/json",
          ...(key === undefined ? {} : { authorization: `Bearer ${key}` })
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      return { status: response.status, body: await response.json() as any }
    }
  }
}

/** Brings the lines of an export into the server. */
export const restore = (
  { fetch }: Pick<ReturnType<typeof make>, "fetch">,
  lines: ReadonlyArray<string>,
  key = "",
  signal?: AbortSignal
): Promise<ReadonlyArray<Restored>> =>
  sendAll({
    url: "http://server",
    key,
    fetch,
    ...(signal === undefined ? {} : { signal }),
    bytes: async function*() {
      yield Buffer.from(lines.map((line) => `${line}\n`).join(""))
    }
  })
