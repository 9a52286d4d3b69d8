/**
 * The alarms of objects: an object with a lease or a backoff has an alarm at its end or before it. If the platform drops it, the
 * next request sets it again; an object that stays in memory looks a minute after the time of the alarm.
 */
import type { DatabaseSync } from "node:sqlite"
import type { Objects } from "../objects/Objects.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"

const Minute = 60_000

export const make = ({ timeline }: World, objects: Objects, databases: ReadonlyMap<string, DatabaseSync>) => {
  const ends = new Map(
    Array.from(databases, ([name, raw]) =>
      [
        name,
        raw.prepare(`
          SELECT min(due) AS due FROM (
            SELECT lease_expires_at AS due FROM tasks WHERE claimed_by IS NOT NULL
            UNION ALL SELECT available_at FROM tasks WHERE available_at > ?)`)
      ] as const)
  )

  const check = (name: string) => {
    const now = timeline.now()
    const alarm = objects.alarmOf(name)
    const due = ends.get(name)?.get(now)?.["due"] as number | null | undefined
    // The end of the duties sets it.
    if (due == null || alarm.isRunning()) return
    const dropped = alarm.dropped()
    if (dropped !== undefined) {
      const object = objects.inMemory(name)
      // Nobody has asked it since, or not a minute after the time of the alarm.
      if (object === undefined || (object.since <= dropped.when && object.asked < dropped.at + Minute)) return
    }
    const at = alarm.get()
    const latest = due > now ? due : now + Minute
    ensure(
      at !== null && at <= latest,
      () =>
        `${name} has ${at === null ? "no alarm" : `its alarm in ${at - now} ms`}, and a lease or a backoff ends in ${
          due - now
        } ms`
    )
  }

  /** Looks at the objects that have done something. */
  return { look: () => objects.touched().forEach(check) }
}
