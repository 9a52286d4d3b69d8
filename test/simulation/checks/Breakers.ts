/**
 * Breakers, as the changes of tasks and the requests of their keepers make them: they open, let one canary through and close when they
 * should, and nothing else of their reach is granted while they are open.
 */
import { fingerprintOf } from "../../../src/domain/record/Alike.ts"
import type { Exchange } from "../Exchange.ts"
import type { Commit, Entry, Row } from "../Ledger.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"

const Longest = 86_400_000

interface Failure {
  readonly fingerprint: string
  readonly id: string
  readonly at: number
}

interface Breaker {
  readonly threshold: number
  readonly window: number
  readonly wait: number
  failures: ReadonlyArray<Failure>
  /** When the next canary may be claimed; null while it is closed. */
  retryAt: number | null
  probes: number
  canary: { readonly id: string; readonly grants: number } | null
}

const fresh = () => ({ failures: [], retryAt: null, probes: 0, canary: null })

const textOf = (name: string, { canary, failures, probes, retryAt, threshold, wait, window }: Breaker) =>
  JSON.stringify([
    name,
    threshold,
    window,
    wait,
    retryAt,
    probes,
    canary?.id ?? null,
    canary?.grants ?? null,
    failures.map(({ at, fingerprint, id }) => [fingerprint, id, at].join(" ")).toSorted()
  ])

/** The breaker that the request sets or closes. */
const named = ({ body, scope, sent }: Exchange) =>
  sent?.url.pathname.startsWith("/api/v1/breakers") === true && sent.method !== "GET"
    ? { name: `${body.scope ?? scope} ${body.project_id ?? ""}`, isClose: sent.method === "POST" }
    : undefined

