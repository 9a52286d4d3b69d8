/**
 * Sends the events of the feed to the webhooks.
 *
 * A webhook is a reader of the feed: `position` is the last event that was accepted, or left out by a filter. It moves
 * only after the receiver has accepted, so each event is sent at least once, and in order. A claim (`sender`,
 * `sending_until`) keeps two isolates from sending for the same webhook. Nothing here takes part in the batch of a
 * change: events are sent after the commit, and what is not sent then is sent by the cron.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { JsonColumn, jsonColumn } from "../../domain/Encoding.ts"
import { EventRow } from "../../domain/feed/Event.ts"
import { MaxDeliveries, MaxFailingHours, WebhookId } from "../../domain/feed/Webhook.ts"
import { ScopeName } from "../../domain/Identifier.ts"
import type { Row } from "../../sql/Batch.ts"
import {
  ChangedScopes,
  type Cost,
  CurrentCost,
  Database,
  fits,
  Guards,
  MaxStatements,
  Riders
} from "../../sql/Database.ts"
import { statement, variants } from "../../sql/Statement.ts"
import { Settings } from "../Settings.ts"
import { columnOf } from "./Events.ts"
import { type Message, send, type SendResult } from "./send.ts"

/** How many events a webhook gets in a run. */
const MaxEvents = 10
/** How many messages an invocation sends. A Worker may send 50 requests on the free plan. */
const MaxMessages = 40
/** How many changes of the feed a run looks at for each webhook. D1 bills each of them. */
const Looked = 50
/** How many webhooks are sent to at the same time. A Worker may wait for the headers of six answers. */
const Senders = 5
/** No message is begun after this time, in milliseconds: a Worker may go on for 30 s after its answer. */
const RunMillis = 15_000
/** How long a claim holds, in milliseconds: longer than a run. After that an isolate that was stopped does no harm. */
const ClaimMillis = 60_000
/** How long an isolate remembers that a scope has no webhook, in milliseconds. The cron sends what it misses. */
const MaxAge = 30_000
const MaxScopes = 1000
/** How many webhooks a turn of the cron looks at: all, or, if there are more, other ones each minute. */
const MaxSwept = 250
/** The statements of a claim, and those that end the run of a webhook. */
const ClaimStatements = 3
const EndStatements = 2

const FirstDelay = 30_000
const LongestDelay = 3_600_000
const Hour = 3_600_000

/** Whether there is something to send now. */
const isDue = `disabled_at IS NULL AND coalesce(next_attempt_at, 0) <= :now AND coalesce(sending_until, 0) <= :now
  AND position < (SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope)`

/** Claims the webhooks that are due, of a scope or by their ids: those that were tried longest ago. */
const claim = variants((by: "id" | "scope") =>
  statement(`
    UPDATE webhooks SET sender = :sender, sending_until = :until, tried_at = :now
    WHERE id IN (
      SELECT id FROM webhooks
      WHERE ${by === "scope" ? "scope = :scope" : "id IN (SELECT value FROM json_each(:ids))"} AND ${isDue}
      ORDER BY tried_at, id LIMIT :most)
    RETURNING *, (SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope) AS latest`)
)

const long = new Set(["title", "actor", "reason", "details"])
const matching = `((hook.types IS NULL OR instr(hook.types, '"' || entry.event || '"') > 0)
  AND (hook.project_id IS NULL OR entry.project_id IS hook.project_id))`
const columns = Object.keys(EventRow.fields).map((name) =>
  long.has(name) ? `iif(${matching}, entry.${name}, NULL) AS ${name}` : `${columnOf(name)} AS ${name}`
)

/** The next changes for each webhook that was just claimed; those that a filter leaves out, without their texts. */
const next = variants((by: "id" | "scope") =>
  statement(`
    SELECT hook.id AS webhook_id, ${matching} AS matches, ${columns.join(", ")}
    FROM webhooks AS hook CROSS JOIN history AS entry INDEXED BY history_feed
      ON entry.scope = hook.scope AND entry.seq IN (
        SELECT seq FROM history INDEXED BY history_feed
        WHERE history.scope = hook.scope AND seq > hook.position ORDER BY seq LIMIT ${Looked})
    WHERE ${by === "scope" ? "hook.scope = :scope" : "hook.id IN (SELECT value FROM json_each(:ids))"}
      AND hook.sender = :sender ORDER BY hook.id, entry.seq`)
)

