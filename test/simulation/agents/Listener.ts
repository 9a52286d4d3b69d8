/**
 * Follows the feed of its scope on a WebSocket, as the client of this package listens. It keeps its place on its disk,
 * and after a break goes on from there.
 */
import * as Effect from "effect/Effect"
import * as Push from "../../../src/client/call/Push.ts"
import { ensure } from "../Violation.ts"
import type { Machine } from "./Machine.ts"
import { diskOf, isOf } from "./Reader.ts"

const placeOf = (machine: Machine): number => Number(diskOf(machine).get("after") ?? 0)

/** Takes a page: it begins after the last one, and has each change as the database has it. */
const take = (machine: Machine, message: string) => {
  const { process: { name }, scope, world: { raw } } = machine
  const { events, gap, next } = JSON.parse(message)
  const before = placeOf(machine)
  ensure(gap === false, () => `${name} was told of a gap after ${before}`)
  for (const [i, event] of events.entries()) {
    const row = raw.prepare("SELECT * FROM history WHERE scope = ? AND seq = ?").get(scope, before + i + 1)
    ensure(
      row !== undefined && isOf(event, row),
      () => `${name} got ${JSON.stringify(event)} as change ${before + i + 1}`
    )
  }
  ensure(next === before + events.length, () => `${name} got ${events.length} changes after ${before} up to ${next}`)
  diskOf(machine).set("after", String(next))
}

export const start = (machine: Machine): void => {
  const { world: { chance, journal } } = machine
  let begins = 0
  const push = Push.make({ baseUrl: "http://server" }, {
    get after() {
      begins = placeOf(machine)
      return String(begins)
    },
    get limit() {
      return String(chance.pick([1, 5, 100, 100]))
    }
  }, {
    changed: Effect.void,
    heard: (message) =>
      Effect.sync(() =>
        machine.world.check(() => {
          take(machine, message)
          if (begins > 0 && placeOf(machine) > begins) journal.saw("a listener went on after a break")
          begins = 0
        })
      )
  })
  machine.fork(push.listening)
}

/** Whether it has every change of its scope. */
export const hasAll = (machine: Machine): boolean => {
  const { scope, world: { raw } } = machine
  return placeOf(machine) ===
    Number(raw.prepare("SELECT max(seq) AS seq FROM history WHERE scope = ?").get(scope)!["seq"])
}
