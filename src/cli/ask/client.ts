/** The typed client, for commands. Only `Server.ts` imports this module, and only when a command needs it. */
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import { parsing, RequestErrors } from "../../api/InvalidRequest.ts"
import type { Client } from "../../client.ts"
import { connection, type Method } from "../../client/call/connection.ts"
import type { Server } from "./Server.ts"

/** `fetch failed` says nothing. Its cause does. */
const causeOf = (error: unknown): string => {
  const { cause, message } = error as {
    readonly message?: string
    readonly cause?: { readonly code?: string; readonly message?: string }
  }
  const why = cause?.message || cause?.code
  return why === undefined || why === "" ? String(message) : `${String(message)}: ${why}`
}

const explaining: typeof globalThis.fetch = (input, init) =>
  globalThis.fetch(input, init).catch((error: unknown) => {
    throw error instanceof Error && error.name === "AbortError" ? error : new Error(causeOf(error), { cause: error })
  })

const system = async () => (await import("../../api/System.ts")).SystemApi

/** The endpoints about the server itself, which the client has beside the groups. */
const top = { health: system, info: system }

/** The module of each group of endpoints. A command loads those it asks. */
const groups = {
  tasks: async () => (await import("../../api/task/Tasks.ts")).TasksApi,
  events: async () => (await import("../../api/feed/Events.ts")).EventsApi,
  webhooks: async () => (await import("../../api/feed/Webhooks.ts")).WebhooksApi,
  overview: async () => (await import("../../api/feed/Overview.ts")).OverviewApi,
  metrics: async () => (await import("../../api/feed/Metrics.ts")).MetricsApi,
  orchestrators: async () => (await import("../../api/machine/Orchestrators.ts")).OrchestratorsApi,
  parks: async () => (await import("../../api/machine/Parks.ts")).ParksApi,
  projects: async () => (await import("../../api/record/Projects.ts")).ProjectsApi,
  drafts: async () => (await import("../../api/record/Drafts.ts")).DraftsApi,
  keys: async () => (await import("../../api/access/Keys.ts")).KeysApi,
  messages: async () => (await import("../../api/record/Messages.ts")).MessagesApi,
  actions: async () => (await import("../../api/record/Actions.ts")).ActionsApi,
  flows: async () => (await import("../../api/Flows.ts")).FlowsApi,
  roles: async () => (await import("../../api/machine/Roles.ts")).RolesApi,
  scheduler: async () => (await import("../../api/machine/Scheduler.ts")).SchedulerApi,
  usage: async () => (await import("../../api/record/Usage.ts")).UsageApi,
  breakers: async () => (await import("../../api/record/Breakers.ts")).BreakersApi,
  import: async () => (await import("../../api/transfer/Import.ts")).ImportApi,
  export: async () => (await import("../../api/transfer/Export.ts")).ExportApi
} satisfies Record<Exclude<keyof Client, keyof typeof top>, () => Promise<HttpApiGroup.Constraint>>

const mapped = <A, B>(record: Readonly<Record<string, A>>, f: (value: A, name: string) => B) =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]))

/**
 * A client of the server that builds only the endpoints a command calls: building all of them takes most of a start.
 */
export const open = ({ key, scope, url }: Server): Effect.Effect<Client> =>
  Effect.gen(function*() {
    const { method, transformClient, transformResponse } = connection({
      baseUrl: url,
      token: key,
      scope,
      retries: 2,
      timeout: "60 seconds"
    })
    const httpClient = transformClient(yield* HttpClient.HttpClient)
    const call = (load: () => Promise<HttpApiGroup.Constraint>, endpoint: string): Method => (request) =>
      Effect.gen(function*() {
        const of = yield* Effect.promise(load)
        const api = HttpApi.make("octopoid").add(of).middleware(RequestErrors).annotateMerge(parsing)
        const one = HttpApiClient.endpoint(api, {
          group: of.identifier as never,
          endpoint: endpoint as never,
          httpClient,
          transformResponse
        }) as Effect.Effect<Method>
        return yield* method(yield* one)(request)
      })
    return {
      ...mapped(top, (load, name) => call(load, name)),
      ...mapped(groups, (load) => new Proxy({}, { get: (_, name: string) => call(load, name) }))
    } as unknown as Client
  }).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.provideService(FetchHttpClient.Fetch, explaining)
  )