const anyOf = statement("SELECT 1 FROM webhooks WHERE scope = :scope AND disabled_at IS NULL LIMIT 1")

/** Writes attempts into the log, if the claim still holds (`:sender` is null for a test). */
export const logged = statement(`
  INSERT OR REPLACE INTO webhook_deliveries
    (webhook_id, slot, number, seq, event, at, attempt, status, error, response, millis)
  SELECT hook.id, (hook.entries + each.key) % ${MaxDeliveries}, hook.entries + each.key, value ->> 'seq', value ->> 'event',
    value ->> 'at', value ->> 'attempt', value ->> 'status', value ->> 'error', value ->> 'response', value ->> 'millis'
  FROM webhooks AS hook CROSS JOIN json_each(:log) AS each
  WHERE hook.id = :id AND (:sender IS NULL OR hook.sender = :sender)`)

/**
 * Ends a claim: stores how far the webhook came, unless the claim was taken away. `:failed` is how many attempts
 * failed.
 */
const ended = statement(`
  UPDATE webhooks SET position = :position, entries = entries + :logged, failures = failures + :failed, attempts = :attempts,
    failing_since = :failing_since, next_attempt_at = :next_attempt_at, delivered_at = coalesce(:delivered_at, delivered_at),
    disabled_at = coalesce(disabled_at, :disabled_at), disabled_reason = coalesce(disabled_reason, :disabled_reason),
    sender = NULL, sending_until = NULL
  WHERE id = :id AND sender = :sender`)

/**
 * The webhooks that are due, found by the cron. It begins at a place that differs each minute, so that it reaches all
 * of them if they are more than it looks at.
 */
export const due = statement(`
  SELECT id FROM (
    SELECT * FROM (SELECT * FROM webhooks WHERE id >= :place ORDER BY id LIMIT ${MaxSwept})
    UNION ALL SELECT * FROM (SELECT * FROM webhooks WHERE id < :place ORDER BY id LIMIT ${MaxSwept})
    LIMIT ${MaxSwept}) AS webhooks
  WHERE ${isDue} ORDER BY tried_at, id LIMIT ${MaxStatements}`)

/** The place where the look of this minute begins. Ids are hexadecimal digits. */
export const placeOf = (now: number): string => {
  const place = (Math.floor(now / 60_000) * 40_503) % 65_536
  return `whk_${place.toString(16).padStart(4, "0")}`
}

const Claimed = Schema.Struct({
  id: WebhookId,
  url: Schema.String,
  secret: Schema.String,
  previous_secret: Schema.NullOr(Schema.String),
  previous_until: Schema.NullOr(Schema.Finite),
  older_secrets: jsonColumn(Schema.Array(Schema.Tuple([Schema.String, Schema.Finite]))),
  template: Schema.NullOr(JsonColumn),
  scope: ScopeName,
  position: Schema.Finite,
  attempts: Schema.Finite,
  failing_since: Schema.NullOr(Schema.Finite),
  latest: Schema.Finite
})
type Claimed = typeof Claimed.Type

export const decodeTargets = Schema.decodeUnknownEffect(Schema.Array(Claimed))
const decodeEvents = Schema.decodeUnknownEffect(Schema.Array(EventRow))

/** An entry of the log, as the statement reads it. */
export const entryOf = (
  outcome: SendResult,
  event: { readonly seq: number | null; readonly event: string },
  attempt: number
) => {
  const { at, error, millis, response, status } = outcome
  return { seq: event.seq, event: event.event, at, attempt, status, error, response, millis }
}

/** The state of a webhook after a failed attempt: when the next one is due, or why it is disabled. */
const afterFailure = Effect.fnUntraced(
  function*(outcome: SendResult, before: Pick<Claimed, "attempts" | "failing_since">) {
    const now = outcome.at + outcome.millis
    const failing_since = before.failing_since ?? outcome.at
    const attempts = before.attempts + 1
    const end = failing_since + MaxFailingHours * Hour
    const delay = Math.min(FirstDelay * 2 ** Math.min(attempts - 1, 20), LongestDelay) *
      (0.5 + (yield* Random.next) / 2)
    // If the delay is longer than the time that is left, the last attempt is made when that time ends.
    const next_attempt_at = Math.round(Math.min(now + Math.max(delay, outcome.retryAfter * 1000), Math.max(end, now)))
    const reason = outcome.status === 410
      ? "The receiver answered 410: it wants no more messages."
      : outcome.at >= end
      ? `The receiver accepted nothing for ${MaxFailingHours} hours. The last problem: ${outcome.error}`
      : null
    return {
      attempts,
      failing_since,
      next_attempt_at,
      disabled_at: reason === null ? null : now,
      disabled_reason: reason
    }
  }
)

