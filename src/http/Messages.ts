import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../api/Api.ts"
import { Messages } from "../services/Messages.ts"
import { ownScope, visibleScope } from "./Scope.ts"

const missing = "Missing required field: scope. All messages must belong to a scope."
const missingInList = "Missing required query parameter: scope. Cannot list messages across all scopes."

export const MessagesHandlers = HttpApiBuilder.group(
  Api,
  "messages",
  Effect.fn(function*(handlers) {
    const messages = yield* Messages
    return handlers.handleAll({
      list: (request) =>
        Effect.flatMap(ownScope(request, missingInList), (scope) => messages.list(scope, request.query)),
      listOfTask: (request) =>
        Effect.flatMap(
          ownScope(request, missingInList),
          (scope) => messages.list(scope, { ...request.query, task_id: request.params.id })
        ),
      send: (request) => Effect.flatMap(ownScope(request, missing), (scope) => messages.send(scope, request.payload)),
      get: (request) => Effect.flatMap(visibleScope(request), (scope) => messages.get(request.params.id, scope)),
      patch: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => messages.patch(request.params.id, request.payload, scope))
    })
  })
)
