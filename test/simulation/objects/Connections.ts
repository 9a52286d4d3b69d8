/**
 * The WebSockets of objects. A connection belongs to its object and outlives the memory of the object. It ends when the
 * object is reset or its isolate ends, and by itself. Some connections break unnoticed: what is sent reaches nobody
 * until the ping of the client finds out, or the platform does after it has sent something.
 */
import type { WebSocket } from "@cloudflare/workers-types"
import type { Platform } from "../../../src/objects/push/Sockets.ts"
import type { Exchange } from "../Exchange.ts"
import type { Process } from "../Timeline.ts"
import type { World } from "../World.ts"

/** The end of a client, as `WebSocket` of a browser or of Node. */
export class ClientEnd extends EventTarget {
  readyState = 0
  connection: Connection | undefined
  send(text: string) {
    if (this.readyState !== 1) throw new TypeError("the socket is not open")
    this.connection!.say(text)
  }
  close() {
    if (this.readyState === 3) return
    this.readyState = 3
    this.connection?.left()
  }
  /** The connection has ended, or never opened. */
  lost(code = 1006) {
    if (this.readyState === 3) return
    this.readyState = 3
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason: "" }))
  }
}

export interface Connection {
  readonly name: string
  readonly object: string
  /** What the object has attached to it, as JSON. */
  attachment: string | undefined
  /** The request that opened it. */
  readonly exchange: Exchange
  /** The machine of its client. */
  readonly process: Process
  /** Whether the object still has it, and has not closed it. */
  readonly isOpen: () => boolean
  /** Whether what is sent reaches nobody. */
  readonly isBroken: () => boolean
  /** The answer to the request has reached its client. */
  readonly reach: (client: ClientEnd) => void
  /** The client says something. */
  readonly say: (text: string) => void
  /** The client closes it. */
  readonly left: () => void
}

/** A connection with what only the platform does. */
interface Line extends Connection {
  readonly send: (text: string) => void
  readonly close: (code: number) => void
  readonly breakOff: () => void
  /** Ends it. The client learns of it, unless the connection is broken. */
  readonly end: (code?: number) => void
  readonly isReached: () => boolean
  /** Whether the object has closed it. */
  readonly isClosing: () => boolean
  tags: ReadonlyArray<string>
  /** When its last ping was answered. */
  pingedAt: number | undefined
}

export interface Observer {
  /** The object sends this. */
  readonly sent: (connection: Connection, text: string) => void
  readonly waits: (connection: Connection) => boolean
}

const Minute = 60_000

