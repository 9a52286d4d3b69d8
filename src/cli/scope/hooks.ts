/** `octopoid-server hooks`: webhooks, and what became of their messages. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ProjectId, Webhook, WebhookId } from "../../client.ts"
import { refused, usage } from "../ask/Failure.ts"
import { connect } from "../ask/Server.ts"
import { described, examples, given, group, optional } from "../command.ts"
import { both, brief, instant } from "../show/Moment.ts"
import * as Screen from "../show/Screen.ts"
import { fields, table } from "../show/Table.ts"
import { json, line, type Style, styled } from "../show/Text.ts"

const hook = Argument.String("hook").pipe(
  Argument.withDescription("The id of the webhook: whk_ and 16 hexadecimal digits")
)
const idOf = (text: string) => text as WebhookId

const stateOf = ({ attempts, enabled }: Webhook): string => !enabled ? "disabled" : attempts > 0 ? "failing" : "sends"
const stateStyle = (hook: Webhook): Style => !hook.enabled ? "red" : hook.attempts > 0 ? "yellow" : "green"

const list = Command.make("list", {}, () =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.webhooks.list({ query: {} })
    const now = yield* Clock.currentTimeMillis
    yield* Screen.show(found, ({ webhooks }) =>
      webhooks.length === 0 ? "No webhooks." : table(webhooks, [
        { head: "hook", of: ({ id }) => id, whole: true },
        { head: "name", of: ({ name }) => name },
        { head: "state", of: stateOf, style: stateStyle },
        { head: "sent up to", of: ({ position }) => position, right: true },
        { head: "accepted", of: ({ delivered_at }) => brief(delivered_at, now) },
        { head: "address", of: ({ url }) => url, prose: true }
      ], Screen.width()))
  })).pipe(described("List the webhooks of a scope, without their secrets.", "the answer of GET /api/v1/webhooks."))

const inFull = (it: Webhook, now: number): string =>
  fields([
    ["hook", it.id, "bold"],
    ["name", it.name],
    ["state", stateOf(it), stateStyle(it)],
    ["because", it.disabled_reason],
    ["since", both(it.disabled_at ?? it.failing_since, now)],
    ["next attempt", both(it.next_attempt_at, now)],
    ["address", it.url],
    ["events", it.types?.join(", ") ?? "all"],
    ["project", it.project_id],
    ["template", it.template === null ? null : json(it.template)],
    ["sent up to", it.position],
    ["accepted", both(it.delivered_at, now)],
    ["created", `${both(it.created_at, now)}, by ${it.created_by}`]
  ], Screen.width())

const show = Command.make("show", { hook }, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.webhooks.get({ params: { id: idOf(flags.hook) }, query: {} })
    const now = yield* Clock.currentTimeMillis
    yield* Screen.show(found, (it) => inFull(it, now))
  })).pipe(described("Show a webhook.", "the webhook, as GET /api/v1/webhooks/:id answers it."))

const Template = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json))

const settings = {
  name: Flag.String("name").pipe(Flag.withDescription("What it is for"), Flag.optional),
  types: Flag.String("types").pipe(
    Flag.withDescription("Only these events, such as failed,submitted; all unless given"),
    Flag.optional
  ),
  project: Flag.String("project").pipe(Flag.withDescription("Only events of tasks of this project"), Flag.optional),
  template: Flag.String("template").pipe(
    Flag.withMetavar("json"),
    Flag.withDescription("The body that is sent, as a JSON object with {{title}} and so on"),
    Flag.optional
  )
}

const settingsOf = Effect.fnUntraced(
  function*(
    flags: { readonly [K in keyof typeof settings]: (typeof settings)[K] extends Flag.Flag<infer A> ? A : never }
  ) {
    const template = given(flags.template)
    return {
      ...optional("name", given(flags.name)),
      ...optional("types", given(flags.types)?.split(",")),
      ...optional("project_id", given(flags.project) as ProjectId | undefined),
      ...(template === undefined ? {} : {
        template: yield* Effect.mapError(
          Schema.decodeUnknownEffect(Template)(template),
          () => usage("--template is not a JSON object.")
        )
      })
    }
  }
)

const secretOf = (secret: string) =>
  `\nIts secret, for the receiver:\n\n  ${line(secret)}\n\n${styled("yellow", "It is shown this once: keep it.")}`

const add = Command.make("add", {
  url: Argument.String("url").pipe(Argument.withDescription("Where events are sent: https:// and a public host")),
  ...settings
}, (flags) =>
  Effect.gen(function*() {
    const payload = yield* settingsOf(flags)
    const { api } = yield* connect
    const made = yield* api.webhooks.register({ query: {}, payload: { url: flags.url, ...payload } })
    yield* Screen.show(made, ({ id, position, secret }) =>
      `${styled("green", "✓")} Webhook ${line(id)} sends what happens after change ${position}.\n${secretOf(secret)}`)
  })).pipe(
    described(
      "Register a webhook, and show its secret this once.",
      "the webhook, as POST /api/v1/webhooks answers it."
    ),
    examples([
      "hooks add https://example.com/octopoid --types failed,submitted",
      "Tell a receiver what fails and what waits for review"
    ])
  )

const edit = Command.make("edit", {
  hook,
  url: Flag.String("to").pipe(Flag.withMetavar("address"), Flag.withDescription("Another address"), Flag.optional),
  ...settings,
  enable: Flag.Boolean("enable").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Sends events again"),
    Flag.withDefault(false)
  ),
  disable: Flag.Boolean("disable").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Sends none until it is enabled"),
    Flag.withDefault(false)
  ),
  rotate: Flag.Boolean("rotate-secret").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Makes a new secret, and shows it this once. The old one signs too for a day"),
    Flag.withDefault(false)
  )
}, (flags) =>
  Effect.gen(function*() {
    if (flags.enable && flags.disable) return yield* usage("Give --enable or --disable, not both.")
    const payload = {
      ...(yield* settingsOf(flags)),
      ...optional("url", given(flags.url)),
      ...optional("enabled", flags.enable ? true : flags.disable ? false : undefined),
      ...optional("rotate_secret", flags.rotate ? true : undefined)
    }
    if (Object.keys(payload).length === 0) return yield* usage("Nothing to change. Give a setting, such as --enable.")
    const { api } = yield* connect
    const changed = yield* api.webhooks.patch({ params: { id: idOf(flags.hook) }, query: {}, payload })
    yield* Screen.show(changed, (it) =>
      `${styled("green", "✓")} Webhook ${line(it.id)} is changed: it ${it.enabled ? "sends" : "is disabled"}.${
        it.secret === undefined ? "" : `\n${secretOf(it.secret)}`
      }`)
  })).pipe(described("Change, enable or disable a webhook.", "the webhook, as PATCH /api/v1/webhooks/:id answers it."))

const remove = Command.make("remove", { hook }, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const gone = yield* api.webhooks.remove({ params: { id: idOf(flags.hook) }, query: {} })
    yield* Screen.show(gone, ({ id }) => `${styled("green", "✓")} Webhook ${line(id)} is deleted.`)
  })).pipe(described("Delete a webhook and its log.", "the answer of DELETE /api/v1/webhooks/:id."))

const test = Command.make("test", { hook }, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const sent = yield* api.webhooks.test({ params: { id: idOf(flags.hook) }, query: {}, payload: null })
    if (sent.error !== null) return yield* refused(`The receiver did not accept the test: ${sent.error}`, sent)
    yield* Screen.show(sent, ({ millis, status }) =>
      `${styled("green", "✓")} The receiver accepted the test: ${status}, after ${millis} ms.`)
  })).pipe(
    described(
      "Send a test message now. Exits with 1 if the receiver does not accept it.",
      "what came of it, as POST /api/v1/webhooks/:id/test answers it."
    )
  )

const log = Command.make("log", { hook }, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.webhooks.deliveries({ params: { id: idOf(flags.hook) }, query: {} })
    yield* Screen.show(found, ({ deliveries }) =>
      deliveries.length === 0 ? "Nothing was sent yet." : table(deliveries, [
        { head: "at", of: ({ at }) => instant(at), whole: true },
        { head: "event", of: ({ event }) => event },
        { head: "seq", of: ({ seq }) => seq, right: true },
        { head: "try", of: ({ attempt }) => attempt, right: true },
        {
          head: "status",
          of: ({ status }) => status,
          right: true,
          style: ({ error }) => error === null ? "green" : "red"
        },
        { head: "ms", of: ({ millis }) => millis, right: true },
        { head: "error", of: ({ error }) => error, prose: true },
        { head: "answer", of: ({ response }) => response, prose: true }
      ], Screen.width()))
  })).pipe(
    described(
      "Show the last attempts to send an event, the newest first.",
      "the answer of GET /api/v1/webhooks/:id/deliveries."
    )
  )

const resend = Command.make("resend", {
  hook,
  after: Flag.String("after").pipe(
    Flag.withMetavar("number"),
    Flag.withDescription("Sends the events after this one again; latest leaves out all that were not sent"),
    Flag.filter(
      (text) => text === "latest" || /^\d{1,15}$/.test(text),
      (text) => `--after is the number of an event, or latest, not ${text}`
    )
  )
}, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const webhook = yield* api.webhooks.redeliver({
      params: { id: idOf(flags.hook) },
      query: {},
      payload: { after: flags.after === "latest" ? "latest" : Number(flags.after) }
    })
    yield* Screen.show(webhook, ({ id, position }) =>
      `${styled("green", "✓")} Webhook ${line(id)} sends what happened after change ${position}.`)
  })).pipe(
    described(
      "Send events again, or leave some out.",
      "the webhook, as POST /api/v1/webhooks/:id/redeliver answers it."
    )
  )

export const hooks = Command.make("hooks").pipe(
  group("Register webhooks, and see what became of their messages."),
  Command.withSubcommands([list, show, add, edit, test, log, resend, remove])
)
