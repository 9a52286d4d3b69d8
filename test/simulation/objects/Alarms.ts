/**
 * The alarms of the platform. An alarm wakes its object at least once; here some come late, some twice, and some are dropped,
 * as the platform does after six failed runs.
 */
import type { AlarmClock } from "../../objects/NodeStorage.ts"
import type { World } from "../World.ts"

const MostTries = 6

export interface Alarm extends AlarmClock {
  /** Whether the object does its duties now. */
  readonly isRunning: () => boolean
  /** The alarm that the platform has dropped, if it was not set again: its time, and when it was dropped. */
  readonly dropped: () => { readonly at: number; readonly when: number } | undefined
}

export interface Woken {
  /** Does the duties of the object. Answers `false` if the object ended before it was through. */
  readonly run: () => Promise<boolean>
  readonly evict: () => void
}

export const make = (world: World, name: string, { evict, run }: Woken): Alarm => {
  const { chance, journal, timeline } = world
  let at: number | null = null
  let dropped: ReturnType<Alarm["dropped"]>
  let running = 0
  let cancel: (() => void) | undefined

  const drop = (time: number) => {
    journal.note(timeline.now(), `the alarm of ${name} is dropped`)
    dropped = { at: time, when: timeline.now() }
  }

  const go = (time: number, tries = 1) => {
    if (at !== null && at <= timeline.now()) at = null
    running++
    void run().then((done) => {
      running--
      if (done) return
      // What was interrupted runs again.
      if (tries === MostTries) journal.fault("alarm dropped after six tries")
      drop(time)
      if (tries < MostTries) timeline.after(2000, `the alarm of ${name} again`, undefined, () => go(time, tries + 1))
    })
  }

  const due = () => {
    const time = at!
    const { alarmLate, alarmLost, alarmTwice } = world.weather.objects
    if (chance.happens(alarmLost)) {
      journal.fault("alarm lost")
      at = null
      drop(time)
      // What fails six times has often lost its memory, and not always.
      if (chance.happens(0.5)) evict()
      return
    }
    if (chance.happens(alarmLate)) {
      journal.fault("alarm late")
      cancel = timeline.after(chance.between(1, 300) * 1000, `the late alarm of ${name}`, undefined, () => go(time))
      return
    }
    if (chance.happens(alarmTwice)) {
      journal.fault("alarm twice")
      timeline.after(chance.pick([0, 3, 500]), `the second alarm of ${name}`, undefined, () => go(time))
    }
    go(time)
  }

  return {
    get: () => at,
    set: (time) => {
      at = time
      if (dropped !== undefined) journal.saw("a dropped alarm was set again")
      dropped = undefined
      cancel?.()
      cancel = timeline.after(time - timeline.now(), `the alarm of ${name}`, undefined, due)
    },
    isRunning: () => running > 0,
    dropped: () => dropped
  }
}