/** `heard` gives a message to the object. */
export const make = (
  world: World,
  { sent, waits }: Observer,
  heard: (connection: Connection, text: string) => void
) => {
  const { chance, journal, timeline } = world
  /** The connections that each object has. */
  const accepted = new Map<string, Set<Line>>()
  const of = (object: string): Set<Line> => {
    const known = accepted.get(object) ?? new Set()
    accepted.set(object, known)
    return known
  }
  let opened = 0

  const connect = (object: string, exchange: Exchange): Line => {
    const process = exchange.sent!.from
    const name = `socket ${++opened} of ${process.name}`
    let client: ClientEnd | undefined
    let isBroken = false
    let isFound = false
    let isClosing = false
    // Messages do not overtake each other: when one arrives, it is the first of those under way.
    const toClient: Array<string> = []
    let due = 0
    const toObject: Array<string> = []

    const flush = () => {
      if (client === undefined) return
      for (; due > 0; due--) {
        const text = toClient.shift()!
        if (isBroken) journal.fault("message lost on a broken socket")
        else if (client.readyState === 1) client.dispatchEvent(Object.assign(new Event("message"), { data: text }))
      }
    }
    const toward = (text: string) => {
      toClient.push(text)
      timeline.after(world.delay(5, 120), `${name} gets ${text.slice(0, 60)}`, process, () => {
        due++
        flush()
      })
    }
    const line: Line = {
      name,
      object,
      exchange,
      process,
      attachment: undefined,
      tags: [],
      pingedAt: undefined,
      isClosing: () => isClosing,
      isOpen: () => of(object).has(line) && !isClosing,
      isBroken: () => isBroken || process.dead,
      isReached: () => client !== undefined,
      reach: (end) => {
        if (end.readyState !== 0 || !of(object).has(line)) {
          line.left()
          return end.lost()
        }
        client = end
        end.connection = line
        end.readyState = 1
        end.dispatchEvent(new Event("open"))
        flush()
      },
      say: (text) => {
        if (isBroken || !of(object).has(line)) return
        // The platform answers, and does not wake the object.
        if (text === "ping") {
          line.pingedAt = timeline.now()
          return toward("pong")
        }
        toObject.push(text)
        timeline.after(world.delay(5, 120), `${name} says ${text}`, undefined, () => {
          const next = toObject.shift()!
          if (!isBroken && of(object).has(line)) heard(line, next)
        })
      },
      left: () => {
        if (!isBroken) timeline.after(world.delay(5, 120), `${name} is closed`, undefined, () => line.end())
      },
      send: (text) => {
        if (isClosing || !of(object).has(line)) throw new TypeError("Can't call WebSocket send() after close().")
        journal.note(timeline.now(), `${object} sends to ${name}: ${text.slice(0, 60)}`)
        // Chance would seldom meet a call for which others wait too.
        if (waits(line) && chance.happens(world.weather.objects.brokenAsCalled)) {
          journal.fault("socket broken as it is called")
          isBroken = true
        }
        world.check(() => sent(line, text))
        toward(text)
        if (!line.isBroken() || isFound) return
        isFound = true
        timeline.after(chance.between(10, 120) * 1000, `nothing reaches ${name}`, undefined, () => line.end())
      },
      close: (code) => {
        if (isClosing) return
        isClosing = true
        journal.note(timeline.now(), `${object} closes ${name}: ${code}`)
        journal.saw(`a socket was closed: ${code}`)
        timeline.after(world.delay(5, 120), `${name} is closed`, undefined, () => line.end(code))
      },
      breakOff: () => {
        isBroken = true
      },
      end: (code) => {
        if (!of(object).delete(line) || isBroken) return
        timeline.after(world.delay(5, 120), `${name} ends`, process, () => client?.lost(code))
      }
    }
    // An answer that is lost on its way opens nothing.
    timeline.after(Minute, `${name} should be open`, undefined, () => {
      if (client === undefined) line.end()
    })
    return line
  }

  /** The sockets as an object in memory sees them. What it still does after its end has no effect. */
  const seenBy = (object: string, process: Process, current: () => Exchange | undefined) => {
    const handles = new Map<Connection, WebSocket>()
    const lines = new Map<WebSocket, Line>()
    const alive = () => {
      if (process.dead) throw new Error("The Durable Object was reset.")
    }
    const handle = (line: Connection): WebSocket => {
      const known = handles.get(line)
      if (known !== undefined) return known
      const own = line as Line
      const made = {
        get readyState() {
          return own.isClosing() ? 2 : 1
        },
        deserializeAttachment: () => own.attachment === undefined ? null : JSON.parse(own.attachment),
        serializeAttachment: (next: unknown) => {
          alive()
          own.attachment = JSON.stringify(next)
          if (own.attachment.length > 16_384) throw new Error("the attachment is too large")
        },
        send: (text: string) => {
          alive()
          own.send(text)
        },
        close: (code: number) => {
          alive()
          own.close(code)
        }
      } as unknown as WebSocket
      handles.set(line, made)
      lines.set(made, own)
      return made
    }
    const platform: Platform = {
      pair: () => {
        alive()
        const line = connect(object, current()!)
        return [line, handle(line)]
      },
      // Node has no answer with the status 101.
      upgraded: (connection, headers) => Object.assign(new Response(null, { headers }), { connection }),
      later: (millis, act) => void timeline.after(millis, `a timer of ${object}`, process, act)
    }
    return {
      platform,
      handle,
      state: {
        acceptWebSocket: (socket: WebSocket, tags: ReadonlyArray<string>) => {
          const line = lines.get(socket)!
          line.tags = tags
          of(object).add(line)
        },
        getWebSockets: (tag?: string) =>
          process.dead
            ? []
            : Array.from(of(object)).filter(({ tags }) => tag === undefined || tags.includes(tag)).map(handle),
        getWebSocketAutoResponseTimestamp: (socket: WebSocket) => {
          const { pingedAt } = lines.get(socket)!
          return pingedAt === undefined ? null : new Date(pingedAt)
        }
      }
    }
  }

  return {
    seenBy,
    /** Those that an object has. */
    of: (object: string): Iterable<Connection> => of(object),
    /** Ends all connections of the object. */
    cut: (object: string, why: string): void => {
      for (const line of of(object)) {
        journal.fault(why)
        line.end()
      }
    },
    /** One of the connections ends, or breaks unnoticed. */
    endSome: (): void => {
      const all = Array.from(accepted.values()).flatMap((lines) => Array.from(lines))
        .filter((line) => line.isReached() && !line.isBroken())
      if (all.length === 0) return
      // Chance would seldom meet one that waits.
      const waiting = all.filter(waits)
      const line = chance.pick(waiting.length > 0 && chance.happens(0.7) ? waiting : all)
      const half = chance.happens(0.6)
      const what = `${waits(line) ? "waiting " : ""}socket ${half ? "broken unnoticed" : "cut"}`
      journal.fault(what)
      journal.note(timeline.now(), `${what}: ${line.name}`)
      if (half) line.breakOff()
      else line.end()
    }
  }
}

export type Connections = ReturnType<typeof make>

/** The connection that this answer opened, if it opened one. */
export const opened = (response: Response): Connection | undefined =>
  (response as Response & { readonly connection?: Connection }).connection
