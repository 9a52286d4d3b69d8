/**
 * Checks the answers: nothing of another scope, nothing that the database lacks, one effect for each key, no grant
 * twice.
 */
import { MaxStatements } from "../../../src/sql/Database.ts"
import type { Exchange } from "../Exchange.ts"
import { type Entry, type Ledger, tokenOf } from "../Ledger.ts"
import type { Reply } from "../Server.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"
import * as Keyed from "./Keyed.ts"

/** How many statements take the expired leases of a scope back: seven steps, and one that stores how far it got. */
const TakingBack = 8

/** What may change although the request is refused: expired leases are taken back. */
const takesBack = new Set(["claim", "heartbeat"])

/** The calls of a holder under its token. */
const moves = new Set(["submit", "accept", "reject", "requeue", "fail", "renew", "ask", "park"])

/** How long a request waits for D1 in all, in milliseconds. */
const Patience = 25_000

const scopesIn = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value)
    ? value.flatMap(scopesIn)
    : typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) =>
      key === "scope" && typeof inner === "string" ? [inner] : scopesIn(inner)
    )
    : []

const recordedAt = (ledger: Ledger, id: string, version: number): Entry | undefined =>
  ledger.recorded.get(id)?.[version - 1]

/** A call under a lost token gets an error, even if there was nothing left to do. */
const checkStale = ({ asked, body, name, tokens }: Exchange, status: number) => {
  if (!moves.has(asked.verb) || body?.fencing_token == null) return
  ensure(
    tokens.includes(body.fencing_token),
    () => `${name} was answered ${status} under the token ${body.fencing_token}, and ${tokens} was the one that counts`
  )
}

export const make = (world: World, ledger: Ledger) => {
  const { journal, timeline } = world
  const keyed = Keyed.make(world)
  /** Who was given each grant: the key of the request, or the request. */
  const holders = new Map<string, string>()

  const checkGrant = (exchange: Exchange, { fencing_token, id, scope }: any) => {
    const grant = `${id} ${fencing_token}`
    const who = exchange.sent!.headers["idempotency-key"] ?? exchange.name
    const holder = holders.get(grant)
    ensure(
      holder === undefined || holder === who,
      () => `${exchange.name} was given ${grant}, which ${holder} was given before`
    )
    holders.set(grant, who)
    const entries = ledger.recorded.get(id) ?? []
    ensure(
      entries.some(({ event, grants, scope: of }) =>
        of === scope && event.endsWith("claimed") && grants + 1 === fencing_token
      ),
      () => `${exchange.name} was given ${grant}, and no such grant is recorded`
    )
  }

  /** Everything that is answered as done is in the database. */
  const checkKept = ({ asked, name }: Exchange, body: any) => {
    const tasks: ReadonlyArray<any> = body.tasks ?? [body]
    for (const { id, queue, version } of tasks) {
      if (typeof id !== "string" || typeof version !== "number") continue
      const entry = recordedAt(ledger, id, version)
      ensure(entry !== undefined, () => `${name} told of version ${version} of ${id}, which is not recorded`)
      ensure(
        entry.to_queue === queue,
        () => `${name} told that ${id} is in ${queue} at version ${version}, and it was in ${entry.to_queue}`
      )
    }
    const leases: ReadonlyArray<any> = body.renewed ?? (asked.verb === "renew" ? [body] : [])
    for (const { checkpoint_version, fencing_token, lease_expires_at, task_id } of leases) {
      const kept = renewals.get(`${task_id} ${fencing_token}`)
      ensure(
        kept !== undefined && kept.until >= Date.parse(lease_expires_at),
        () => `${name} renewed ${task_id} until ${lease_expires_at}, and no batch wrote that`
      )
      ensure(
        (checkpoint_version ?? 0) <= kept.checkpoint,
        () => `${name} told of a checkpoint of ${task_id} that is not kept`
      )
    }
  }

  /** The furthest that each lease reached, and the newest checkpoint under it. */
  const renewals = new Map<string, { readonly until: number; readonly checkpoint: number }>()
  const remember = () => {
    for (const { checkpoint, claimed_by, grants, id, lease_expires_at } of ledger.rows().values()) {
      if (claimed_by === null) continue
      const known = renewals.get(`${id} ${grants}`)
      const version = checkpoint === null ? 0 : Number(JSON.parse(checkpoint).version)
      if (known !== undefined && known.until >= lease_expires_at! && known.checkpoint >= version) continue
      renewals.set(`${id} ${grants}`, {
        until: Math.max(known?.until ?? 0, lease_expires_at!),
        checkpoint: Math.max(known?.checkpoint ?? 0, version)
      })
    }
  }

  /** Before a batch is looked at: what was known of the task it is for, and of its key. */
  const began = (exchange: Exchange | undefined) => {
    if (exchange !== undefined && keyed.hadEffect(exchange)) exchange.repeats = true
    const task = exchange?.asked.id === undefined ? undefined : ledger.rows().get(exchange.asked.id)
    if (task !== undefined) exchange!.tokens.push(tokenOf(task))
  }

  const answered = (exchange: Exchange, { headers, status, text }: Reply) => {
    const { asked, name, scope } = exchange
    const body = text === "" ? {} : JSON.parse(text)
    const replayed = headers["idempotent-replayed"] === "true"
    journal.saw(
      `${asked.verb} ${status}${body._tag === undefined ? "" : ` ${body._tag}`}${replayed ? " (replayed)" : ""}`
    )
    const failed = exchange.failedByPlatform || timeline.now() - (exchange.waitsSince ?? timeline.now()) >= Patience
    ensure(status < 500 || status === 503 && failed, () => `${name} was answered ${status} without a fault: ${text}`)
    for (const other of scopesIn(body)) {
      ensure(scope === undefined || other === scope, () => `${name}, with a key of ${scope}, was told of ${other}`)
    }
    if (status >= 400 && status < 500 && !takesBack.has(asked.verb) && !exchange.failedByPlatform) {
      ensure(exchange.changed.size === 0, () => `${name} was refused (${status}) and changed ${[...exchange.changed]}`)
    }
    if (status === 404 && ["none_ready", "blocked", "held", "backing_off"].includes(body.reason)) {
      journal.saw(`claim ${body.reason}`)
      ensure(
        exchange.batches === 0 || exchange.batchesWithReady < exchange.batches,
        () => `${name} was told that there is nothing (${body.reason}), and there was`
      )
    }
    if (asked.verb === "claim" && !replayed && (status === 200 || status === 404)) {
      // A request without room for the statements that take leases back leaves them to the cron.
      const hadRoom = exchange.statements + TakingBack <= MaxStatements
      ensure(exchange.left === undefined || !hadRoom, () => `${name} left ${exchange.left}, whose lease had run out`)
      if (exchange.left !== undefined) journal.saw("claim had no room for a lease that ran out")
    }
    keyed.answered(exchange, { status, replayed, body, text })
    if (status >= 300) return
    if (asked.verb === "claim") {
      checkGrant(exchange, body)
      if (body.checkpoint != null) journal.saw("claimed with a checkpoint")
    }
    if (body.reattached === true || body.renewed?.some((lease: any) => lease.reattached) === true) {
      journal.saw("re-attached")
    }
    if (body.lost?.length > 0) journal.saw("heartbeat told of a lost lease")
    if (replayed) return
    checkStale(exchange, status)
    checkKept(exchange, body)
  }

  return { began, answered, remember, committed: keyed.committed }
}

export type Answers = ReturnType<typeof make>
