/** Idempotency keys: one effect for each, the same answer each time, and another request under it is refused. */
import { KeyLifetime } from "../../../src/domain/IdempotencyKey.ts"
import type { Exchange } from "../Exchange.ts"
import type { Commit } from "../Ledger.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"

interface Known {
  /** The request that had the effect, or the first that tried. */
  request: string
  readonly since: number
  /** The batches that had its effect, and the step of the last. */
  effects: number
  effected: number
  /** The first answer. */
  answer: string | undefined
}

const keyOf = ({ scope, sent }: Exchange) => {
  const key = sent?.headers["idempotency-key"]
  return key === undefined ? undefined : `${scope ?? "administrator"} ${key}`
}

/** A claim that waits for another time is the same request. */
const requestOf = ({ sent }: Exchange) =>
  `${sent!.method} ${sent!.url} ${sent!.body?.replace(/"wait_seconds":\d+/, "\"wait_seconds\":0")}`

const effects = new Set(["claimed", "review_claimed", "created"])

/** Whether the batch had the effect of the request, and did not only take leases back. */
const isEffect = ({ asked }: Exchange, { entries }: Commit) =>
  asked.id === undefined
    ? Array.from(entries.values()).some((written) => written.some(({ event }) => effects.has(event)))
    : entries.has(asked.id)

/** The part of an answer that stays the same. Claims and renewals answer the present task and lease. */
const lasting = ({ asked }: Exchange, body: any, text: string) =>
  asked.verb === "claim"
    ? `${body.id} ${body.fencing_token}`
    : asked.verb === "renew"
    ? `${body.task_id} ${body.fencing_token}`
    : asked.verb === "heartbeat"
    ? JSON.stringify((body.renewed ?? []).map((lease: any) => `${lease.task_id} ${lease.fencing_token}`))
    : text

export const make = ({ journal, timeline }: World) => {
  const all = new Map<string, Known>()

  const find = (exchange: Exchange): Known | undefined => {
    const key = keyOf(exchange)
    if (key === undefined) return undefined
    const known = all.get(key)
    if (known !== undefined && timeline.now() - known.since < KeyLifetime - 60_000) return known
    const fresh: Known = {
      request: requestOf(exchange),
      since: timeline.now(),
      effects: 0,
      effected: Infinity,
      answer: undefined
    }
    all.set(key, fresh)
    return fresh
  }

  const isAnother = (known: Known, exchange: Exchange) => known.request !== requestOf(exchange)

  const committed = (exchange: Exchange | undefined, commit: Commit) => {
    if (exchange === undefined || !isEffect(exchange, commit)) return
    const known = find(exchange)
    if (known === undefined) return
    if (known.effects === 0) known.request = requestOf(exchange)
    known.effects += 1
    known.effected = journal.steps()
    ensure(!isAnother(known, exchange), () => `${exchange.name} had an effect under the key of another request`)
    ensure(known.effects === 1, () => `${exchange.name} had its effect ${known.effects} times under one key`)
  }

  const answered = (
    exchange: Exchange,
    { body, replayed, status, text }: {
      readonly status: number
      readonly replayed: boolean
      readonly body: any
      readonly text: string
    }
  ) => {
    const known = find(exchange)
    if (exchange.asked.verb === "claim" && status === 409) {
      ensure(
        known !== undefined && !isAnother(known, exchange) && known.effects > 0,
        () => `${exchange.name} was answered 409, and repeats no claim that had its effect: ${text}`
      )
    }
    if (known === undefined || status >= 500) return
    // Two simultaneous requests may each get an answer that was true when they read.
    const isLate = known.effected < exchange.arrived
    if (isAnother(known, exchange)) {
      ensure(
        !isLate || status === 422,
        () => `${exchange.name} was answered ${status} under the key of another request`
      )
      if (status === 422) journal.saw("key of another request refused")
      return
    }
    if (replayed) journal.saw("answered again by key")
    const wasOver = exchange.asked.verb === "claim" && (body._tag === "LeaseLost" || body._tag === "TaskNotFound")
    if (isLate && !wasOver) {
      ensure(status < 300, () => `${exchange.name} was answered ${status} after its effect: ${text}`)
    }
    if (status >= 300) return
    const answer = lasting(exchange, body, text)
    ensure(
      known.answer === undefined || known.answer === answer,
      () => `${exchange.name} was answered ${answer}, and before that ${known.answer}`
    )
    known.answer = answer
  }

  /** Whether a request under the same key has had its effect. */
  const hadEffect = (exchange: Exchange) => (find(exchange)?.effects ?? 0) > 0

  return { committed, answered, hadEffect }
}
