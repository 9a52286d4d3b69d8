/** A machine: its clock, its way to the server, and the programs that run on it. A kill ends them all as they are. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as Socket from "effect/socket/Socket"
import * as client from "../../../src/client.ts"
import { type Network, replaced } from "../Network.ts"
import { makeProcess, type Process } from "../Timeline.ts"
import { Violation } from "../Violation.ts"
import type { World } from "../World.ts"

export interface Answer {
  readonly status: number
  readonly body: any
}

export interface Machine {
  readonly process: Process
  readonly scope: string
  readonly world: World
  /** Starts a program. That it fails is a fault of ours or of the server, and ends the run. */
  readonly fork: (program: Effect.Effect<unknown, unknown>) => void
  /** A typed client. */
  readonly api: client.Client
  /** A bare request, as a script would send it; undefined when no answer came. */
  readonly send: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>
  ) => Effect.Effect<Answer | undefined>
  readonly pause: (leastSeconds: number, mostSeconds: number) => Effect.Effect<void>
  /** When it sent its last request. */
  readonly sentAt: () => number
}

// A client takes tens of milliseconds to make, holds nothing, and finds the machine's way to the server in its context.
const clients = new Map<number, client.Client>()
const clientThatRetries = (retries: number): client.Client => {
  const known = clients.get(retries)
    ?? Effect.runSync(Effect.provide(client.make({ baseUrl: "http://server", retries }), FetchHttpClient.layer))
  clients.set(retries, known)
  return known
}

export const make = (
  world: World,
  { fetchOf, socketOf }: Network,
  { name, scope, token }: { readonly name: string; readonly scope: string; readonly token: string }
): Machine => {
  const { chance, timeline } = world
  const process = makeProcess(name, chance.between(-90_000, 90_000))
  const bare = fetchOf(process)
  const connect = socketOf(process)
  /** Its way to the server: everything it sends carries its key. */
  const authorization = `Bearer ${token}`
  let sent = timeline.now()
  const fetch: typeof globalThis.fetch = (input, init) => {
    sent = timeline.now()
    return bare(input, {
      ...init,
      headers: { ...init?.headers, authorization } as Record<string, string>
    })
  }
  const construct = (url: string) => connect(url, { authorization }) as unknown as Socket.WebSocketLike
  const context = Context.make(Clock.Clock, timeline.clockOf(process)).pipe(
    Context.add(Random.Random, chance.random),
    Context.add(Scheduler.Scheduler, new Scheduler.MixedScheduler("sync")),
    Context.add(FetchHttpClient.Fetch, fetch),
    Context.add(Socket.WebSocketConstructor, construct),
    Context.add(Logger.CurrentLoggers, new Set())
  )

  const fork = (program: Effect.Effect<unknown, unknown>) => {
    const fiber = Effect.runForkWith(context as unknown as Context.Context<never>)(program)
    fiber.addObserver((exit) => {
      if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
        world.check(() => {
          throw new Violation(`${name} failed: ${Cause.pretty(exit.cause)}`)
        })
      }
    })
  }

  const api = clientThatRetries(chance.pick([0, 1, 3]))

  const send: Machine["send"] = (method, path, body, headers = {}) =>
    Effect.promise(async () => {
      try {
        const response = await fetch(`http://server/api/v1${path}`, {
          method,
          headers: { "content-type": "application/json", ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
        if (response.headers.has(replaced)) return undefined
        const text = await response.text()
        return { status: response.status, body: text === "" ? undefined : JSON.parse(text) }
      } catch {
        return undefined
      }
    })

  const pause = (least: number, most: number) =>
    Effect.suspend(() => Effect.sleep(world.chance.between(least * 1000, most * 1000)))

  return { process, scope, world, fork, api, send, pause, sentAt: () => sent }
}

/** Whether nobody knows what became of the request. */
export const isUnknown = (error: { readonly _tag: string }): boolean =>
  ["NoUsableAnswer", "InternalError", "DatabaseUnavailable"].includes(error._tag)

/** A fresh idempotency key. */
export const keyOf = ({ world: { chance } }: Machine): string => `key-${chance.between(0, 2 ** 40).toString(36)}`

/** Asks under one key until the server settles it, a few times at most; undefined when it did not. */
export const settle = <A, E extends { readonly _tag: string }>(
  machine: Machine,
  call: Effect.Effect<A, E>,
  times = 4
): Effect.Effect<{ readonly done: A } | { readonly refused: E } | undefined> => {
  const once = Effect.match(call, { onSuccess: (done) => ({ done }), onFailure: (refused) => ({ refused }) })
  const key = keyOf(machine)
  return Effect.gen(function*() {
    for (let left = times; left > 0; left--) {
      const answer = yield* Effect.provideService(once, client.IdempotencyKey, key)
      if ("done" in answer || !isUnknown(answer.refused)) return answer
      yield* machine.pause(1, 40)
    }
    return undefined
  })
}
