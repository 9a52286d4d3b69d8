/**
 * When an object wakes by itself: at the end of its earliest lease, backoff, park or wait of a breaker, when a machine
 * falls silent or a webhook is to be tried again, and for the other duties of the cron. They run every minute while the
 * scope changes, and otherwise every hour, so an object where nothing happens sleeps. They run once more when tasks
 * that wait since the last change are old enough to be reported as unclaimable. The expiry of a lease does not depend
 * on it: claims take back expired leases themselves.
 */
import type { DurableObjectStorage } from "@cloudflare/workers-types"
import * as Unclaimable from "../sql/upkeep/Unclaimable.ts"

const Minute = 60_000
const Hour = 3_600_000

/** How many milliseconds are between two looks for unclaimable tasks. */
const Look = Unclaimable.Minutes * Minute

// The earliest of what is due after a time (`?4`).
const earliest = `
  SELECT min(due) AS due FROM (
    SELECT (SELECT lease_expires_at FROM tasks INDEXED BY tasks_leased
      WHERE scope = ?1 AND claimed_by IS NOT NULL AND lease_expires_at > ?4 ORDER BY lease_expires_at LIMIT 1) AS due
    UNION ALL SELECT (SELECT available_at FROM tasks INDEXED BY tasks_backing_off
      WHERE scope = ?1 AND available_at IS NOT NULL AND available_at > ?2 ORDER BY available_at LIMIT 1)
    -- Then claims that wait look again. In one query, because an object joins five at most.
    UNION ALL SELECT min(ends) FROM (
      SELECT until AS ends FROM parked_accounts WHERE scope = ?1 AND until > ?2
      UNION ALL SELECT retry_at FROM breakers INDEXED BY breakers_open
        WHERE scope = ?1 AND opened_at IS NOT NULL AND retry_at > ?2)
    -- A machine is silent from the next millisecond on.
    UNION ALL SELECT (SELECT min(last_heartbeat) + ?3 + 1 FROM orchestrators
      WHERE status = 'active' AND last_heartbeat + ?3 + 1 > ?4)
    -- What is due now is sent after the answer. The minute is for the case that it is not.
    UNION ALL SELECT (SELECT min(iif(max(coalesce(next_attempt_at, 0), coalesce(sending_until, 0)) > ?2,
        max(coalesce(next_attempt_at, 0), coalesce(sending_until, 0)), ?2 + ${Minute}))
      FROM webhooks WHERE disabled_at IS NULL
        AND position < (SELECT seq FROM queue_counts WHERE queue_counts.scope = webhooks.scope)))`

interface Options {
  readonly storage: DurableObjectStorage
  readonly scope: string
  /** After how many milliseconds a machine is silent. */
  readonly silence: number
  /** After how many milliseconds a task that no machine will claim is reported; 0 if none is. */
  readonly unclaimable: number
  /** The time of the alarm that is set, if one is. */
  readonly set: number | null
}

export const make = ({ scope, set, silence, storage, unclaimable }: Options) => {
  let at = set ?? Infinity
  // What happened before the object woke is not known, so it counts as a change.
  let changed = true
  let running = false
  // When the scope, which has not changed since the last duties, is to be looked through for unclaimable tasks.
  let look = Infinity
  const { sql } = storage
  let done = (sql.exec("SELECT done_at FROM _duties").toArray()[0]?.["done_at"] as number | undefined) ?? Date.now()

  /** Sets the alarm, unless one is set that is earlier. */
  const wake = (time: number) => {
    if (time >= at) return
    at = time
    void storage.setAlarm(time)
  }

  /**
   * Sets the alarm for what is due next, unless one is set that is early enough. Part of the transaction of what was
   * just written.
   */
  const schedule = (now: number, afterDuties = false) => {
    const dueAfter = (start: number) =>
      (sql.exec(earliest, scope, now, silence, start).one()["due"] as number | null) ?? Infinity
    const next = Math.min(dueAfter(0), changed ? done + Minute : Math.min(done + Hour, look))
    // What could not be done just now is tried again in a minute, and delays nothing that is due before that.
    wake(next > now ? next : afterDuties ? Math.min(now + Minute, dueAfter(now)) : now)
  }

  return {
    wake,
    isSet: () => at !== Infinity,
    /** The alarm of an object without duties rang. `next` is when it is to ring again, if at all. */
    rang: (next: number | undefined) => {
      at = Infinity
      if (next !== undefined) wake(next)
    },
    /** The scope has changed. */
    changed: () => {
      changed = true
      // What is due already is being done if the duties run.
      schedule(Date.now(), running)
    },
    /** Sets the alarm again if it is overdue: the platform drops it after six failed runs. */
    check: async () => {
      const now = Date.now()
      if (now < at + Minute && at !== Infinity) return
      at = await storage.getAlarm() ?? Infinity
      if (at < now - Minute) at = Infinity
      schedule(now)
    },
    /**
     * Does the duties, and sets the next alarm whatever happened. `minutes` is how many full minutes of the clock began
     * since they were done last: each is covered by one run.
     */
    run: async <A>(duties: (minutes: number) => Promise<A>): Promise<A> => {
      at = Infinity
      const now = Date.now()
      const minutes = Math.max(1, Math.floor(now / Minute) - Math.floor(done / Minute))
      changed = false
      running = true
      try {
        return await duties(minutes)
      } finally {
        running = false
        done = now
        // A run that covers as much time has looked through what waited before.
        const looked = unclaimable === 0 || minutes * Minute >= Math.max(unclaimable, Look)
        look = looked ? Infinity : Math.ceil((now + unclaimable) / Look) * Look
        sql.exec("INSERT INTO _duties (one, done_at) VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET done_at = ?1", now)
        schedule(Date.now(), true)
      }
    }
  }
}
