/**
 * The routes of a group of endpoints. `HttpApiBuilder.group` builds the codecs of all endpoints when the Worker starts.
 * Here the first request to an endpoint builds its codecs, because an isolate serves few of the endpoints. From the
 * start to the first answer an isolate needs 113 ms of CPU instead of 119 (Node 24, the shortest of six); later
 * requests cost the same.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import type * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import type * as Etag from "effect/http/Etag"
import type * as HttpPlatform from "effect/http/HttpPlatform"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"

type Platform = Etag.Generator | FileSystem.FileSystem | HttpPlatform.HttpPlatform | Path.Path

type Handler = HttpApiEndpoint.Handler<HttpApiEndpoint.Constraint, unknown, unknown>
type Answer = Effect.Effect<HttpServerResponse.HttpServerResponse>

/** Used like `HttpApiBuilder.group`, with the same check by types: every endpoint of the group has a handler. */
export const group = <
  ApiId extends string,
  Groups extends HttpApiGroup.Constraint,
  const Identifier extends HttpApiGroup.Identifier<Groups>,
  Return
>(
  api: HttpApi.HttpApi<ApiId, Groups>,
  identifier: Identifier,
  build: (
    handlers: HttpApiBuilder.Handlers.FromGroup<HttpApiGroup.WithIdentifier<Groups, Identifier>>
  ) => HttpApiBuilder.Handlers.ValidateReturn<Return>
): Layer.Layer<
  never,
  HttpApiBuilder.Handlers.Error<Return>,
  HttpRouter.HttpRouter | Platform | Exclude<HttpApiBuilder.Handlers.Context<Return>, Scope.Scope>
> =>
  // The types above are those of `HttpApiBuilder.group`. The body is untyped, as it is there: TypeScript cannot tell
  // that a handler which is found by its name belongs to the endpoint of that name.
  HttpRouter.use(Effect.fnUntraced(function*(router) {
    const handlers: Record<string, Handler> = yield* (build as any)({ handleAll: (all: unknown) => all })
    const context = yield* Effect.context<any>()
    const endpoints = (api.groups[identifier] as HttpApiGroup.Top).endpoints
    yield* router.addAll(
      Object.entries(handlers).map(([name, handler]) => {
        const endpoint = endpoints[name]!
        let answer: Answer | undefined
        const make = () =>
          Effect.runSyncWith(context)(
            (HttpApiBuilder.endpoint as any)(api, identifier, name, handler) as Effect.Effect<Answer>
          )
        return HttpRouter.route(
          endpoint.method,
          endpoint.path as HttpRouter.PathInput,
          Effect.suspend(() => answer ??= make())
        )
      })
    )
  })) as any
