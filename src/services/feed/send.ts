/** Sends one message of a webhook, signed as Standard Webhooks says, and judges the answer. It never fails. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Webhook as Signer } from "standardwebhooks"
import { refusalOf } from "../../domain/feed/Address.ts"
import { TaskEvent } from "../../domain/feed/Event.ts"
import { filled } from "../../domain/feed/Template.ts"
import { MaxResponse, PatienceSeconds, type WebhookId } from "../../domain/feed/Webhook.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { bytesOf, cut } from "../../domain/Size.ts"

/** What sends the requests. Tests let it reach only their own machine. */
export const Fetch = Context.Reference<typeof globalThis.fetch>("octopoid-server/services/webhooks/Fetch", {
  defaultValue: () => (input, init) => globalThis.fetch(input, init)
})

/** The largest body, in bytes. A larger event is sent without its details. */
const MaxBody = 262_144

/** How long the server waits for the body of an answer, in milliseconds. It only goes into the log. */
const BodyPatience = 2000

/** The longest wait that a receiver may ask for, in seconds. */
const MaxRetryAfter = 3600

export interface Target {
  readonly id: WebhookId
  readonly url: string
  readonly secret: string
  /** A secret that signs too, until a rotation is over. */
  readonly previous_secret: string | null
  readonly previous_until: number | null
  /** Earlier secrets, and until when each signs. */
  readonly older_secrets: ReadonlyArray<readonly [secret: string, until: number]>
  readonly template: Schema.Json | null
}

/** Numbers of the feed above `after`, up to and including `next`, that have no entry. */
export interface Gap {
  readonly scope: ScopeName
  readonly after: number
  readonly next: number
  readonly at: DateTime.Utc
}

export interface Message {
  readonly id: string
  /** The `type` in the body. */
  readonly type: string
  readonly event: TaskEvent | Gap
}

/** What came of an attempt: a row of the log without its place. */
export interface SendResult {
  readonly at: number
  readonly millis: number
  readonly status: number | null
  /** Why the message counts as not accepted; null if it was accepted. */
  readonly error: string | null
  readonly response: string | null
  /** How long the receiver asks the server to wait, in seconds. */
  readonly retryAfter: number
}

const encodeEvent = Schema.encodeSync(TaskEvent)

/** The values that a template gets for a gap. */
const shownGap = ({ after, at, next, scope }: Gap) => ({
  seq: next,
  task_id: null,
  scope,
  version: null,
  event: "gap",
  title: `Events ${after + 1} to ${next} are missing`,
  project_id: null,
  from_queue: null,
  to_queue: null,
  actor: null,
  reason: "Retention removed them, or the database was restored.",
  at: DateTime.formatIso(at)
})

/** The body of the message. */
export const bodyOf = ({ event, type }: Message, template: Schema.Json | null): string => {
  const timestamp = DateTime.formatIso(event.at)
  if ("after" in event) {
    const { after, next, scope } = event
    return JSON.stringify(
      template === null ? { type, timestamp, data: { scope, after, next } } : filled(template, shownGap(event))
    )
  }
  const data = encodeEvent(event)
  if (template !== null) return JSON.stringify(filled(template, data))
  const body = JSON.stringify({ type, timestamp, data })
  return bytesOf(body) <= MaxBody ? body : JSON.stringify({ type, timestamp, data: { ...data, details: null } })
}

const headersOf = (target: Target, id: string, body: string, now: number) => {
  const { older_secrets, previous_secret, previous_until, secret } = target
  const earlier = previous_secret === null || previous_until === null
    ? older_secrets
    : [[previous_secret, previous_until] as const, ...older_secrets]
  const secrets = [secret, ...earlier.filter(([, until]) => now < until).map(([one]) => one)]
  return {
    "content-type": "application/json",
    "user-agent": "octopoid-server",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now / 1000)),
    "webhook-signature": secrets.map((one) => new Signer(one).sign(id, new Date(now), body)).join(" ")
  }
}

/** The first bytes of the body. The rest is not read. */
const beginning = async (response: Response, signal: AbortSignal): Promise<string | null> => {
  const reader = response.body?.getReader()
  if (reader === undefined) return null
  // Otherwise the connection stays open as long as the receiver sends.
  signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined))
  const parts: Array<Uint8Array> = []
  let size = 0
  while (size < MaxResponse) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    size += value.length
  }
  await reader.cancel()
  const bytes = new Uint8Array(size)
  parts.reduce((place, part) => (bytes.set(part, place), place + part.length), 0)
  const text = new TextDecoder().decode(bytes.subarray(0, MaxResponse)).replace(/\ufffd+$/, "")
  // Each bad byte became a character of three bytes.
  return text === "" ? null : cut(text, MaxResponse)
}

const problemOf = (status: number): string | null =>
  status >= 200 && status < 300
    ? null
    : status >= 300 && status < 400
    ? `The receiver answered ${status}. Redirects are not followed: set the address that it leads to.`
    : `The receiver answered ${status}.`

const secondsOf = (header: string | null): number =>
  header !== null && /^\d{1,9}$/.test(header) ? Math.min(Number(header), MaxRetryAfter) : 0

/** Sends the message once. */
export const send = Effect.fnUntraced(function*(target: Target, message: Message, allowPrivate: boolean) {
  const at = yield* Clock.currentTimeMillis
  const ended = Effect.fnUntraced(function*(
    error: string | null,
    answer: Partial<Pick<SendResult, "response" | "retryAfter" | "status">> = {}
  ) {
    const millis = (yield* Clock.currentTimeMillis) - at
    const outcome: SendResult = { at, millis, status: null, response: null, retryAfter: 0, ...answer, error }
    return outcome
  })
  // The setting, or the rules, may have changed since the address was set.
  const refusal = refusalOf(target.url, allowPrivate)
  if (refusal !== undefined) return yield* ended(`The address ${refusal}, so nothing was sent.`)
  const fetch = yield* Fetch
  const body = bodyOf(message, target.template)
  const request = Effect.tryPromise((signal) =>
    fetch(target.url, {
      method: "POST",
      headers: headersOf(target, message.id, body, at),
      body,
      // A redirect could lead to an address that is refused.
      redirect: "manual",
      signal
    })
  )
  return yield* Effect.matchEffect(Effect.timeoutOption(request, `${PatienceSeconds} seconds`), {
    // The reason in words of the runtime may repeat the address, which may be a secret.
    onFailure: () => ended("The receiver could not be reached."),
    onSuccess: Option.match({
      onNone: () => ended(`The receiver did not answer within ${PatienceSeconds} seconds.`),
      onSome: Effect.fnUntraced(function*(response) {
        const read = Effect.timeoutOption(Effect.tryPromise((signal) => beginning(response, signal)), BodyPatience)
        const text = yield* Effect.orElseSucceed(read, Option.none)
        return yield* ended(problemOf(response.status), {
          status: response.status,
          response: Option.getOrNull(text),
          retryAfter: secondsOf(response.headers.get("retry-after"))
        })
      })
    })
  })
})
