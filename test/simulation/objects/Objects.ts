/**
 * The objects: each has a database of its own, is in memory at most once, loses its memory at any time, and wakes with the next
 * request or alarm. The Worker reaches it through the platform, which loses requests and answers.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { AsyncLocalStorage } from "node:async_hooks"
import { DatabaseSync } from "node:sqlite"
import * as Control from "../../../src/objects/Control.ts"
import type { ScopeStub } from "../../../src/objects/Front.ts"
import * as Home from "../../../src/objects/Home.ts"
import * as Server from "../../../src/Server.ts"
import { Fetch } from "../../../src/services/feed/send.ts"
import { Engine } from "../../../src/sql/engine/Engine.ts"
import * as ObjectStorage from "../../../src/sql/engine/ObjectStorage.ts"
import * as NodeStorage from "../../objects/NodeStorage.ts"
import { migrations } from "../../objects/Objects.ts"
import * as Receiver from "../agents/Receiver.ts"
import type { Sockets } from "../checks/Sockets.ts"
import { type Exchange, exchange as exchangeFor } from "../Exchange.ts"
import { makeProcess, type Process } from "../Timeline.ts"
import { Violation } from "../Violation.ts"
import type { Watch } from "../Watch.ts"
import type { World } from "../World.ts"
import * as Alarms from "./Alarms.ts"
import * as Connections from "./Connections.ts"
import type { Databases } from "./Databases.ts"

/** The exchange that promises work for. Effect has it in its context: a fiber may go on in a callback of another request. */
const running = new AsyncLocalStorage<Exchange | undefined>()

/** The work of an object on a request: what it does around each transaction. */
interface Work {
  readonly exchange: Exchange | undefined
  readonly object: Awake
}

const CurrentWork = Context.Reference<Work | undefined>("octopoid-server/test/CurrentWork", {
  defaultValue: () => undefined
})

/** An isolate in which objects are. Those of an isolate share its server. */
export interface Host {
  readonly process: Process
  readonly server: ReturnType<typeof Server.make>
}

interface Pending {
  readonly exchange: Exchange | undefined
  readonly lost: () => void
}

/** An object in memory. */
export interface Awake {
  readonly name: string
  readonly process: Process
  readonly host: Host
  readonly since: number
  /** When the latest of the requests that it has answered came to it. */
  asked: number
  /** What is under way in it. */
  readonly pending: Set<Pending>
  readonly home: ReturnType<typeof Home.make>
  readonly sockets: ReturnType<Connections.Connections["seenBy"]>
  /** Whether it has told its sockets of a change. */
  hasTold: boolean
  readonly unblocked: () => Promise<unknown>
}

const nothing = { toArray: () => [], one: () => ({ n: 0 }), rowsRead: 0, rowsWritten: 0 }

const gone = () => new Error("The Durable Object was reset.")

