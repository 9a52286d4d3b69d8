/**
 * The Worker: serves requests, and every minute runs the duties of the cron.
 *
 * The layers are built once per isolate, at module scope, so that no request awaits a fiber of another. Nothing here
 * may hold I/O between requests; a D1 binding holds none. The configuration is read first: a value that cannot be read
 * stops the Worker, and its deployment fails.
 */
import type { ExecutionContext } from "@cloudflare/workers-types"
import * as D1Client from "@effect/sql-d1/D1Client"
import { env } from "cloudflare:workers"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import { AfterAnswer } from "./http/request/AfterAnswer.ts"
import * as Serve from "./http/Serve.ts"
import { Access } from "./services/access/Access.ts"
import { FailureLimit } from "./services/access/FailureLimit.ts"
import { Keys } from "./services/access/Keys.ts"
import { Dependencies } from "./services/dependency/Dependencies.ts"
import { Deliveries } from "./services/feed/Deliveries.ts"
import { Events } from "./services/feed/Events.ts"
import { Metrics } from "./services/feed/Metrics.ts"
import { Overviews } from "./services/feed/Overview.ts"
import { Webhooks } from "./services/feed/Webhooks.ts"
import { Flows } from "./services/flow/Flows.ts"
import { Leases } from "./services/lease/Leases.ts"
import { Parks } from "./services/lease/Parks.ts"
import * as LogLines from "./services/LogLines.ts"
import { Orchestrators } from "./services/machine/Orchestrators.ts"
import { Roles } from "./services/machine/Roles.ts"
import { Scheduler as SchedulerService } from "./services/machine/Scheduler.ts"
import { Maintenance } from "./services/Maintenance.ts"
import { Actions } from "./services/record/Actions.ts"
import { Drafts } from "./services/record/Drafts.ts"
import { Messages } from "./services/record/Messages.ts"
import { Projects } from "./services/record/Projects.ts"
import { UsageSums } from "./services/record/Usage.ts"
import { environment, KeyLifetimeLayer, Settings, SettingsConfig } from "./services/Settings.ts"
import { TaskQueue } from "./services/task/TaskQueue.ts"
import { Export } from "./services/transfer/Export.ts"
import { Import } from "./services/transfer/Import.ts"
import { Database } from "./sql/Database.ts"

const settings = Effect.runSync(
  Effect.catch(SettingsConfig.parse(environment({ ...env, LOCAL })), ({ message }) => Effect.die(new Error(message)))
)

const PlatformLayer = Layer.mergeAll(
  Database.layer.pipe(Layer.provide(D1Client.layer({ db: env.DB }))),
  Layer.succeed(Settings, settings),
  Logger.layer([LogLines.logger]),
  Layer.succeed(References.MinimumLogLevel, settings.logLevel),
  Layer.succeed(Scheduler.Scheduler, new Scheduler.MixedScheduler("sync"))
)
const ConfiguredLayer = KeyLifetimeLayer.pipe(Layer.provideMerge(PlatformLayer))

const FailureLimitLayer = env.FAILED_AUTH === undefined
  ? FailureLimit.layerMemory
  : FailureLimit.layerBinding(env.FAILED_AUTH)

const ServicesLayer = Layer.mergeAll(
  Access.layer.pipe(Layer.provide(FailureLimitLayer)),
  Keys.layer,
  TaskQueue.layer,
  Leases.layer,
  Dependencies.layer,
  Events.layer,
  Deliveries.layer,
  Webhooks.layer,
  Overviews.layer,
  Metrics.layer,
  Maintenance.layer,
  Orchestrators.layer,
  Parks.layer,
  Projects.layer,
  Drafts.layer,
  Messages.layer,
  Actions.layer,
  Flows.layer,
  Roles.layer,
  SchedulerService.layer,
  UsageSums.layer,
  Import.layer,
  Export.layer
).pipe(Layer.provideMerge(ConfiguredLayer))

const runtime = ManagedRuntime.make(ServicesLayer)
const web = Serve.make(ServicesLayer, runtime.memoMap)

export default {
  fetch: (request: Request, _: unknown, context: ExecutionContext) =>
    web.handler(request, Context.make(AfterAnswer, (work) => context.waitUntil(work)) as Context.Context<never>),
  scheduled: () => runtime.runPromise(Maintenance.use(({ tick }) => tick))
}
