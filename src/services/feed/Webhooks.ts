/** The webhooks of a scope: registered, listed, changed, tested and moved to another place in the feed. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { type Caller, callerName } from "../../domain/access/Caller.ts"
import { refusalOf } from "../../domain/feed/Address.ts"
import { eventTypes, InvalidPlace, type TaskEvent, UnknownEventType } from "../../domain/feed/Event.ts"
import { unknownIn } from "../../domain/feed/Template.ts"
import {
  AddressRefused,
  type Delivery,
  DeliveryRow,
  InvalidTemplate,
  MaxOlderSecrets,
  MaxWebhooks,
  type NewWebhook,
  OverlapHours,
  type PatchedWebhook,
  type Redelivery,
  type RegisteredWebhook,
  TooManyWebhooks,
  type Webhook,
  type WebhookId,
  WebhookNotFound,
  WebhookPatch,
  WebhookRow
} from "../../domain/feed/Webhook.ts"
import { type ScopeName, TaskId } from "../../domain/Identifier.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import { statement } from "../../sql/Statement.ts"
import { Settings } from "../Settings.ts"
import { decodeTargets, Deliveries, entryOf, logged } from "./Deliveries.ts"
import { send } from "./send.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(WebhookRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))
const decodeDeliveries = Schema.decodeUnknownEffect(Schema.Array(DeliveryRow))

/** The columns that answers show: without the secret, and without the claim of the isolate that sends at the moment. */
const shown = Object.fromEntries(
  Object.keys(WebhookRow.fields).map((name) => [name, name === "enabled" ? "disabled_at IS NULL" : name])
)
const visible = Object.entries(shown).map(([name, source]) => source === name ? name : `${source} AS ${name}`).join(
  ", "
)

const latest = "coalesce((SELECT seq FROM queue_counts WHERE queue_counts.scope = :scope), 0)"

const insert = statement(`
  INSERT INTO webhooks (id, scope, name, url, secret, types, project_id, template, position, created_by, created_at)
  SELECT :id, :scope, :name, :url, :secret, :types, :project_id, :template, ${latest}, :created_by, :now
  WHERE (SELECT count(*) FROM webhooks WHERE scope = :scope) < ${MaxWebhooks}
  RETURNING ${visible}`)

const registered = Idempotency.keeping({ row: { ...shown, salt: ":salt" }, from: "webhooks", where: "id = :id" })

const ofScope = statement(`SELECT ${visible} FROM webhooks WHERE scope = :scope ORDER BY created_at, id`)

const byId = statement(`SELECT ${visible} FROM webhooks WHERE id = :id AND ${inScope}`)

/** A field that the PATCH names is set, also to null. */
const set = (name: string) => `${name} = iif(:sets_${name}, :${name}, ${name})`

/** Whether the wait before the next attempt ends. */
const begins = "(:enabled IS 1 OR :sets_url)"

const update = statement(`
  UPDATE webhooks SET ${["url", "name", "types", "project_id", "template"].map(set).join(", ")},
    sender = NULL,
    previous_secret = iif(:secret IS NULL, previous_secret, secret),
    previous_until = iif(:secret IS NULL, previous_until, :overlap_end),
    older_secrets = iif(:secret IS NULL, older_secrets, (
      SELECT json_group_array(json(pair)) FROM (
        SELECT json_array(previous_secret, previous_until) AS pair WHERE previous_until > :now
        UNION ALL SELECT value FROM json_each(older_secrets) WHERE value ->> 1 > :now LIMIT ${MaxOlderSecrets}))),
    secret = coalesce(:secret, secret),
    attempts = iif(${begins}, 0, attempts),
    failing_since = iif(${begins}, NULL, failing_since),
    next_attempt_at = iif(${begins}, NULL, next_attempt_at),
    disabled_at = CASE :enabled WHEN 1 THEN NULL WHEN 0 THEN coalesce(disabled_at, :now) ELSE disabled_at END,
    disabled_reason = CASE :enabled WHEN 1 THEN NULL WHEN 0 THEN coalesce(disabled_reason, 'It was disabled by a request.')
      ELSE disabled_reason END
  WHERE id = :id AND ${inScope} RETURNING ${visible}`)