export const make = (
  world: World,
  { of }: Pick<Databases, "of">,
  watch: Pick<Watch, "committed" | "leases" | "swept">,
  sockets: Sockets
) => {
  const { chance, journal, timeline } = world
  const hosts: Array<Host> = []
  const inMemory = new Map<string, Awake>()
  const alarms = new Map<string, Alarms.Alarm>()
  /** The objects that have answered or changed something since they were looked at. */
  const touched = new Set<string>()
  const nobodys = new DatabaseSync(":memory:")
  const control = Control.make(NodeStorage.make().storage)

  const evict = (object: Awake) => {
    journal.note(timeline.now(), `${object.name} is evicted`)
    object.process.dead = true
    inMemory.delete(object.name)
    for (const { exchange, lost } of object.pending) {
      if (exchange !== undefined) exchange.failedByPlatform = true
      lost()
    }
    object.pending.clear()
  }

  const connections = Connections.make(
    world,
    {
      sent: (connection, text) => sockets.sent(connection, text, inMemory.get(connection.object)),
      waits: sockets.waits
    },
    (connection, text) =>
      work(
        connection.object,
        async (object) => {
          sockets.heard(connection, text, object)
          object.home.heard(object.sockets.handle(connection), text)
        },
        () => {},
        () => {}
      )
  )

  /** Ends an object in a way that its sockets do not outlive. */
  const reset = (object: Awake, why: string) => {
    evict(object)
    connections.cut(object.name, why)
  }

  /** A transaction of a request, and what may come between it and its answer. */
  const transaction = <A>({ exchange, object }: Work, run: () => A, rollback: (run: () => A) => never): A => {
    if (exchange !== undefined) {
      exchange.sentAt = timeline.now()
      exchange.waitsSince ??= timeline.now()
    }
    if (chance.happens(world.weather.batchLost)) {
      journal.fault("transaction rolled back")
      if (exchange !== undefined) {
        exchange.failedByPlatform = true
        // The object takes a claim that failed for one that has looked.
        sockets.claimed(exchange, false)
      }
      try {
        return rollback(run)
      } finally {
        if (chance.happens(0.08)) {
          journal.fault("object reset after a failed transaction")
          reset(object, "socket cut by the reset of its object")
        }
      }
    }
    const done = run()
    world.current = exchange
    const before = exchange?.granted.length
    world.check(watch.committed)
    if (exchange !== undefined) sockets.claimed(exchange, exchange.granted.length > before!)
    touched.add(object.name)
    return done
  }

  const EngineLayer = Layer.effect(
    Engine,
    Effect.map(Engine, (engine) =>
      Engine.of({
        run: (statements) =>
          Effect.flatMap(Effect.all([ObjectStorage.CurrentStore, CurrentWork]), ([store, work]) =>
            store === undefined || work === undefined
              ? engine.run(statements)
              : Effect.provideService(engine.run(statements), ObjectStorage.CurrentStore, {
                ...store,
                storage: {
                  ...store.storage,
                  transactionSync: (batch: () => never) =>
                    transaction(work, () =>
                      store.storage.transactionSync(batch), () =>
                      store.storage.transactionSync(() => {
                        batch()
                        throw new Error(
                          "Durable Object storage operation exceeded timeout which caused object to be reset."
                        )
                      }))
                } as never,
                changed: () => {
                  const told = running.run(work.exchange, store.changed)
                  work.object.hasTold = true
                  if (!chance.happens(world.weather.batchAnswerLost)) {
                    return told
                  }
                  journal.fault("object evicted after its transaction")
                  told?.catch(() => {})
                  evict(work.object)
                  throw gone()
                }
              }))
      }))
  ).pipe(Layer.provide(ObjectStorage.layer))

  const scheduler = new Scheduler.MixedScheduler("sync")

  /** The server of the host, as it works in the object. */
  const serverIn = (object: () => Awake, host: Host): Home.Surroundings["server"] => {
    const surround = (context: Context.Context<never>) =>
      context.pipe(
        Context.add(Clock.Clock, timeline.clockOf(object().process)),
        Context.add(Random.Random, chance.random),
        Context.add(Fetch, Receiver.fetchFor(world, object().process)),
        Context.add(Scheduler.Scheduler, scheduler),
        Context.add(CurrentWork, { exchange: running.getStore(), object: object() })
      ) as unknown as Context.Context<never>
    return {
      settings: host.server.settings,
      // No request waits for the pages that sockets get.
      events: (scope, query, context) =>
        running.run(undefined, () => host.server.events(scope as never, query, surround(context))),
      handler: (request, goOn, context) => host.server.handler(request, goOn, surround(context)),
      tick: (goOn, context) => host.server.tick(goOn, surround(context))
    }
  }

  /** Something that a process asks of another part of the platform, with its ways there and back. */
  const hop = <A>(
    from: Process,
    what: string,
    lossRate: () => number,
    arrive: (answer: (value: A) => void, fail: (error: unknown) => void) => void
  ): Promise<A> => {
    const exchange = running.getStore()
    const name = `${exchange?.name ?? from.name}: ${what}`
    return new Promise<A>((resolve, reject) => {
      const back = (act: () => void) => timeline.after(world.delay(1, 4), `${name}, answered`, from, act)
      const isLost = (which: string) => {
        if (!chance.happens(lossRate())) return false
        journal.fault(which)
        if (exchange !== undefined) exchange.failedByPlatform = true
        back(() => reject(new Error("Network connection lost.")))
        return true
      }
      if (isLost("request to an object lost")) return
      timeline.after(world.delay(1, 4), name, undefined, () =>
        running.run(exchange, () =>
          arrive(
            (value) => {
              if (!isLost("answer of an object lost")) back(() => resolve(value))
            },
            (error) => back(() => reject(error))
          )))
    })
  }

  const controlFrom = (from: Process): Control.ControlStub => {
    const ask = <A>(what: string, answer: () => A) =>
      hop<A>(from, what, () => world.weather.objects.unreachable, (resolve) => resolve(answer()))
    return {
      note: (notice) => ask("note", () => control.note(notice)),
      scopeOf: (hash) => ask("the scope of a key", () => control.scopeOf(hash)),
      knows: (scope) => ask("is there this scope", () => control.knows(scope)),
      scopes: (start, most) => ask("scopes", () => control.scopes(start, most)),
      filled: (most) => ask("scopes with records", () => control.filled(most)),
      scopesOfMachine: (id, most) => ask("the scopes of a machine", () => control.scopesOfMachine(id, most))
    }
  }

  const alarmOf = (name: string): Alarms.Alarm => {
    const known = alarms.get(name)
    if (known !== undefined) return known
    const alarm = Alarms.make(world, name, {
      run: () => wake(name),
      evict: () => {
        const object = inMemory.get(name)
        if (object !== undefined) evict(object)
      }
    })
    alarms.set(name, alarm)
    return alarm
  }

  /** The object in memory. */
  const awake = (name: string): Awake => {
    const known = inMemory.get(name)
    if (known !== undefined) return known
    const host = chance.pick(hosts)
    // An object stalls with its isolate, and ends alone.
    const process: Process = {
      ...makeProcess(`object ${name}`),
      get asleepUntil() {
        return host.process.asleepUntil
      }
    }
    const raw = name === Home.nobody ? nobodys : of.get(name)
    if (raw === undefined) throw new Violation(`there is an object ${name}, which no request was for`)
    const { state, unblocked } = NodeStorage.make(raw, alarmOf(name))
    const { storage } = state
    const alive = () => {
      if (process.dead) throw gone()
    }
    const guarded = {
      ...storage,
      sql: {
        exec: (text: string, ...values: ReadonlyArray<any>) => {
          // The line of claims may still look, in a microtask, where nobody sees that it fails.
          if (process.dead && /^\s*SELECT/.test(text)) return nothing
          alive()
          return storage.sql.exec(text, ...values)
        }
      },
      setAlarm: async (time: number) => {
        alive()
        return storage.setAlarm(time)
      }
    }
    const seen = connections.seenBy(name, process, () => running.getStore())
    const home = Home.make({ ...state, ...seen.state, storage: guarded, id: { name } } as never, {
      server: serverIn(() => object, host),
      control: () => controlFrom(process),
      migrations,
      platform: seen.platform
    })
    const object: Awake = {
      name,
      process,
      host,
      since: timeline.now(),
      asked: 0,
      pending: new Set(),
      home,
      sockets: seen,
      hasTold: false,
      unblocked
    }
    inMemory.set(name, object)
    journal.saw("an object woke")
    return object
  }

  /** Has the object do something, when it does not stall, and answers unless it ends before. */
  const work = <A>(
    name: string,
    act: (object: Awake) => Promise<A>,
    answered: (value: A) => void,
    failed: (error: unknown) => void
  ): void => {
    const exchange = running.getStore()
    const stalled = (inMemory.get(name)?.process.asleepUntil ?? 0) - timeline.now()
    if (stalled > 0) {
      timeline.after(
        stalled,
        `${name} goes on`,
        undefined,
        () => running.run(exchange, () => work(name, act, answered, failed))
      )
      return
    }
    const object = awake(name)
    const pending = { exchange, lost: () => failed(gone()) }
    object.pending.add(pending)
    const settle = (settled: () => void) => {
      if (!object.pending.delete(pending)) return
      settled()
    }
    void object.unblocked().then(() => act(object)).then(
      (value) => settle(() => answered(value)),
      (error: unknown) => settle(() => failed(error))
    )
  }

  /** Has the object do the duties of its alarm. Answers `false` if it ended before it was through. */
  const wake = (name: string): Promise<boolean> => {
    const exchange = exchangeFor(`alarm of ${name}`, undefined, undefined)
    const began = timeline.now()
    const leases = watch.leases(name.slice("scope:".length))
    return running.run(exchange, () =>
      new Promise<boolean>((resolve) =>
        work(
          name,
          async (object) => {
            // As `alarm` of the object: an error is logged, and the next alarm is set whatever happened.
            await object.home.duties().catch(() => {
              exchange.failedByPlatform = true
            })
          },
          () => {
            journal.saw(exchange.failedByPlatform ? "alarm failed" : "alarm")
            touched.add(name)
            if (!exchange.failedByPlatform) {
              world.check(() => watch.swept(began, leases))
              sockets.dutiesDone(name)
            }
            resolve(true)
          },
          () => resolve(false)
        )
      ))
  }

  const stub = (name: string, from: Process): ScopeStub => {
    const ask = <A>(what: string, act: (object: Awake) => A | Promise<A>) =>
      hop<A>(
        from,
        `${what} of ${name}`,
        () => world.weather.objects.unreachable,
        (resolve, reject) => work(name, async (object) => act(object), resolve, reject)
      )
    const request = async (object: Awake, asked: Request) => {
      const arrived = timeline.now()
      const response = await object.home.fetch(asked)
      object.asked = Math.max(object.asked, arrived)
      touched.add(name)
      return response
    }
    return {
      fetch: (asked) => ask("request", (object) => request(object, asked)),
      find: (kind, id) => ask(`find ${kind} ${id}`, ({ home }) => home.find(kind, id)),
      homeOfMachine: (id) => ask(`home ${id}`, ({ home }) => home.machines.homeOf(id)),
      lendMachine: (id) => ask(`lend ${id}`, ({ home }) => home.machines.lend(id)),
      borrowMachine: (copy) => ask("borrow", ({ home }) => home.machines.borrow(copy)),
      giveBackMachine: (id) => ask(`give back ${id}`, ({ home }) => home.machines.giveBack(id))
    }
  }

  const waits = ({ pending }: Awake) =>
    Array.from(pending).some(({ exchange }) => exchange !== undefined && exchange.body?.wait_seconds > 0)

  return {
    controlFrom,
    stub,
    alarmOf,
    inMemory: (name: string) => inMemory.get(name),
    connections: connections.of,
    endSomeSocket: connections.endSome,
    /** The requests that objects work on. */
    underWay: (): ReadonlyArray<Exchange> =>
      Array.from(inMemory.values()).flatMap(({ pending }) =>
        Array.from(pending).flatMap(({ exchange }) => exchange ?? [])
      ),
    /** The names of those that have done something since this was asked last. */
    touched: (): ReadonlyArray<string> => {
      const names = Array.from(touched)
      touched.clear()
      return names
    },
    /** Runs the work of the Worker for an exchange. */
    during: <A>(exchange: Exchange, act: () => A): A => running.run(exchange, act),
    /** An isolate begins, in which objects may be. */
    begin: (process: Process): void => {
      hosts.push({ process, server: Server.make(EngineLayer, { LOG_LEVEL: "None", ...world.config } as object) })
    },
    /** An isolate ends, with the objects in it. */
    end: (process: Process): void => {
      hosts.splice(hosts.findIndex((host) => host.process === process), 1)
      for (const object of inMemory.values()) {
        if (object.host.process === process) reset(object, "socket cut by the end of an isolate")
      }
    },
    evictSome: (): void => {
      const all = Array.from(inMemory.values()).filter(({ name }) => name !== Home.nobody)
      // Chance would seldom meet a claim that waits.
      const waiting = all.filter(waits)
      const object = all.length === 0
        ? undefined
        : chance.pick(waiting.length > 0 && chance.happens(0.5) ? waiting : all)
      if (object === undefined) return
      journal.fault(waits(object) ? "object evicted while a claim waits" : "object evicted")
      evict(object)
    }
  }
}

export type Objects = ReturnType<typeof make>