/**
 * The messages for the changes that were read, and where the webhook is before and after each: the events that match,
 * and the gaps in the numbers. A receiver hears of every gap, because what is missing may have matched.
 */
const messagesOf = Effect.fnUntraced(function*(hook: Claimed, rows: ReadonlyArray<Row>) {
  const events = yield* Effect.orDie(decodeEvents(rows.filter(({ matches }) => matches === 1)))
  const matching = new Map(events.map((event) => [event.seq, event]))
  const at = yield* DateTime.now
  const messages: Array<{ readonly after: number; readonly seq: number; readonly message: Message }> = []
  const gap = (after: number, next: number) => {
    if (next <= after) return
    const event = { scope: hook.scope, after, next, at }
    messages.push({ after, seq: next, message: { id: `msg_${hook.id}_gap_${after}_${next}`, type: "gap", event } })
  }
  let place = hook.position
  for (const row of rows) {
    const seq = Number(row.seq)
    gap(place, seq - 1)
    const event = matching.get(seq)
    if (event !== undefined) {
      messages.push({ after: seq - 1, seq, message: { id: `msg_${hook.id}_${seq}`, type: event.event, event } })
    }
    place = seq
  }
  if (rows.length < Looked) gap(place, hook.latest)
  return messages
})

/** What an invocation may still do: until when messages are begun, and how many are left. */
interface Run {
  readonly until: number
  left: number
}