export const make = (world: World) => {
  const { breaking, journal, raw } = world
  const breakers = new Map<string, Breaker>()
  /** How often a breaker of each scope opened and closed. */
  const told = new Map<string, number>()
  let rows: ReadonlyMap<string, Row> = new Map()
  const stored = raw.prepare("SELECT * FROM breakers ORDER BY scope, project_id")
  const events = raw.prepare(
    "SELECT scope, event, count(*) AS n FROM history WHERE task_id < ' ' GROUP BY scope, event"
  )

  const tell = (name: string, event: string) => {
    const key = `${name.split(" ")[0]} ${event}`
    told.set(key, (told.get(key) ?? 0) + 1)
    journal.saw(event)
  }

  const ofTask = ({ project_id, scope }: Row) =>
    ["", ...(project_id === null ? [] : [project_id])].flatMap((project) => {
      const name = `${scope} ${project}`
      const breaker = breakers.get(name)
      return breaker === undefined ? [] : [[name, breaker] as const]
    })

  const waitOf = ({ probes, wait }: Breaker) => Math.min(wait * 2 ** probes, Math.max(wait, Longest))

  const open = (name: string, breaker: Breaker, at: number) => {
    Object.assign(breaker, { failures: [], canary: null, retryAt: at + waitOf(breaker) })
    tell(name, "breaker_opened")
  }

  const close = (name: string, breaker: Breaker) => {
    if (breaker.retryAt !== null) tell(name, "breaker_closed")
    Object.assign(breaker, fresh())
  }

  const isHeld = ({ canary }: Breaker) => {
    const task = canary === null ? undefined : rows.get(canary.id)
    return task !== undefined && task.claimed_by !== null && task.grants === canary!.grants
  }

  const stops = (breaker: Breaker, at: number) => breaker.retryAt !== null && (breaker.retryAt > at || isHeld(breaker))

  const fails = (name: string, breaker: Breaker, was: Row, { at, reason }: Entry) => {
    const fingerprint = fingerprintOf(reason)
    if (breaker.retryAt !== null) {
      if (breaker.canary?.id !== was.id || breaker.canary.grants !== was.grants) return
      journal.saw("a canary failed")
      breaker.probes++
      return open(name, breaker, at)
    }
    if (was.claimed_by === null || fingerprint === null) return
    const recent = breaker.failures.filter((failure) => failure.at > at - breaker.window)
    const others = recent.filter((failure) => failure.fingerprint === fingerprint && failure.id !== was.id)
    if (others.length + 1 >= breaker.threshold) return open(name, breaker, at)
    breaker.failures = [
      ...recent.filter((failure) => failure.fingerprint !== fingerprint || failure.id !== was.id),
      { fingerprint, id: was.id, at }
    ]
  }

  const granted = (name: string, breaker: Breaker, is: Row, at: number, by: string | undefined) => {
    if (breaker.retryAt === null) return
    ensure(
      !stops(breaker, at),
      () => `${by} got ${is.id}, and the breaker ${name} is open: ${textOf(name, breaker)}`
    )
    journal.saw("a canary was claimed")
    breaker.canary = { id: is.id, grants: is.grants }
    breaker.retryAt = at + waitOf(breaker)
  }

  const follow = (exchange: Exchange | undefined, { after, before, entries }: Commit) => {
    for (const [id, written] of entries) {
      const [was, is] = [before.get(id), after.get(id)]
      for (const entry of written) {
        for (const [name, breaker] of ofTask((was ?? is)!)) {
          if (entry.event === "claimed" || entry.event === "review_claimed") {
            granted(name, breaker, is!, entry.at, exchange?.name)
          } else if (was !== undefined && (entry.event === "failed" || entry.event === "requeued")) {
            fails(name, breaker, was, entry)
          } else if (["submitted", "accepted", "rejected"].includes(entry.event)) {
            if (breaker.canary?.id !== id || breaker.canary.grants !== was?.grants) continue
            journal.saw("a canary succeeded")
            close(name, breaker)
          }
        }
      }
    }
  }

  /** A keeper has set or closed the breaker, if this batch was the one that did it. */
  const keep = ({ isClose, name }: NonNullable<ReturnType<typeof named>>, body: any, row: any) => {
    const breaker = breakers.get(name)
    if (isClose) {
      // One that is closed stays as it is.
      if (breaker != null && breaker.retryAt !== null && row?.opened_at === null) close(name, breaker)
      return
    }
    if (body.threshold === null) {
      if (row !== undefined || breaker === undefined) return
      close(name, breaker)
      breakers.delete(name)
      return
    }
    const settings = {
      threshold: body.threshold,
      window: body.window_seconds * 1000,
      wait: body.wait_seconds * 1000
    }
    if (
      row?.threshold === settings.threshold && row.window_millis === settings.window &&
      row.wait_millis === settings.wait
    ) {
      breakers.set(name, { ...(breaker ?? fresh()), ...settings })
    }
  }

  const committed = (exchange: Exchange | undefined, commit: Commit) => {
    if (!breaking) return
    rows = commit.after
    follow(exchange, commit)
    const present = new Map(stored.all().map((row) => [`${row.scope} ${row.project_id}`, row as any]))
    const kept = exchange && named(exchange)
    if (kept !== undefined) keep(kept, exchange!.body, present.get(kept.name))
    const found = [...present].map(([name, row]) =>
      textOf(name, {
        threshold: row.threshold,
        window: row.window_millis,
        wait: row.wait_millis,
        retryAt: row.retry_at,
        probes: row.probes,
        canary: row.canary_task === null ? null : { id: row.canary_task, grants: row.canary_token },
        failures: JSON.parse(row.failures).map(([fingerprint, id, at]: any) => ({ fingerprint, id, at }))
      })
    )
    const expected = [...breakers].toSorted(([a], [b]) => a < b ? -1 : 1).map(([name, one]) => textOf(name, one))
    ensure(
      found.join() === expected.join(),
      () => `the breakers are ${found} after ${exchange?.name}, and should be ${expected}`
    )
    for (const { event, n, scope } of events.all()) {
      const times = told.get(`${scope} ${event}`) ?? 0
      ensure(n === times, () => `the feed of ${scope} has ${event} ${n} times, and it happened ${times} times`)
    }
  }

  const answered = (exchange: Exchange, status: number, text: string) => {
    if (!breaking) return
    if (exchange.asked.verb === "claim" && status === 404 && text.includes("\"breaker_open\"")) {
      journal.saw("claim breaker_open")
    }
  }

  /** Whether an open breaker keeps the task from being claimed. */
  const isStopped = (row: Row, at: number) => ofTask(row).some(([, breaker]) => stops(breaker, at))

  return { committed, answered, isStopped }
}
