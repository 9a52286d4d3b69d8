/** Webhooks: the server sends each event of a scope's feed to an address, in order, until it is accepted. */
import * as Schema from "effect/Schema"
import {
  describe,
  ErrorText,
  FlagInput,
  JsonColumn,
  jsonColumn,
  listOf,
  maybe,
  text,
  Time,
  TimeColumn
} from "../Encoding.ts"
import { ProjectId, ScopeName } from "../Identifier.ts"
import { atMostAsJson, Label } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"
import { MaxUrl } from "./Address.ts"
import { eventTypes } from "./Event.ts"
import { MaxFilled, MaxTemplate, placeholders } from "./Template.ts"

/** How many webhooks a scope may have. */
export const MaxWebhooks = 20

/** How many attempts the log of a webhook has. */
export const MaxDeliveries = 100

/** How much of an answer the log keeps, in bytes. */
export const MaxResponse = 500

/** How long the server waits for the answer of a receiver, in seconds. */
export const PatienceSeconds = 10

/** After how many hours of failures a webhook is disabled. */
export const MaxFailingHours = 24

/** For how many hours the secret before the last rotation signs too. */
export const OverlapHours = 24

/**
 * How many secrets before the previous one sign too, each until its own end. So a rotation may be repeated if its
 * answer was lost: the secret that the receiver knows goes on signing.
 */
export const MaxOlderSecrets = 3

export const WebhookId = Schema.NonEmptyString.check(Schema.isMaxLength(200)).pipe(
  describe("The webhook's id: `whk_` and 16 hexadecimal digits."),
  Schema.brand("WebhookId")
)
export type WebhookId = typeof WebhookId.Type

const filters = {
  types: describe("The events that are sent; null means all."),
  project_id: describe("Only events of tasks that were in this project are sent; null means all.")
}

const fields = <T extends Schema.Top, F extends Schema.Top, L extends Schema.Top, J extends Schema.Top>(
  time: T,
  flag: F,
  list: L,
  json: J
) => ({
  id: WebhookId,
  scope: ScopeName,
  name: text("What it is for."),
  url: Schema.String.pipe(
    describe(
      "Where events are sent. The addresses of some receivers are secrets, so only keys of the rank `manage` see it."
    )
  ),
  types: Schema.NullOr(list).pipe(filters.types),
  project_id: Schema.NullOr(ProjectId).pipe(filters.project_id),
  template: Schema.NullOr(json).pipe(describe("The template of the body; null means the body of Standard Webhooks.")),
  position: Schema.Int.pipe(
    describe("The number of the last event in the feed of the scope that was accepted, or left out by a filter.")
  ),
  enabled: flag.pipe(describe("Whether events are sent.")),
  disabled_at: Schema.NullOr(time).pipe(describe("Since when no events are sent.")),
  disabled_reason: text("Why no events are sent."),
  attempts: Schema.Int.pipe(describe("How often the next event was sent and not accepted.")),
  failing_since: Schema.NullOr(time).pipe(describe("When the next event was first sent and not accepted.")),
  next_attempt_at: Schema.NullOr(time).pipe(describe("When the next event is sent again, at the earliest.")),
  delivered_at: Schema.NullOr(time).pipe(describe("When the last event was accepted.")),
  created_by: Schema.String.pipe(describe("Who registered it: the id of a key, `administrator` or `anonymous`.")),
  created_at: time
})

export const Webhook = Schema.Struct(fields(Time, Schema.Boolean, Schema.Array(Schema.String), Schema.Json))
  .annotate({ identifier: "Webhook" })
export type Webhook = typeof Webhook.Type

export const WebhookRow = Schema.Struct(
  fields(TimeColumn, Schema.BooleanFromBit, jsonColumn(Schema.Array(Schema.String)), JsonColumn)
)

const secret = describe(
  "The secret that signs, for the libraries of Standard Webhooks: `whsec_` and 32 bytes as base64. It is shown this once: keep it."
)

export const RegisteredWebhook = Schema.Struct({ ...Webhook.fields, secret: Schema.String.pipe(secret) }).annotate({
  identifier: "RegisteredWebhook"
})
export type RegisteredWebhook = typeof RegisteredWebhook.Type

export const PatchedWebhook = Schema.Struct({
  ...Webhook.fields,
  secret: Schema.optionalKey(Schema.String.pipe(secret))
}).annotate({ identifier: "PatchedWebhook" })
export type PatchedWebhook = typeof PatchedWebhook.Type

const url = Schema.NonEmptyString.check(Schema.isMaxLength(MaxUrl))

