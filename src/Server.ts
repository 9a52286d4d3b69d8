/**
 * The server on an engine: composes every layer. The layers are built once per isolate, at module scope, so that no
 * request awaits a fiber of another. Nothing here may hold I/O between requests. The configuration is read first: a
 * value that cannot be read stops the Worker, and its deployment fails.
 */
import type { RateLimit } from "@cloudflare/workers-types"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as References from "effect/References"
import * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import { EventPage, eventParameters } from "./domain/feed/Event.ts"
import type { ScopeName } from "./domain/Identifier.ts"
import { AfterAnswer } from "./http/request/AfterAnswer.ts"
import * as Serve from "./http/Serve.ts"
import { Telemetry } from "./http/Telemetry.ts"
import { Access } from "./services/access/Access.ts"
import { FailureLimit } from "./services/access/FailureLimit.ts"
import { Keys } from "./services/access/Keys.ts"
import { Dependencies } from "./services/dependency/Dependencies.ts"
import { D1Costs } from "./services/feed/D1Costs.ts"
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
import { BreakerSwitches } from "./services/record/Breakers.ts"
import { Drafts } from "./services/record/Drafts.ts"
import { Messages } from "./services/record/Messages.ts"
import { Projects } from "./services/record/Projects.ts"
import { UsageSums } from "./services/record/Usage.ts"
import { environment, KeyLifetimeLayer, Settings, SettingsConfig } from "./services/Settings.ts"
import { TaskQueue } from "./services/task/TaskQueue.ts"
import { Export } from "./services/transfer/Export.ts"
import { Import } from "./services/transfer/Import.ts"
import { Database } from "./sql/Database.ts"
import type { Engine } from "./sql/engine/Engine.ts"

const decodeQuery = Schema.decodeUnknownEffect(Schema.Struct(eventParameters))
const encodePage = Schema.encodeSync(EventPage)

/** Keeps the isolate running until the work is done. */
type GoOn = (work: Promise<void>) => void

/** The server with the settings in `env`. */
export const make = (engine: Layer.Layer<Engine>, env: { readonly FAILED_AUTH?: RateLimit }) => {
  const settings = Effect.runSync(
    Effect.catch(SettingsConfig.parse(environment({ ...env, LOCAL })), ({ message }) => Effect.die(new Error(message)))
  )

  const PlatformLayer = Layer.mergeAll(
    Database.layer.pipe(Layer.provide(engine)),
    Layer.succeed(Settings, settings),
    Logger.layer([LogLines.logger]),
    Layer.succeed(References.MinimumLogLevel, settings.logLevel),
    Layer.succeed(Scheduler.Scheduler, new Scheduler.MixedScheduler("sync"))
  )
  const ConfiguredLayer = Layer.mergeAll(KeyLifetimeLayer, Telemetry.layer).pipe(Layer.provideMerge(PlatformLayer))

  const FailureLimitLayer = env.FAILED_AUTH === undefined
    ? FailureLimit.layerMemory
    : FailureLimit.layerBinding(env.FAILED_AUTH)

  const ServicesLayer = Layer.mergeAll(
    Access.layer.pipe(Layer.provide(FailureLimitLayer)),
    Keys.layer,
    TaskQueue.layer,
    Leases.layer,
    Parks.layer,
    Dependencies.layer,
    Events.layer,
    D1Costs.layer,
    Deliveries.layer,
    Webhooks.layer,
    Overviews.layer,
    Metrics.layer,
    Maintenance.layer,
    Orchestrators.layer,
    Projects.layer,
    Drafts.layer,
    Messages.layer,
    Actions.layer,
    Flows.layer,
    Roles.layer,
    SchedulerService.layer,
    UsageSums.layer,
    BreakerSwitches.layer,
    Import.layer,
    Export.layer
  ).pipe(Layer.provideMerge(ConfiguredLayer))

  const runtime = ManagedRuntime.make(ServicesLayer)
  const web = Serve.make(ServicesLayer, runtime.memoMap)
  const traces = settings.otlp.endpoint !== undefined
  const flush = () => runtime.runPromise(Telemetry.use(({ flush }) => flush))

  const answer = (request: Request, goOn: GoOn, context: Context.Context<never>): Promise<Response> =>
    web.handler(request, Context.add(context, AfterAnswer, goOn) as Context.Context<never>)

  /** Answers the request. Its spans are sent after the answer, and once more after the work that follows it. */
  const traced = async (request: Request, goOn: GoOn, context: Context.Context<never>): Promise<Response> => {
    const works: Array<Promise<void>> = []
    const response = await answer(request, (work) => void works.push(work), context)
    goOn(flush())
    if (works.length > 0) goOn(Promise.allSettled(works).then(flush))
    return response
  }

  return {
    settings,
    /** Answers a request. The context has what else belongs to this request. */
    handler: (request: Request, goOn: GoOn, context: Context.Context<never> = Context.empty()) =>
      (traces ? traced : answer)(request, goOn, context),
    /** A page of the feed, for a caller that may read it. */
    events: (scope: ScopeName, query: URLSearchParams, context: Context.Context<never>) =>
      runtime.runPromise(
        Effect.flatMap(decodeQuery(Object.fromEntries(query)), (asked) => Events.use(({ page }) => page(scope, asked)))
          .pipe(
            Effect.map(encodePage),
            Effect.provideContext(context)
          )
      ),
    /** Runs the duties of the cron. */
    tick: async (goOn: GoOn, context: Context.Context<never> = Context.empty()) => {
      try {
        return await runtime.runPromise(Effect.provideContext(Maintenance.use(({ tick }) => tick), context))
      } finally {
        if (traces) goOn(flush())
      }
    }
  }
}
