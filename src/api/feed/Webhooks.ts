/** `/api/v1/webhooks` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe } from "../../domain/Encoding.ts"
import { InvalidPlace, UnknownEventType } from "../../domain/feed/Event.ts"
import {
  AddressRefused,
  Delivery,
  InvalidTemplate,
  MaxDeliveries,
  MaxFailingHours,
  MaxWebhooks,
  NewWebhook,
  PatchedWebhook,
  Redelivery,
  RegisteredWebhook,
  TooManyWebhooks,
  Webhook,
  WebhookId,
  WebhookNotFound,
  WebhookPatch
} from "../../domain/feed/Webhook.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import { Authorization, NeededRank } from "../access/Authorization.ts"
import { Required, ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { id: WebhookId }

export class WebhooksApi extends HttpApiGroup.make("webhooks")
  .add(
    HttpApiEndpoint.get("list", "/webhooks", {
      query: scopeParameter,
      success: Schema.Struct({
        webhooks: Schema.Array(Webhook).pipe(
          describe(`The webhooks of the scope, the oldest first: ${MaxWebhooks} at most.`)
        )
      }),
      error: ScopeRequired
    }).annotate(NeededRank, "manage").annotateMerge(OpenApi.annotations({
      summary: "List webhooks",
      description: "The webhooks of the scope, without their secrets, and how far each has come in the feed."
    })),
    HttpApiEndpoint.post("register", "/webhooks", {
      query: scopeParameter,
      payload: scoped(NewWebhook),
      success: RegisteredWebhook.pipe(HttpApiSchema.status(201)),
      error: [AddressRefused, InvalidTemplate, UnknownEventType, TooManyWebhooks, ScopeRequired]
    }).annotate(Required, [{ fields: ["url"], error: "Missing required field: url" }])
      .annotateMerge(OpenApi.annotations({
        summary: "Register a webhook",
        description:
          `The server sends every later event of the scope that matches to the address, in order, one after the other, until it is accepted with a status of 2xx. An event that is not accepted is sent again, less and less often; after ${MaxFailingHours} hours the webhook is disabled. Each message is signed as Standard Webhooks says. The secret is shown this once.`
      })),
    HttpApiEndpoint.get("get", "/webhooks/:id", {
      params,
      query: scopeParameter,
      success: Webhook,
      error: WebhookNotFound
    }).annotate(NeededRank, "manage").annotateMerge(OpenApi.annotations({
      summary: "Read a webhook",
      description: "The webhook without its secret, and how far it has come in the feed."
    })),
    HttpApiEndpoint.patch("patch", "/webhooks/:id", {
      params,
      query: scopeParameter,
      payload: scoped(WebhookPatch),
      success: PatchedWebhook,
      error: [AddressRefused, InvalidTemplate, UnknownEventType, WebhookNotFound, NoFields]
    }).annotateMerge(OpenApi.annotations({
      summary: "Change, enable or disable a webhook",
      description:
        "Sets what the body has. A new address, and `enabled: true`, end the wait before the next attempt. `rotate_secret: true` makes a new secret, which the answer shows this once."
    })),
    HttpApiEndpoint.delete("remove", "/webhooks/:id", {
      params,
      query: scopeParameter,
      success: Schema.Struct({
        message: Schema.Literal("Webhook deleted").pipe(describe("That nothing is sent any more.")),
        id: WebhookId
      }),
      error: WebhookNotFound
    }).annotateMerge(OpenApi.annotations({
      summary: "Delete a webhook",
      description: "Deletes the webhook and its log. A message that is on its way may still arrive."
    })),
    HttpApiEndpoint.get("deliveries", "/webhooks/:id/deliveries", {
      params,
      query: scopeParameter,
      success: Schema.Struct({
        deliveries: Schema.Array(Delivery).pipe(
          describe(`The last attempts, the newest first: ${MaxDeliveries} at most.`)
        )
      }),
      error: WebhookNotFound
    }).annotate(NeededRank, "manage").annotateMerge(OpenApi.annotations({
      summary: "Read the log of a webhook",
      description: "The last attempts to send an event, with what the receiver answered."
    })),
    HttpApiEndpoint.post("test", "/webhooks/:id/test", {
      params,
      query: scopeParameter,
      payload: [Schema.Null, scoped(Schema.Struct({}))],
      success: Delivery,
      error: WebhookNotFound
    }).annotateMerge(OpenApi.annotations({
      summary: "Send a test",
      description:
        "Sends one message of the type `test` now, and answers what came of it: `error` is null if it was accepted. It is sent once, also if the webhook is disabled, and changes nothing but the log. The body may be empty."
    })),
    HttpApiEndpoint.post("redeliver", "/webhooks/:id/redeliver", {
      params,
      query: scopeParameter,
      payload: scoped(Redelivery),
      success: Webhook,
      error: [WebhookNotFound, InvalidPlace]
    }).annotate(Required, [{ fields: ["after"], error: "Missing required field: after" }])
      .annotateMerge(OpenApi.annotations({
        summary: "Send events again, or leave some out",
        description:
          "Moves the webhook to another place in the feed. The events after it are sent, within a minute or two. Messages about an event that was sent before have the same `webhook-id`. A disabled webhook stays disabled."
      }))
  )
  .prefix("/api/v1")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Webhooks", description: "Addresses to which the server sends events." }))
{}
