/**
 * The types of every request, answer and error as they are on the wire, from the same definition as the server. Only
 * types: they leave no code in the page.
 */
import type * as Schema from "effect/Schema"
import type { Api } from "../../api/Api.ts"

type Groups = typeof Api["groups"]
type Endpoint = { [G in keyof Groups]: Groups[G]["endpoints"][keyof Groups[G]["endpoints"]] }[keyof Groups]

type WithoutSlash<P extends string> = P extends `${infer Start}/` ? Start : P
type RouteOf<E> = E extends { readonly method: infer M extends string; readonly path: infer P extends string }
  ? `${M} ${WithoutSlash<P>}`
  : never
type EndpointOf<R extends Route> = Endpoint extends infer E ?
  E extends unknown ? RouteOf<E> extends R ? E : never : never
  : never

/** `METHOD /path` of an endpoint. */
export type Route = RouteOf<Endpoint>

/**
 * The type of the JSON that an endpoint sends or takes. `HttpApi` wraps each schema in a codec, whose encoded type says
 * only "any JSON". So this takes the encoded type of the schema inside.
 */
type Wire<C> = C extends Schema.toCodecJson<infer S> ? S["Encoded"]
  : C extends Schema.toCodecStringTree<infer S> ? S["Encoded"]
  : never

type PartOf<E, K extends string> = E extends { readonly [k in K]: infer C } ? Wire<C> : never

export type Answer<R extends Route> = PartOf<EndpointOf<R>, "~Success">
export type Body<R extends Route> = PartOf<EndpointOf<R>, "~Payload">
export type Query<R extends Route> = PartOf<EndpointOf<R>, "~Query">
export type Params<R extends Route> = PartOf<EndpointOf<R>, "~Params">
/** What an endpoint may refuse with. */
export type Refusal<R extends Route> = PartOf<EndpointOf<R>, "~Error">

type Given<K extends string, T> = [T] extends [never] ? unknown
  : Record<never, never> extends T ? { readonly [k in K]?: T }
  : { readonly [k in K]: T }

/** What a request of the endpoint has: the parameters of its path, its query and its body. */
export type Parts<R extends Route> = Given<"params", Params<R>> & Given<"query", Query<R>> & Given<"body", Body<R>>

/** The routes that read. */
export type Read = Extract<Route, `GET ${string}`>

export type Task = Answer<"GET /api/v1/tasks/:id">
export type Overview = Answer<"GET /api/v1/overview">
export type FeedEvent = Answer<"GET /api/v1/events">["events"][number]
/** An event about a task. Others are about the scope or a project, such as those of breakers. */
export type TaskEvent = FeedEvent & { readonly task_id: string }
export const isOfTask = (event: FeedEvent): event is TaskEvent => event.task_id !== null
export type Message = Answer<"GET /api/v1/messages/:id">
export type Machine = Answer<"GET /api/v1/orchestrators/:id">
export type Project = Answer<"GET /api/v1/projects/:id">
export type HistoryEntry = Answer<"GET /api/v1/tasks/:id/history">["history"][number]
export type Handoff = Answer<"GET /api/v1/tasks/:id/handoff">
export type Draft = Answer<"GET /api/v1/drafts/:id">
export type Flow = Answer<"GET /api/v1/flows/:name">
export type ApiKey = Answer<"GET /api/v1/keys">["keys"][number]
export type Webhook = Answer<"GET /api/v1/webhooks/:id">
export type UsageSum = Answer<"GET /api/v1/usage">["usage"][number]
