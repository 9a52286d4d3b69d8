/** Follows the feed of its scope. Keeps each page on its disk together with the place after it, so a kill loses neither. */
import * as Effect from "effect/Effect"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"
import type { Answer, Machine } from "./Machine.ts"

export const diskOf = ({ process, world }: Machine): Map<string, string> => {
  const known = world.disks.get(process.name) ?? new Map<string, string>()
  world.disks.set(process.name, known)
  return known
}

/** Reads the page after the place on its disk. Answers whether more follows, or undefined if no answer came. */
const turn = Effect.fnUntraced(function*(machine: Machine) {
  const disk = diskOf(machine)
  const after = Number(disk.get("after") ?? 0)
  const limit = machine.world.chance.pick([1, 2, 5, 100])
  const answer: Answer | undefined = yield* machine.send("GET", `/events?after=${after}&limit=${limit}`)
  if (answer === undefined || answer.status >= 500) return undefined
  const { events, gap, latest, next } = answer.body
  machine.world.check(() => {
    ensure(answer.status === 200, () => `a reader was answered ${answer.status} ${JSON.stringify(answer.body)}`)
    ensure(gap === false, () => `a reader of ${machine.scope} was told of a gap after ${after}`)
    const kept = JSON.parse(disk.get("events") ?? "[]")
    disk.set("events", JSON.stringify([...kept, ...events]))
    disk.set("after", String(next))
    machine.world.journal.saw("a page of the feed")
  })
  return next < latest
})

/** Reads for ever. */
export const start = (machine: Machine): void =>
  machine.fork(Effect.forever(Effect.gen(function*() {
    const more = yield* turn(machine)
    if (more !== true) yield* machine.pause(1, 60)
  })))

/** Reads to the end of the feed. */
export const finish = Effect.fnUntraced(function*(machine: Machine) {
  for (;;) {
    const more = yield* turn(machine)
    if (more === false) return
    if (more === undefined) yield* machine.pause(1, 2)
  }
})

const textOf = (row: any) =>
  ["seq", "task_id", "version", "event", "title", "project_id", "from_queue", "to_queue", "actor", "reason"]
    .map((field) => String(row[field])).join()

/** The event is the change that the row holds. */
export const isOf = (event: any, stored: any): boolean => {
  // The feed has the history of breakers as events about no task.
  const row = String(stored.task_id) < " " ? { ...stored, task_id: null, version: null } : stored
  return event !== undefined && textOf(event) === textOf(row) && Date.parse(event.at) === row.at
}

/** What the reader of a scope has kept is the feed of the scope: every change once, in order, as it was. */
export const check = ({ disks, raw }: World, name: string, scope: string): void => {
  const kept: ReadonlyArray<any> = JSON.parse(disks.get(name)?.get("events") ?? "[]")
  const rows = raw.prepare("SELECT * FROM history WHERE scope = ? AND seq IS NOT NULL ORDER BY seq").all(scope)
  for (const [i, row] of rows.entries()) {
    ensure(row.seq === i + 1, () => `change ${i + 1} of ${scope} has the number ${row.seq}`)
    ensure(
      isOf(kept[i], row),
      () => `the reader of ${scope} got ${JSON.stringify(kept[i])} as change ${i + 1}, which is ${textOf(row)}`
    )
  }
  ensure(kept.length === rows.length, () => `the reader of ${scope} got ${kept.length} changes of ${rows.length}`)
}
