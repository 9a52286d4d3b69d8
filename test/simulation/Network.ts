/** Between the agents and the server: requests and answers take their time, get lost, and arrive twice. */
import * as OnTheWay from "../support/OnTheWay.ts"
import * as Exchange from "./Exchange.ts"
import * as Connections from "./objects/Connections.ts"
import type { Reply, Server } from "./Server.ts"
import type { Process } from "./Timeline.ts"
import type { World } from "./World.ts"

const textOf = (body: unknown): string | undefined =>
  body === undefined || body === null
    ? undefined
    : typeof body === "string"
    ? body
    : new TextDecoder().decode(body as Uint8Array)

const sentence = (sent: Exchange.Sent) =>
  `#${sent.number} ${sent.from.name}: ${sent.method} ${sent.url.pathname.replace("/api/v1", "")}`

/** How long until a moment that chance would seldom meet: the end of a lease, or the millisecond before or after it. */
const untilLeaseEnds = ({ chance, leaseEnds, timeline }: World): number | undefined => {
  const near = leaseEnds().map((end) => end - timeline.now()).filter((wait) => wait > 5 && wait < 60_000)
  return near.length === 0 ? undefined : chance.pick(near) + chance.between(-1, 1)
}

/** Marks an answer that is not the server's, for a script that would take it for one. */
export const replaced = "x-replaced"

/** `observe` gets every answer of the server, even one that gets lost on its way. */
export const make = (world: World, server: Server, observe: (exchange: Exchange.Exchange, reply: Reply) => void) => {
  const { chance, journal, timeline } = world
  let number = 0

  const send = (sent: Exchange.Sent, resolve: (response: Response) => void, reject: (error: unknown) => void) => {
    const { from } = sent
    const name = sentence(sent)
    const scope = world.scopes.get(sent.headers.authorization ?? "")
    let over = false
    /** Something comes back to the sender, if it still waits for it. */
    const back = (millis: number, what: string, act: () => void) =>
      timeline.after(millis, what, from, () => {
        if (over) return
        over = true
        journal.note(timeline.now(), what)
        act()
      })
    const drop = (what: string) => {
      journal.fault(what)
      // Some connections break at once, and some are silent for as long as anybody waits.
      back(chance.pick([10, 5000, 40_000]), `${name} fails: ${what}`, () => reject(new TypeError(what)))
    }
    const refused = () => drop("isolate gone")
    const replace = (reply: { readonly status: number; readonly text: string }) => {
      journal.fault("answer replaced")
      const what = chance.pick(OnTheWay.names)
      const response = OnTheWay.pages[what]!(reply)
      response.headers.set(replaced, "1")
      back(world.delay(5, 120), `${name} gets ${what}`, () => resolve(response))
    }
    const deliver = (copy: string) => {
      const exchange = Exchange.exchange(`${name}${copy}`, sent, scope)
      const answered = (reply: Reply) => {
        journal.note(timeline.now(), `${exchange.name} is answered ${reply.status} ${reply.text.slice(0, 90)}`)
        world.check(() => observe(exchange, reply))
        if (chance.happens(world.weather.answerLost)) return drop("answer lost")
        if (chance.happens(world.weather.answerReplaced)) return replace(reply)
        back(
          world.delay(5, 120),
          `${exchange.name} gets ${reply.status}`,
          () => resolve(new Response(reply.text, { status: reply.status, headers: reply.headers }))
        )
      }
      const aimed = chance.happens(world.weather.aimed) ? untilLeaseEnds(world) : undefined
      if (aimed !== undefined) journal.fault("arrives as a lease ends")
      timeline.after(aimed ?? world.delay(5, 120), `${exchange.name} arrives`, undefined, () => {
        exchange.arrived = journal.steps()
        server.serve(exchange, answered, refused)
      })
    }
    journal.note(timeline.now(), `${name} ${sent.body?.slice(0, 120) ?? ""}`)
    if (chance.happens(world.weather.requestLost)) return drop("request lost")
    // The server never sees it.
    if (chance.happens(world.weather.answerReplaced / 2)) return replace({ status: 200, text: "{}" })
    deliver("")
    if (chance.happens(world.weather.duplicated)) {
      journal.fault("request duplicated")
      deliver(" (again)")
    }
  }

  /** Opens a WebSocket. Nothing comes to the client before it is open. */
  const open = (sent: Exchange.Sent, end: Connections.ClientEnd) => {
    const { from } = sent
    const name = `${sentence(sent)} ${sent.url.search}`
    const fails = (what: string) => {
      journal.fault(what)
      timeline.after(chance.pick([10, 5000, 40_000]), `${name} fails: ${what}`, from, () => end.lost())
    }
    journal.note(timeline.now(), name)
    if (chance.happens(world.weather.requestLost)) return fails("request lost")
    const exchange = Exchange.exchange(name, sent, world.scopes.get(sent.headers.authorization ?? ""))
    const answered = (reply: Reply) => {
      world.check(() => observe(exchange, reply))
      if (chance.happens(world.weather.answerLost)) return fails("answer lost")
      timeline.after(world.delay(5, 120), `${name} gets its socket`, from, () => {
        if (reply.connection === undefined) end.lost()
        else reply.connection.reach(end)
      })
    }
    timeline.after(world.delay(5, 120), `${name} arrives`, undefined, () => {
      exchange.arrived = journal.steps()
      server.serve(exchange, answered, () => fails("isolate gone"))
    })
  }

  return {
    /** The `fetch` of a process. */
    fetchOf: (from: Process) =>
      ((input: string | URL, init: RequestInit = {}) =>
        new Promise<Response>((resolve, reject) => {
          const sent = {
            number: ++number,
            from,
            method: init.method ?? "GET",
            url: new URL(input),
            headers: { ...init.headers } as Record<string, string>,
            body: textOf(init.body)
          }
          init.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")))
          send(sent, resolve, reject)
        })) as typeof globalThis.fetch,
    /** The `WebSocket` of a process. */
    socketOf: (from: Process) => (url: string, headers: Record<string, string>): Connections.ClientEnd => {
      const end = new Connections.ClientEnd()
      open({
        number: ++number,
        from,
        method: "GET",
        url: new URL(url.replace(/^ws/, "http")),
        headers: { ...headers, upgrade: "websocket" },
        body: undefined
      }, end)
      return end
    }
  }
}

export type Network = ReturnType<typeof make>
