/** The server in process, with a scope of its own, tasks in it, and a transport that can be made to fail. */
import * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Logger from "effect/Logger"
import * as Socket from "effect/socket/Socket"
import * as client from "../../src/client.ts"
import * as Line from "../../src/objects/Line.ts"
import type { Place } from "../../src/services/lease/Line.ts"
import type { Page } from "../support/OnTheWay.ts"
import * as server from "../support/server.ts"

export const machine = { cluster: "k", machine_id: "m" }
export const result = { commits_count: 1, turns_used: 2 }

type Fetch = typeof globalThis.fetch

/**
 * What becomes of a request: it is sent, or its answer is lost after the server acted, or the server is not reached. Something
 * on the way may give another answer, instead of the server or after it acted.
 */
export type Fault = (
  method: string,
  path: string,
  times: number
) => "none" | "lost" | "down" | { readonly instead: Page } | { readonly after: Page }

/** The log at `warning` and above. */
export const listening = () => {
  const said: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel === "Warn" || logLevel === "Error") said.push([message].flat().map(String).join(" "))
  })
  return { said, listen: Effect.provide(Logger.layer([logger])) }
}

let underWay = 0
let waiting = 0

/** Waits until every request is answered or waits for a task, which is a matter of the machine's time, and who made it has gone on. */
export const answered = Effect.promise(async () => {
  for (let idle = 0; idle < 3; idle = underWay <= waiting ? idle + 1 : 0) {
    await new Promise((done) => setTimeout(done, 1))
  }
})

const counted = (place: Place): Place => ({
  ...place,
  turn: (call) => {
    let waits = 1
    waiting++
    const end = () => {
      waiting -= waits
      waits = 0
    }
    const takeBack = place.turn((again) => {
      end()
      call(again)
    })
    return () => {
      end()
      takeBack()
    }
  }
})

/** A line as an object has it, for a server whose claims wait. A test says itself that something has changed. */
export const makeLine = () => {
  const line = Line.make(() => true)
  return {
    ...line,
    join: (...given: Parameters<typeof line.join>) => {
      const place = line.join(...given)
      return place === undefined ? undefined : counted(place)
    }
  }
}

export const faultless: Fault = () => "none"

export const make = Effect.fnUntraced(function*(
  config: Record<string, string> = {},
  line?: ReturnType<typeof makeLine>
) {
  const { fetch, send } = yield* server.make(config, undefined, undefined, line)
  const api = yield* client.make({ baseUrl: "http://server" }).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.provideService(FetchHttpClient.Fetch, fetch)
  )
  const calls: Array<string> = []
  let fault = faultless
  let aborts = true
  const travel = async (input: string | URL | Request, init?: RequestInit) => {
    const { pathname } = new URL(String(input))
    const call = `${init?.method} ${pathname}`
    calls.push(call)
    const what = fault(String(init?.method), pathname, calls.filter((other) => other === call).length)
    if (what === "down") throw new TypeError("connection refused")
    if (typeof what === "object" && "instead" in what) return what.instead({ status: 200, text: "{}" })
    const { signal, ...rest } = init ?? {}
    const response = await fetch(input as string, aborts ? init : rest)
    if (what === "lost" || (signal?.aborted ?? false)) throw new TypeError("connection reset")
    if (typeof what === "object") return what.after({ status: response.status, text: await response.text() })
    return response
  }
  const faulty = (async (input, init) => {
    underWay++
    try {
      return await travel(input, init)
    } finally {
      underWay--
    }
  }) as Fetch

  const task = (name: string) => Effect.map(send("GET", `/api/v1/tasks/${name}`), ({ body }) => body)
  return {
    send,
    calls,
    api,
    fail: (next: Fault) => {
      fault = next
    },
    /** From now on the server goes on with requests whose client is gone. */
    goOn: () => {
      aborts = false
    },
    create: (...names: ReadonlyArray<string>) =>
      Effect.forEach(names, (name) => send("POST", "/api/v1/tasks", { id: name, file_path: name, branch: "b" })),
    task,
    claim: (agent_name = "other") => send("POST", "/api/v1/tasks/claim", { orchestrator_id: "k-m", agent_name }),
    events: (name: string) =>
      Effect.map(
        send("GET", `/api/v1/tasks/${name}/history`),
        ({ body }) => (body.history as ReadonlyArray<{ readonly event: string }>).map(({ event }) => event)
      ),
    /** Waits until it holds, for two minutes at most. */
    until: <E, R>(what: string, holds: Effect.Effect<boolean, E, R>) =>
      Effect.gen(function*() {
        for (let left = 4800; !(yield* holds); left--) {
          if (left === 0) return yield* Effect.die(new Error(`It never came to this: ${what}`))
          yield* Effect.sleep("25 millis")
        }
      }),
    /** The worker's client, whose transport may fail. It has no WebSockets. */
    throughFaults: flow(
      Effect.provideService(FetchHttpClient.Fetch, faulty),
      Effect.provideService(Socket.WebSocketConstructor, () => {
        throw new TypeError("no WebSockets")
      })
    )
  }
})
