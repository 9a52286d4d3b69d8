/**
 * One run: machines with agents, two isolates of the real server, one database, and everything that can come between them,
 * in virtual time. A seed decides all of it, so that a run that fails can be seen again, event by event.
 */
import * as Effect from "effect/Effect"
import type { DatabaseSync } from "node:sqlite"
import { nameOf } from "../../src/objects/Home.ts"
import type { Engine } from "../support/Bundle.ts"
import * as Chance from "../support/Chance.ts"
import { migrated } from "../support/layers.ts"
import * as Custodian from "./agents/Custodian.ts"
import * as Hired from "./agents/Hired.ts"
import * as Keeper from "./agents/Keeper.ts"
import * as Listener from "./agents/Listener.ts"
import * as Machine from "./agents/Machine.ts"
import * as Reader from "./agents/Reader.ts"
import * as Receiver from "./agents/Receiver.ts"
import * as Alarms from "./checks/Alarms.ts"
import * as Line from "./checks/Line.ts"
import * as Sockets from "./checks/Sockets.ts"
import * as Crypto from "./Crypto.ts"
import * as Fleet from "./Fleet.ts"
import * as Journal from "./Journal.ts"
import * as Misfortunes from "./Misfortunes.ts"
import * as Network from "./Network.ts"
import * as Databases from "./objects/Databases.ts"
import * as Objects from "./objects/Objects.ts"
import * as Surroundings from "./objects/Surroundings.ts"
import * as Workers from "./objects/Workers.ts"
import * as Server from "./Server.ts"
import * as Timeline from "./Timeline.ts"
import { ensure } from "./Violation.ts"
import * as Watch from "./Watch.ts"
import * as Weather from "./Weather.ts"
import * as World from "./World.ts"

const Start = Date.UTC(2026, 0, 1)
const Minute = 60_000
const Secret = "the-secret-of-the-simulation"

/** Far more events than any run needs. A run that reaches this number is stuck in a loop. */
const MostSteps = 40_000

export interface Options {
  /** What the server runs on: D1, unless given. */
  readonly engine?: Engine
  /** Prints every event. */
  readonly trace?: boolean
  /** Has readers and webhooks follow the feeds, which makes another run of the same seed. */
  readonly readers?: boolean
  /** Has agents ask questions and park accounts, which makes another run of the same seed. */
  readonly asking?: boolean
  /** Has breakers, and agents that fail alike, which makes another run of the same seed. */
  readonly breaking?: boolean
  /** Does something behind the server's back after so many steps, to see that it is noticed. */
  readonly tamper?: { readonly step: number; readonly with: (world: World.World, objects?: Objects.Objects) => void }
}

export interface Run {
  readonly seed: number
  readonly engine: Engine
  readonly readers: boolean
  readonly asking: boolean
  readonly breaking: boolean
  readonly steps: number
  /** The same for every run of the seed. */
  readonly digest: string
  readonly faults: ReadonlyMap<string, number>
  /** How often each kind of thing was seen. */
  readonly coverage: ReadonlyMap<string, number>
  readonly violation: string | undefined
  /** The last events. */
  readonly recent: ReadonlyArray<string>
}

const configOf = (chance: Chance.Chance): Record<string, string> => ({
  API_SECRET_KEY: Secret,
  DEFAULT_LEASE_SECONDS: chance.pick(["60", "300"]),
  BACKOFF_SECONDS: chance.pick(["0", "0", "20"]),
  MAX_LEASE_LOSSES: chance.pick(["0", "0", "4"]),
  MAX_ATTEMPTS: chance.pick(["0", "0", "5"]),
  REQUIRE_FENCING_TOKEN: chance.pick(["false", "false", "false", "true"])
})

interface Storage {
  readonly raw: DatabaseSync
  readonly databases: ReadonlyArray<DatabaseSync>
  readonly serve: (world: World.World, watch: Watch.Watch) => {
    readonly server: Server.Server
    readonly objects?: Objects.Objects
    /** What is looked at after each event, besides what is on D1 too. */
    readonly looks: ReadonlyArray<() => void>
  }
  readonly close: () => void
}

const onD1 = (): Storage => {
  const { db, raw } = migrated()
  return {
    raw,
    databases: [raw],
    serve: (world, { committed }) => ({
      server: Server.make(world, (name) => Server.isolate(world, name, db, committed)),
      looks: []
    }),
    close: () => raw.close()
  }
}

const onObjects = (timeline: Timeline.Timeline): Storage => {
  const databases = Databases.make(Fleet.scopes.map(nameOf))
  const restore = Surroundings.replaced(timeline)
  return {
    raw: databases.whole,
    databases: Array.from(databases.of.values()),
    serve: (world, watch) => {
      const sockets = Sockets.make(world, watch.ledger, databases.of)
      const objects = Objects.make(world, databases, watch, sockets)
      return {
        server: Server.make(world, (name) => Workers.isolate(world, objects, name)),
        objects,
        looks: [
          Alarms.make(world, objects, databases.of).look,
          Line.make(world, objects, watch.ledger).look,
          () => sockets.look(objects)
        ]
      }
    },
    close: () => {
      restore()
      databases.close()
    }
  }
}