const template = Schema.Record(Schema.String, Schema.Json).check(atMostAsJson(MaxTemplate))
const aboutTemplate =
  `The body that is sent, as a JSON object. In its texts, \`{{title}}\` and so on become the values of the event, up to ${MaxFilled} characters of each: ${
    placeholders.map((name) => `\`${name}\``).join(", ")
  }.`

const input = {
  name: maybe(Schema.String.check(Schema.isMaxLength(200)), "What it is for."),
  types: maybe(
    listOf(Label),
    `Only these events: ${eventTypes.map((type) => `\`${type}\``).join(", ")}. Null or an empty list means all.`
  ),
  project_id: maybe(Schema.Union([ProjectId, Schema.Literal("")]), "Only events of tasks in this project."),
  template: maybe(template, aboutTemplate)
}

export const NewWebhook = Schema.Struct({
  url: url.pipe(describe("An address that begins with `https://`, of a public host.")),
  ...input
}).annotate({ identifier: "NewWebhook" })
export type NewWebhook = typeof NewWebhook.Type

export const WebhookPatch = Schema.Struct({
  url: maybe(url, "An address that begins with `https://`, of a public host."),
  ...input,
  enabled: maybe(
    FlagInput,
    "`true`: events are sent again, beginning after `position`. `false`: none are sent until it is enabled."
  ),
  rotate_secret: maybe(
    FlagInput,
    `\`true\`: the answer has a new secret. For ${OverlapHours} hours the old one signs too.`
  )
}).annotate({ identifier: "WebhookPatch" })
export type WebhookPatch = typeof WebhookPatch.Type

export const Redelivery = Schema.Struct({
  after: Schema.Union([
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999_999_999_999_999 })),
    Schema.Literal("latest")
  ]).pipe(
    describe(
      "The number of an event: those after it are sent, again if they were sent before. `latest` leaves out all that were not sent yet."
    )
  )
}).annotate({ identifier: "Redelivery" })
export type Redelivery = typeof Redelivery.Type

const deliveryFields = <T extends Schema.Top>(time: T) => ({
  seq: Schema.NullOr(Schema.Int).pipe(describe("The number of the event; null for a test.")),
  event: Schema.String.pipe(describe("What happened; `test` for a test.")),
  at: time.pipe(describe("When it was sent.")),
  attempt: Schema.Int.pipe(describe("How often it had been sent and not accepted before, plus one.")),
  status: Schema.NullOr(Schema.Int).pipe(describe("The HTTP status of the answer; null if there was none.")),
  error: text("Why it counts as not accepted; null if it was accepted."),
  response: text(`The beginning of the answer's body, up to ${MaxResponse} bytes.`),
  millis: Schema.Int.pipe(describe("How long the answer took, in milliseconds."))
})

export const Delivery = Schema.Struct(deliveryFields(Time)).annotate({ identifier: "Delivery" })
export type Delivery = typeof Delivery.Type
export const DeliveryRow = Schema.Struct(deliveryFields(TimeColumn))

export class WebhookNotFound extends TaggedError<WebhookNotFound>()(
  "WebhookNotFound",
  { error: ErrorText, webhook_id: Schema.String.pipe(describe("The id asked for.")) },
  { httpApiStatus: 404, description: "No webhook with this id is in reach: it does not exist, or is in another scope." }
) {
  static readonly of = (webhook_id: string) =>
    new WebhookNotFound({
      error: `Webhook not found: ${webhook_id}. List the scope's webhooks for their ids.`,
      webhook_id
    })
}

export class TooManyWebhooks extends TaggedError<TooManyWebhooks>()(
  "TooManyWebhooks",
  { error: ErrorText, limit: Schema.Int.pipe(describe("How many a scope may have.")) },
  { httpApiStatus: 409, description: "The scope has as many webhooks as it may have." }
) {
  static readonly of = (scope: string) =>
    new TooManyWebhooks({
      error:
        `Scope ${scope} has ${MaxWebhooks} webhooks, and may not have more. Delete one, or change one with a PATCH.`,
      limit: MaxWebhooks
    })
}

export class AddressRefused extends TaggedError<AddressRefused>()(
  "AddressRefused",
  { error: ErrorText },
  { httpApiStatus: 400, description: "The server sends nothing to this address." }
) {
  /** `why` follows "The address". The address itself may be a secret, so the answer does not repeat it. */
  static readonly because = (why: string) =>
    new AddressRefused({
      error:
        `url: the address ${why}. Give one that begins with https:// and names a public host. For a receiver in your own network, have the operator set WEBHOOK_ALLOW_PRIVATE=true.`
    })
}

export class InvalidTemplate extends TaggedError<InvalidTemplate>()(
  "InvalidTemplate",
  {
    error: ErrorText,
    names: Schema.Array(Schema.String).pipe(describe("The names in placeholders that no event has.")),
    known: Schema.Array(Schema.String).pipe(describe("The names that a placeholder may have."))
  },
  { httpApiStatus: 400, description: "The template names something that events do not have." }
) {
  static readonly of = (names: ReadonlyArray<string>) =>
    new InvalidTemplate({
      error: `template: events have no ${names.join(" or ")}. Known names: ${placeholders.join(", ")}.`,
      names,
      known: placeholders
    })
}
