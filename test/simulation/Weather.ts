/** How likely each fault is in a run. Some seeds are calm, so that the work gets far; some are rough, so that little does. */
import type { Engine } from "../support/Bundle.ts"
import type { Chance } from "../support/Chance.ts"

export interface Weather {
  /** The request is lost on its way to the server. */
  readonly requestLost: number
  /** The answer is lost on its way back: the server has acted. */
  readonly answerLost: number
  /** Something on the way answers, in place of the server or after it has acted. */
  readonly answerReplaced: number
  /** The request reaches the server twice. */
  readonly duplicated: number
  /** The request arrives in the very moment in which a lease ends. */
  readonly aimed: number
  /** Something on the way takes seconds, and is overtaken. */
  readonly slow: number
  /** A batch is lost before D1 has run it, or its answer is when it has. */
  readonly batchLost: number
  readonly batchAnswerLost: number
  /**
   * Between two kills of a machine, two stalls and two restarts of the server, two naps of a machine
   * and two corrections of its clock; in minutes.
   */
  readonly minutesBetween: {
    readonly kills: number
    readonly stalls: number
    readonly restarts: number
    readonly naps: number
    readonly clockSteps: number
  }
  /** What befalls objects. */
  readonly objects: {
    /** A request to an object is lost, or its answer is. */
    readonly unreachable: number
    readonly alarmLost: number
    readonly alarmLate: number
    readonly alarmTwice: number
    /** A socket breaks, and its object calls it. */
    readonly brokenAsCalled: number
    readonly minutesBetweenEvictions: number
    /** Between two ends of sockets. */
    readonly minutesBetweenEnds: number
  }
  /** What times are multiples of, in milliseconds: where it is coarse, things happen in the very moment that leases end. */
  readonly grain: number
}

const noObjects = {
  unreachable: 0,
  alarmLost: 0,
  alarmLate: 0,
  alarmTwice: 0,
  brokenAsCalled: 0,
  minutesBetweenEvictions: Infinity,
  minutesBetweenEnds: Infinity
}

export const clear: Weather = {
  requestLost: 0,
  answerLost: 0,
  answerReplaced: 0,
  duplicated: 0,
  aimed: 0,
  slow: 0,
  batchLost: 0,
  batchAnswerLost: 0,
  minutesBetween: { kills: Infinity, stalls: Infinity, restarts: Infinity, naps: Infinity, clockSteps: Infinity },
  objects: noObjects,
  grain: 1
}

export const of = (chance: Chance, engine: Engine): Weather => {
  const roughness = chance.pick([0.3, 1, 1, 2.5])
  const rate = (most: number) => most * roughness * chance.next()
  return {
    requestLost: rate(0.06),
    answerLost: rate(0.1),
    answerReplaced: rate(0.08),
    duplicated: rate(0.1),
    aimed: rate(0.1),
    slow: rate(0.1),
    batchLost: rate(0.04),
    batchAnswerLost: rate(0.08),
    minutesBetween: {
      kills: chance.between(5, 20),
      stalls: chance.between(5, 20),
      restarts: chance.between(8, 30),
      naps: chance.between(8, 30),
      clockSteps: chance.between(5, 20)
    },
    grain: chance.pick([1, 1, 250, 1000]),
    objects: engine === "d1" ? noObjects : {
      unreachable: rate(0.03),
      alarmLost: rate(0.15),
      alarmLate: rate(0.25),
      alarmTwice: rate(0.2),
      brokenAsCalled: rate(0.6),
      minutesBetweenEvictions: chance.between(1, 10),
      minutesBetweenEnds: chance.between(1, 4)
    }
  }
}