const play = async (
  seed: number,
  { asking = false, breaking = false, engine = "d1", readers = false, tamper, trace = false }: Options
): Promise<Run> => {
  const chance = Chance.make(seed)
  // Refusals are errors, and nobody reads their stack traces. To make them would take a third of the time.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const restore = Crypto.seeded(chance)
  const timeline = Timeline.make(Start)
  const journal = Journal.make(trace)
  const storage = engine === "d1" ? onD1() : onObjects(timeline)
  const world = World.make({
    seed,
    chance,
    timeline,
    journal,
    raw: storage.raw,
    databases: storage.databases,
    engine,
    config: configOf(chance),
    asking,
    breaking,
    weather: Weather.clear
  })
  try {
    const watch = Watch.make(world)
    const { looks, objects, server } = storage.serve(world, watch)
    const tokens: Record<string, string> = { administrator: Secret }
    const network = Network.make(world, server, watch.answered)
    const fleet = Fleet.make(world, network, tokens)
    const misfortunes = Misfortunes.make(world, server, fleet, watch, objects)

    /** Lets time pass until then, or until it is enough, or something does not hold. */
    const pass = async (until: number, enough: () => boolean = () => false) => {
      while (world.violation === undefined && !enough()) {
        const event = await timeline.step(until)
        if (event === undefined) return
        journal.step()
        if (journal.steps() === tamper?.step) tamper.with(world, objects)
        world.current = undefined
        world.check(watch.look)
        for (const look of looks) world.check(look)
        world.check(() => ensure(journal.steps() < MostSteps, () => "it goes round in circles"))
      }
    }

    const issueKeys = Effect.forEach(
      Fleet.scopes,
      (scope) =>
        Effect.map(operator.send("POST", `/scopes/${scope}/keys`, {}), (answer) => {
          tokens[scope] = answer!.body.api_key
          world.scopes.set(`Bearer ${tokens[scope]}`, scope)
        })
    )
    const registerWebhooks = Effect.forEach(
      Fleet.scopes,
      (scope) => operator.send("POST", "/webhooks", { scope, url: Receiver.urlOf(scope) })
    )

    const setBreakers = Effect.forEach(Fleet.scopes, (scope) => {
      const project_id = Keeper.projectOf(scope)
      return Effect.all([
        operator.send("POST", "/projects", { id: project_id, scope, title: "Half of the tasks", branch: "main" }),
        operator.send("PUT", "/breakers", { scope, ...Keeper.settings }),
        operator.send("PUT", "/breakers", { scope, project_id, ...Keeper.settings })
      ])
    })

    const operator = Machine.make(world, network, { name: "setup", scope: "administrator", token: Secret })
    let ready = false
    operator.fork(Effect.gen(function*() {
      yield* issueKeys
      if (readers) yield* registerWebhooks
      if (breaking) yield* setBreakers
      ready = true
    }))
    await pass(Start + Minute, () => ready)

    world.weather = Weather.of(chance, engine)
    misfortunes.begin()
    fleet.start(chance.between(3, 7) + (breaking ? 4 : 0), readers)
    // On objects more happens in a minute.
    await pass(timeline.now() + (engine === "d1" ? chance.between(12, 30) : chance.between(9, 20)) * Minute)

    world.weather = Weather.clear
    misfortunes.end()
    fleet.dismiss()
    world.check(() => Hired.checkResults(world))
    // Messages under way arrive, because nobody else would handle them.
    await pass(timeline.now() + 15 * Minute)
    let left: number = Fleet.scopes.length
    for (const scope of Fleet.scopes) {
      const machine = fleet.boot(`${scope} custodian`, scope)
      machine.fork(Effect.tap(Custodian.run(machine), () => Effect.sync(() => left--)))
    }
    await pass(timeline.now() + 36 * 60 * Minute, () => left === 0)
    world.check(() => ensure(left === 0, () => "a day later there is still something to do"))
    if (engine === "objects") {
      const listeners = Fleet.scopes.map((scope) => fleet.boot(Fleet.listenerOf(scope), scope))
      for (const machine of listeners) Listener.start(machine)
      await pass(timeline.now() + 10 * Minute, () => listeners.every(Listener.hasAll))
      for (const machine of listeners) {
        world.check(() => ensure(Listener.hasAll(machine), () => `${machine.process.name} did not get all changes`))
        machine.process.dead = true
      }
    }
    if (readers) {
      let reading: number = Fleet.scopes.length
      for (const scope of Fleet.scopes) {
        const machine = fleet.boot(Fleet.readerOf(scope), scope)
        machine.fork(Effect.tap(Reader.finish(machine), () => Effect.sync(() => reading--)))
      }
      await pass(timeline.now() + 60 * Minute, () => reading === 0)
      for (const scope of Fleet.scopes) world.check(() => Reader.check(world, Fleet.readerOf(scope), scope))
      await pass(timeline.now() + 6 * 60 * Minute, () => Receiver.isDone(world))
      for (const scope of Fleet.scopes) world.check(() => Receiver.check(world, scope))
    }
    world.check(watch.end)
  } finally {
    restore()
    Error.stackTraceLimit = stackTraceLimit
    storage.close()
  }
  const { violation } = world
  if (violation !== undefined && !World.isViolation(violation)) throw violation
  return {
    seed,
    engine,
    readers,
    asking,
    breaking,
    steps: journal.steps(),
    digest: journal.digest(),
    faults: journal.faults,
    coverage: journal.coverage,
    violation: violation?.message,
    recent: journal.recent()
  }
}

let last: Promise<unknown> = Promise.resolve()

/** Plays a seed, once all that was asked for before has been played: `crypto` is one for all of them. */
export const run = (seed: number, options: Options = {}): Promise<Run> => {
  const next = last.then(() => play(seed, options))
  last = next.catch(() => undefined)
  return next
}

/** The report of a run that broke a promise, and how to repeat it. */
export const report = ({ asking, breaking, engine, readers, recent, seed, steps, violation }: Run): string =>
  [
    `seed ${seed}, step ${steps}: ${violation}`,
    ...recent,
    `replay: npm run prove -- simulate ${engine === "d1" ? "" : `--engine ${engine} `}--seed ${seed}${
      readers ? " --readers" : ""
    }${asking ? " --asking" : ""}${breaking ? " --breaking" : ""} --trace`
  ].join("\n")
