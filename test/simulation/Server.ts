/**
 * The server: isolates that share only the database, as Workers do. Each is built from the real routes and services. An
 * isolate that ends is replaced by one that remembers nothing. On objects the isolates are those of `objects/Workers.ts`.
 */
import type { D1Database } from "@cloudflare/workers-types"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import * as Serve from "../../src/http/Serve.ts"
import { Fetch } from "../../src/services/feed/send.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { servicesWith } from "../support/layers.ts"
import * as Receiver from "./agents/Receiver.ts"
import * as Binding from "./Binding.ts"
import { type Exchange, exchange } from "./Exchange.ts"
import * as Connections from "./objects/Connections.ts"
import { makeProcess, type Process } from "./Timeline.ts"
import type { World } from "./World.ts"

export interface Reply {
  readonly status: number
  readonly headers: Record<string, string>
  readonly text: string
  /** The socket that was opened. */
  readonly connection?: Connections.Connection | undefined
}

export interface Isolate {
  readonly process: Process
  readonly serve: (exchange: Exchange, answered: (reply: Reply) => void, refused: () => void) => void
  /** A turn of the cron, where there is one. */
  readonly tick?: (exchange: Exchange, done: (failed: boolean) => void) => void
  readonly end: () => void
}

export const wholeReply = async (response: Response): Promise<Reply> => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
  text: await response.text(),
  connection: Connections.opened(response)
})

/** An isolate of the Worker on D1. */
export const isolate = (
  world: World,
  name: string,
  db: D1Database,
  committed: () => void
): Isolate => {
  const process = makeProcess(name)
  const scheduler = new Scheduler.MixedScheduler("sync")
  const services = servicesWith(world.config, () => Binding.make(world, db, process, committed)).pipe(
    Layer.provideMerge(Layer.succeed(Scheduler.Scheduler, scheduler))
  )
  const runtime = ManagedRuntime.make(services)
  const routes = Serve.make(services, runtime.memoMap)
  const context = Context.make(Clock.Clock, world.timeline.clockOf(process)).pipe(
    Context.add(Random.Random, world.chance.random),
    Context.add(Fetch, Receiver.fetchFor(world, process)),
    Context.add(Scheduler.Scheduler, scheduler)
  )
  // Callers that wait for an answer of this isolate. They get an error when it ends.
  const waiting = new Set<() => void>()

  return {
    process,
    serve: (exchange, answered, refused) => {
      const { body, headers, method, url } = exchange.sent!
      world.current = exchange
      waiting.add(refused)
      void routes.handler(
        new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }),
        context as unknown as Context.Context<never>
      ).then(async (response) => {
        const reply = await wholeReply(response)
        if (process.dead) return
        waiting.delete(refused)
        answered(reply)
      })
    },
    tick: (exchange, done) => {
      world.current = exchange
      void runtime.runPromise(Effect.provide(Maintenance.use(({ tick }) => tick), context)).then(
        () => done(exchange.failedByPlatform),
        () => done(true)
      )
    },
    end: () => {
      process.dead = true
      for (const refused of waiting) refused()
    }
  }
}

export const make = (world: World, begin: (name: string) => Isolate) => {
  const { chance, journal, timeline } = world
  let built = 0
  const start = () => begin(`isolate ${++built}`)
  const isolates = [start(), start()]

  const some = () => chance.pick(isolates)

  return {
    /** Gives a request to one of the isolates. A stalled isolate serves it later. */
    serve: (exchange: Exchange, answered: (reply: Reply) => void, refused: () => void) => {
      const isolate = some()
      const wait = Math.max(0, isolate.process.asleepUntil - timeline.now())
      timeline.after(wait, `${exchange.name} reaches ${isolate.process.name}`, undefined, () => {
        if (isolate.process.dead) refused()
        else isolate.serve(exchange, answered, refused)
      })
    },
    stall: (millis: number) => {
      const { process } = some()
      journal.fault("isolate stalled")
      process.asleepUntil = Math.max(process.asleepUntil, timeline.now() + millis)
    },
    restart: () => {
      const at = chance.between(0, isolates.length - 1)
      journal.fault("isolate restarted")
      isolates[at]!.end()
      isolates[at] = start()
    },
    cron: (done: (failed: boolean) => void) => some().tick?.(exchange(`cron`, undefined, undefined), done)
  }
}

export type Server = ReturnType<typeof make>
