import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import { Api } from "../../api/Api.ts"
import { EventStreamOff, InvalidPlace } from "../../domain/feed/Event.ts"
import { Events } from "../../services/feed/Events.ts"
import { Settings } from "../../services/Settings.ts"
import { CurrentCondition } from "../../sql/page/Conditional.ts"
import { ownScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"
import * as EventStream from "./EventStream.ts"

/** Whether the client asks for a stream: it names its type, and JSON not before. */
const wantsStream = (accept = "") =>
  accept.toLowerCase().split(",").map((range) => range.split(";")[0]!.trim())
    .find((type) => type === "text/event-stream" || type === "application/json") === "text/event-stream"

export const EventsHandlers = Routes.group(
  Api,
  "events",
  Effect.fn(function*(handlers) {
    const events = yield* Events
    const { eventStream } = yield* Settings
    return handlers.handleAll({
      list: Effect.fnUntraced(function*(request) {
        const scope = yield* ownScope(
          request,
          "Missing required query parameter: scope. Each scope has a feed of its own."
        )
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        if (!wantsStream(headers.accept)) return yield* events.page(scope, request.query)
        if (!eventStream) return yield* EventStreamOff.of()
        const { after, since, ...query } = request.query
        const last = headers["last-event-id"]
        if (last && !/^\d{1,15}$/.test(last)) return yield* InvalidPlace.unreadable(last)
        const place = last ? { after: Number(last) } : { after, since }
        const look = (place: object) =>
          Effect.provideService(events.page(scope, { ...query, ...place }), CurrentCondition, undefined)
        return yield* EventStream.answer(yield* look(place), (after) => look({ after }))
      })
    })
  })
)
