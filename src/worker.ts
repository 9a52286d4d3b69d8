/**
 * The Worker: requests go to the routes; every minute expired leases are taken back and silent orchestrators noticed.
 *
 * The layers are built once per isolate, at module scope, so that no fiber belongs to one request and is awaited by
 * another. Nothing here may hold I/O between requests; a D1 binding does not. Configuration is read before anything is
 * served: a value that cannot be read stops the Worker, and a deployment of it is refused.
 */
import * as D1Client from "@effect/sql-d1/D1Client"
import { env } from "cloudflare:workers"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import * as Serve from "./http/Serve.ts"
import { Drafts } from "./services/Drafts.ts"
import { Leases } from "./services/Leases.ts"
import { Orchestrators } from "./services/Orchestrators.ts"
import { Projects } from "./services/Projects.ts"
import { Settings, SettingsConfig } from "./services/Settings.ts"
import { TaskQueue } from "./services/TaskQueue.ts"
import { Database } from "./sql/Database.ts"

const settings = Effect.runSync(SettingsConfig.parse(ConfigProvider.fromUnknown(env)))

const PlatformLayer = Layer.mergeAll(
  Database.layer.pipe(Layer.provide(D1Client.layer({ db: env.DB }))),
  Layer.succeed(Settings, settings),
  Logger.layer([Logger.consoleJson]),
  Layer.succeed(References.MinimumLogLevel, settings.logLevel),
  Layer.succeed(Scheduler.Scheduler, new Scheduler.MixedScheduler("sync"))
)

const ServicesLayer = Layer.mergeAll(
  TaskQueue.layer,
  Leases.layer,
  Orchestrators.layer,
  Projects.layer,
  Drafts.layer
).pipe(Layer.provideMerge(PlatformLayer))

const runtime = ManagedRuntime.make(ServicesLayer)
const web = Serve.make(ServicesLayer, runtime.memoMap)

// One failing duty must not keep the other from its work.
const duties = Effect.all([
  Effect.catchCause(Leases.use((leases) => leases.reap), (cause) => Effect.logError("reaping failed", cause)),
  Effect.catchCause(Orchestrators.use((all) => all.sweep), (cause) => Effect.logError("sweeping failed", cause))
])

export default {
  fetch: (request: Request) => web.handler(request),
  scheduled: () => runtime.runPromise(duties)
}