const removeLog = statement(`
  DELETE FROM webhook_deliveries WHERE webhook_id = (SELECT id FROM webhooks WHERE id = :id AND ${inScope})`)
const remove = statement(`DELETE FROM webhooks WHERE id = :id AND ${inScope} RETURNING scope`)

const log = statement("SELECT * FROM webhook_deliveries WHERE webhook_id = :id ORDER BY number DESC")

const target = statement(`
  SELECT *, coalesce((SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope), 0) AS latest
  FROM webhooks WHERE id = :id AND ${inScope}`)

const counted = statement("UPDATE webhooks SET entries = entries + 1, failures = failures + :failed WHERE id = :id")

const tested = Idempotency.keeping({
  row: Object.fromEntries(Object.keys(DeliveryRow.fields).map((name) => [name, name])),
  from: "webhook_deliveries",
  where: "webhook_id = :id AND number = (SELECT entries FROM webhooks WHERE webhooks.id = :id)"
})

const newest = "coalesce((SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope), 0)"

// A run that is under way loses the claim, here and with a PATCH, so that it stores neither its place nor a failure of
// the old address. Until the claim would have ended nobody else sends: two senders would mix the order.
const move = statement(`
  UPDATE webhooks SET position = coalesce(:after, ${newest}), sender = NULL, attempts = 0, failing_since = NULL,
    next_attempt_at = NULL
  WHERE id = :id AND ${inScope} AND coalesce(:after, 0) <= ${newest} RETURNING ${visible}`)

const movedWebhook = Idempotency.keeping({ row: shown, from: "webhooks", where: "id = :id" })

/** The event of a test. */
const sample = (scope: ScopeName, seq: number, at: DateTime.Utc): TaskEvent => ({
  seq,
  task_id: TaskId.make("test"),
  scope,
  version: 1,
  event: "test",
  title: "A test of this webhook",
  project_id: null,
  from_queue: null,
  to_queue: null,
  actor: null,
  reason: null,
  details: null,
  at
})

const columnsOf = ({ name, project_id, template, types, url }: WebhookPatch) => ({
  url: url ?? null,
  name: name || null,
  types: types == null || types.length === 0 ? null : JSON.stringify(types),
  project_id: project_id || null,
  template: template == null ? null : JSON.stringify(template)
})

const found = (id: WebhookId, webhook: Webhook | undefined) =>
  webhook === undefined ? Effect.fail(WebhookNotFound.of(id)) : Effect.succeed(webhook)

const answered = (rows: unknown) => Effect.map(Effect.orDie(decodeDeliveries(rows)), ([delivery]) => delivery!)

