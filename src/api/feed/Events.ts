/** `/api/v1/events` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { EventPage, eventParameters, EventStreamOff, InvalidPlace, UnknownEventType } from "../../domain/feed/Event.ts"
import { Authorization } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { ScopeRequired } from "../InvalidRequest.ts"
import { scopeParameter } from "../Scoped.ts"

/**
 * The stream has no schema: a schema of Effect has neither `retry:` nor comments, and would make every page of the
 * typed client a union.
 */
const streaming = (operation: Record<string, any>) => ({
  ...operation,
  parameters: [...operation.parameters, {
    name: "Last-Event-ID",
    in: "header",
    schema: { type: "string", pattern: "^\\d{1,15}$" },
    required: false,
    description:
      "For a stream: the number of the last change that the client got. It counts instead of `after` and `since`. Browsers send it when they connect again."
  }],
  responses: {
    ...operation.responses,
    200: {
      ...operation.responses[200],
      content: {
        ...operation.responses[200].content,
        "text/event-stream": {
          schema: {
            type: "string",
            description:
              "Server-Sent Events. Each change is a message: `id` is its `seq`, and `data` is the same JSON as in a page."
          }
        }
      }
    }
  }
})

export class EventsApi extends HttpApiGroup.make("events")
  .add(
    conditional(
      HttpApiEndpoint.get("list", "/events", {
        query: { ...eventParameters, ...scopeParameter },
        success: EventPage,
        error: [UnknownEventType, InvalidPlace, EventStreamOff, ScopeRequired]
      }).annotateMerge(OpenApi.annotations({
        summary: "Read the feed",
        description:
          "A page of the changes of the scope's tasks after a number, in the order of commits, as they were recorded. To follow a scope, ask again with `after` set to `next`: at once while `next` is less than `latest`, and after a while otherwise. Then no change is skipped or repeated. A page with filters looks at 500 changes at most, so it may be short or empty while more follow. With `Accept: text/event-stream` the answer is a stream that goes on for some minutes, if the server is configured for that. Where `GET /api/health` says `\"push\":\"websocket\"`, the same request with `Upgrade: websocket` opens a WebSocket that gets the pages as soon as something happens. A browser sends its key there as the subprotocol `octopoid.key.<base64url of the key>`, beside `octopoid.events.v1`.",
        transform: streaming
      }))
    )
  )
  .prefix("/api/v1")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Events", description: "The feed of each scope." }))
{}
