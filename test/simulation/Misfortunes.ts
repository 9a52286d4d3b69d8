/** What happens to machines, isolates and objects, and when the cron runs: on time, late, twice or not at all. */
import type { Fleet } from "./Fleet.ts"
import type { Objects } from "./objects/Objects.ts"
import type { Server } from "./Server.ts"
import type { Watch } from "./Watch.ts"
import type { World } from "./World.ts"

const Minute = 60_000

export const make = (world: World, server: Server, fleet: Fleet, watch: Watch, objects?: Objects) => {
  const { chance, journal, timeline } = world
  let over = false

  const every = (minutes: number, what: string, act: () => void) => {
    if (!Number.isFinite(minutes)) return
    const next = () =>
      timeline.after(chance.between(1, 2 * minutes * 60) * 1000, what, undefined, () => {
        if (over) return
        act()
        next()
      })
    next()
  }

  const tick = (late: number) =>
    timeline.after(late, "cron", undefined, () => {
      const [began, leases] = [timeline.now(), watch.leases()]
      server.cron((failed) => {
        journal.saw(failed ? "cron failed by D1" : "cron")
        if (!failed) world.check(() => watch.swept(began, leases))
      })
    })

  /** Of every minute the cron may forget one, be late for it, or see it twice. */
  const minute = () =>
    timeline.after(Minute - (timeline.now() % Minute), "a minute is over", undefined, () => {
      minute()
      if (over) return tick(0)
      const fate = chance.next()
      if (fate < 0.15) return journal.fault("cron never ran")
      if (fate < 0.3) {
        journal.fault("cron late")
        return tick(chance.between(1, 120) * 1000)
      }
      if (fate < 0.4) {
        journal.fault("cron twice")
        tick(chance.pick([0, 3, 500]))
      }
      return tick(0)
    })

  return {
    begin: () => {
      const { clockSteps, kills, naps, restarts, stalls } = world.weather.minutesBetween
      every(kills, "a kill", fleet.kill)
      every(naps, "a nap", fleet.nap)
      every(clockSteps, "a correction of a clock", fleet.stepClock)
      every(stalls, "a stall", () => server.stall(chance.between(1, 60) * 1000))
      every(restarts, "a restart", server.restart)
      // An object has alarms in the place of the cron.
      if (objects === undefined) minute()
      else {
        every(world.weather.objects.minutesBetweenEvictions, "an eviction", objects.evictSome)
        every(world.weather.objects.minutesBetweenEnds, "the end of a socket", objects.endSomeSocket)
      }
    },
    /** From now on all goes well. */
    end: () => {
      over = true
    }
  }
}