export class Webhooks extends Context.Service<Webhooks, {
  /** Registers a webhook. It gets the events that are recorded from now on. */
  readonly register: (
    scope: ScopeName,
    webhook: NewWebhook,
    by: Caller["Service"]
  ) => Effect.Effect<RegisteredWebhook, AddressRefused | InvalidTemplate | TooManyWebhooks | UnknownEventType>
  /** The webhooks of the scope, the oldest first. */
  readonly list: (scope: ScopeName) => Effect.Effect<ReadonlyArray<Webhook>>
  readonly get: (id: WebhookId, scope: Reach) => Effect.Effect<Webhook, WebhookNotFound>
  readonly patch: (
    id: WebhookId,
    patch: WebhookPatch,
    scope: Reach
  ) => Effect.Effect<PatchedWebhook, AddressRefused | InvalidTemplate | NoFields | UnknownEventType | WebhookNotFound>
  readonly remove: (id: WebhookId, scope: Reach) => Effect.Effect<void, WebhookNotFound>
  /** The last attempts, the newest first. */
  readonly deliveries: (id: WebhookId, scope: Reach) => Effect.Effect<ReadonlyArray<Delivery>, WebhookNotFound>
  /** Sends one message of the type `test`, and says what came of it. */
  readonly test: (id: WebhookId, scope: Reach) => Effect.Effect<Delivery, WebhookNotFound>
  /** Moves the webhook to another place in the feed. */
  readonly redeliver: (
    id: WebhookId,
    after: Redelivery["after"],
    scope: Reach
  ) => Effect.Effect<Webhook, InvalidPlace | WebhookNotFound>
}>()("octopoid-server/services/Webhooks") {
  static readonly layer = Layer.effect(
    Webhooks,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const { forget } = yield* Deliveries
      const { webhookAllowPrivate } = yield* Settings
      const random = yield* SecureRandom.SecureRandom
      const { digest } = yield* Digest.Digest
      const once = yield* Idempotency.make

      /**
       * The secret of this salt: 32 bytes. Under an idempotency key it is computed from the salt and the key, so that a
       * repeated request gets the same one, and the kept answer does not contain it.
       */
      const secretOf = Effect.fnUntraced(function*(salt: string) {
        const key = (yield* Idempotency.CurrentIdempotency)?.key
        const bytes = key === undefined
          ? Uint8Array.from(salt.match(/../g) ?? [], (digits) => parseInt(digits, 16))
          : yield* digest(Digest.sha256, new TextEncoder().encode(`${salt} ${key}`))
        return `whsec_${Base64.encode(bytes)}`
      })
      const newSalt = Effect.map(random.randomBytes(32), Hex.encode)

      /**
       * Refuses an address that nothing may be sent to, events that do not exist, and a template with unknown
       * placeholders.
       */
      const check = Effect.fnUntraced(function*(webhook: WebhookPatch) {
        const { template, types, url } = webhook
        const refusal = url == null ? undefined : refusalOf(url, webhookAllowPrivate)
        if (refusal !== undefined) return yield* AddressRefused.because(refusal)
        const unknown = (types ?? []).filter((type) => !(eventTypes as ReadonlyArray<string>).includes(type))
        if (unknown.length > 0) return yield* UnknownEventType.of(unknown)
        const names = unknownIn(template ?? null)
        if (names.length > 0) return yield* InvalidTemplate.of(names)
      })

      const register = Effect.fn("Webhooks.register")(
        function*(scope: ScopeName, webhook: NewWebhook, by: Caller["Service"]) {
          yield* check(webhook)
          const salt = yield* newSalt
          const secret = yield* secretOf(salt)
          const values = {
            salt,
            ...columnsOf(webhook),
            id: `whk_${Hex.encode(yield* random.randomBytes(8))}`,
            scope,
            secret,
            created_by: callerName(by),
            now: yield* Clock.currentTimeMillis
          }
          const { answers: { inserted }, replay } = yield* once.batch({ inserted: insert(values) }, {
            keep: "inserted",
            answer: registered,
            values
          })
          forget(scope)
          const [made] = yield* decode(replay?.rows ?? inserted)
          if (made === undefined) return yield* TooManyWebhooks.of(scope)
          return { ...made, secret: replay === undefined ? secret : yield* secretOf(String(replay.rows[0]!.salt)) }
        }
      )

      const list = Effect.fn("Webhooks.list")(function*(scope: ScopeName) {
        const { rows } = yield* batch({ rows: ofScope({ scope }) })
        return yield* decode(rows)
      })

      const get = Effect.fn("Webhooks.get")(function*(id: WebhookId, scope: Reach) {
        const { rows } = yield* batch({ rows: byId({ id, scope: scope ?? null }) })
        return yield* found(id, (yield* decode(rows))[0])
      })

      const patch = Effect.fn("Webhooks.patch")(function*(id: WebhookId, changes: WebhookPatch, scope: Reach) {
        const named = Object.keys(WebhookPatch.fields).filter((name) => name in changes)
        if (named.length === 0) return yield* NoFields.of(WebhookPatch)
        yield* check(changes)
        const { enabled, rotate_secret, url } = changes
        const secret = rotate_secret === true ? yield* secretOf(yield* newSalt) : null
        const now = yield* Clock.currentTimeMillis
        const sets = (name: keyof WebhookPatch) => Number(name in changes)
        const { changed } = yield* batch({
          changed: update({
            ...columnsOf(changes),
            id,
            scope: scope ?? null,
            sets_url: Number(url != null),
            sets_name: sets("name"),
            sets_types: sets("types"),
            sets_project_id: sets("project_id"),
            sets_template: sets("template"),
            secret,
            now,
            overlap_end: now + OverlapHours * 3_600_000,
            enabled: enabled == null ? null : Number(enabled)
          })
        })
        const webhook = yield* found(id, (yield* decode(changed))[0])
        forget(webhook.scope)
        return secret === null ? webhook : { ...webhook, secret }
      })

      const removed = Effect.fn("Webhooks.remove")(function*(id: WebhookId, scope: Reach) {
        const values = { id, scope: scope ?? null }
        const { removed } = yield* batch({ logRemoved: removeLog(values), removed: remove(values) })
        if (removed.length === 0) return yield* WebhookNotFound.of(id)
      })

      const deliveries = Effect.fn("Webhooks.deliveries")(function*(id: WebhookId, scope: Reach) {
        const values = { id, scope: scope ?? null }
        const { rows, webhook } = yield* batch({ webhook: byId(values), rows: log(values) })
        yield* found(id, (yield* decode(webhook))[0])
        return yield* Effect.orDie(decodeDeliveries(rows))
      })

      const test = Effect.fn("Webhooks.test")(function*(id: WebhookId, scope: Reach) {
        const before = yield* once.read({ rows: target({ id, scope: scope ?? null }) }, tested)
        if (before.replay !== undefined) return yield* answered(before.replay.rows)
        const [hook] = yield* Effect.orDie(decodeTargets(before.answers.rows))
        if (hook === undefined) return yield* WebhookNotFound.of(id)
        const event = sample(hook.scope, hook.latest, yield* DateTime.now)
        const message = { id: `msg_${hook.id}_test_${Hex.encode(yield* random.randomBytes(8))}`, type: "test", event }
        const entry = entryOf(yield* send(hook, message, webhookAllowPrivate), { seq: null, event: "test" }, 1)
        const values = { id: hook.id, sender: null, log: JSON.stringify([entry]), failed: Number(entry.error !== null) }
        const { replay } = yield* once.batch({ logged: logged(values), counted: counted(values) }, {
          keep: "logged",
          answer: tested,
          values
        })
        return yield* answered(replay?.rows ?? [entry])
      })

      const redeliver = Effect.fn("Webhooks.redeliver")(
        function*(id: WebhookId, after: Redelivery["after"], scope: Reach) {
          const values = { id, scope: scope ?? null, after: after === "latest" ? null : after }
          const { answers: { changed, hooks }, replay } = yield* once.batch({
            changed: move(values),
            hooks: target(values)
          }, { keep: "changed", answer: movedWebhook, values })
          const [webhook] = yield* decode(replay?.rows ?? changed)
          if (webhook !== undefined) return webhook
          const [hook] = yield* Effect.orDie(decodeTargets(hooks))
          if (hook === undefined) return yield* WebhookNotFound.of(id)
          return yield* InvalidPlace.beyond(Number(after), hook.scope, hook.latest)
        }
      )

      return Webhooks.of({ register, list, get, patch, remove: removed, deliveries, test, redeliver })
    })
  ).pipe(Layer.provide([Deliveries.layer, Digest.layerWebCrypto, SecureRandom.layerWebCrypto]))
}