export class Deliveries extends Context.Service<Deliveries, {
  /**
   * Sends what is due to the webhooks of these scopes, after a request that may have changed their feeds. The cost is
   * that of the request. It never fails.
   */
  readonly afterCommit: (scopes: ReadonlySet<string>, cost: Cost) => Effect.Effect<void>
  /**
   * Sends what is due to webhooks of all scopes, as far as the turn of the cron has room. Answers how many were sent
   * to.
   */
  readonly sweep: Effect.Effect<number>
  /** Forgets whether the scope has webhooks. */
  readonly forget: (scope: string) => void
}>()("octopoid-server/services/Deliveries") {
  static readonly layer = Layer.effect(
    Deliveries,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const { webhookAllowPrivate } = yield* Settings
      const random = yield* SecureRandom.SecureRandom
      /** Scopes without webhooks, and when the database was asked. */
      const without = new Map<string, number>()

      /** Sends the next events, one after the other, until one is not accepted. */
      const deliver = Effect.fnUntraced(
        function*(hook: Claimed, rows: ReadonlyArray<Row>, sender: string, run: Run) {
          const messages = yield* messagesOf(hook, rows)
          const log: Array<ReturnType<typeof entryOf>> = []
          let state: Pick<Claimed, "attempts" | "failing_since" | "position"> = hook
          let delivered_at: number | null = null
          let failure: SendResult | undefined
          for (const { message, seq } of messages.slice(0, MaxEvents)) {
            if ((yield* Clock.currentTimeMillis) >= run.until || run.left === 0) break
            run.left--
            const outcome = yield* send(hook, message, webhookAllowPrivate)
            log.push(entryOf(outcome, { seq, event: message.type }, state.attempts + 1))
            if (outcome.error !== null) {
              failure = outcome
              break
            }
            state = { position: seq, attempts: 0, failing_since: null }
            delivered_at = outcome.at + outcome.millis
          }
          const sent = failure === undefined ? log.length : log.length - 1
          // The place moves over the events that the filters leave out: to the next message, or, if every message was
          // sent, to the last event that was read, or to the newest if all were read.
          const position = sent < messages.length
            ? messages[sent]!.after
            : rows.length < Looked
            ? Math.max(hook.latest, state.position)
            : Number(rows.at(-1)!.seq)
          const failed = failure === undefined ? undefined : yield* afterFailure(failure, state)
          // If the run was over before the first message, the hook is as before. An attempt that is due stays due.
          const kept = sent === 0 && messages.length > 0 && failure === undefined
            ? { attempts: hook.attempts, failing_since: hook.failing_since, next_attempt_at: hook.failing_since }
            : { attempts: 0, failing_since: null, next_attempt_at: null }
          const values = {
            id: hook.id,
            sender,
            log: JSON.stringify(log),
            logged: log.length,
            failed: Number(failure !== undefined),
            position,
            delivered_at,
            disabled_at: null,
            disabled_reason: null,
            ...kept,
            ...failed
          }
          yield* batch({ logged: log.length === 0 ? undefined : logged(values), ended: ended(values) })
          if (failed !== undefined) {
            yield* Effect.logWarning(failed.disabled_at === null ? "webhook failed" : "webhook disabled").pipe(
              Effect.annotateLogs({
                webhook_id: hook.id,
                scope: hook.scope,
                error: failure!.error,
                attempts: failed.attempts
              })
            )
          }
          return 1
        }
      )

      /** Claims what is due and sends it. Answers how many webhooks were sent to. */
      const round = Effect.fnUntraced(function*(
        by: "id" | "scope",
        values: { readonly scope: string } | { readonly ids: string },
        run: Run
      ) {
        const cost = yield* CurrentCost
        const room = MaxStatements - cost.statements - ClaimStatements
        const most = Math.max(1, Math.floor(room / EndStatements))
        const now = yield* Clock.currentTimeMillis
        const sender = yield* random.uuidV4()
        const claiming = { scope: null, ids: null, ...values, sender, now, until: now + ClaimMillis, most }
        const { any, claimed, events } = yield* batch({
          claimed: claim(by)(claiming),
          events: next(by)(claiming),
          any: by === "scope" ? anyOf(claiming) : undefined
        })
        if (by === "scope" && any.length === 0) remember(String(claiming.scope), now)
        const hooks = yield* Effect.orDie(decodeTargets(claimed))
        yield* Effect.forEach(
          hooks,
          (hook) => deliver(hook, events.filter(({ webhook_id }) => webhook_id === hook.id), sender, run),
          { concurrency: Senders, discard: true }
        )
        return hooks.length
      })

      const remember = (scope: string, now: number) => {
        without.delete(scope)
        without.set(scope, now)
        if (without.size > MaxScopes) without.delete(without.keys().next().value!)
      }

      const hasRoom = fits(ClaimStatements, EndStatements)

      /** Sends until nothing is due: what was recorded meanwhile is sent too. */
      const drain = Effect.fnUntraced(function*(scope: string, run: Run) {
        while ((yield* Clock.currentTimeMillis) < run.until && run.left > 0 && (yield* hasRoom)) {
          if ((yield* round("scope", { scope }, run)) === 0) return
        }
      })

      const drainAll = Effect.fn("Deliveries.afterCommit")(function*(scopes: ReadonlySet<string>) {
        const now = yield* Clock.currentTimeMillis
        const run = { until: now + RunMillis, left: MaxMessages }
        for (const scope of scopes) {
          const asked = without.get(scope)
          if (asked === undefined || now - asked >= MaxAge) yield* drain(scope, run)
        }
      })

      const afterCommit = (scopes: ReadonlySet<string>, cost: Cost) =>
        Effect.catchCause(drainAll(scopes), (cause) => Effect.logError("sending to webhooks failed", cause)).pipe(
          Effect.provideService(CurrentCost, cost),
          // The request is over. So its further steps do not travel with these batches, and its conditions do not guard
          // them.
          Effect.provideService(Riders, undefined),
          Effect.provideService(Guards, undefined),
          Effect.provideService(ChangedScopes, undefined)
        )

      const sweep = Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const run = { until: now + RunMillis, left: MaxMessages }
        const hasRoomToLook = fits(1, ClaimStatements, EndStatements)
        let sent = 0
        while ((yield* Clock.currentTimeMillis) < run.until && run.left > 0 && (yield* hasRoomToLook)) {
          const present = yield* Clock.currentTimeMillis
          const { found } = yield* batch({ found: due({ now: present, place: placeOf(now) }) })
          if (found.length === 0) break
          const claimed = yield* round("id", { ids: JSON.stringify(found.map(({ id }) => id)) }, run)
          if (claimed === 0) break
          sent += claimed
        }
        return sent
      }).pipe(Effect.withSpan("Deliveries.sweep"))

      return Deliveries.of({ afterCommit, sweep, forget: (scope) => without.delete(scope) })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
