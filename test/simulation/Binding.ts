/** D1 as an isolate sees it: far away, sometimes slow, and now and then the batch or its answer is lost. */
import type { D1Database } from "@cloudflare/workers-types"
import type { Process } from "./Timeline.ts"
import type { World } from "./World.ts"

type Statements = Parameters<D1Database["batch"]>[0]

const lost = () => new Error("D1_ERROR: Network connection lost.")

/** `committed` is called after each batch that ran. */
export const make = (world: World, db: D1Database, isolate: Process, committed: () => void): D1Database => {
  const { chance, journal, timeline } = world

  const batch = (statements: Statements) => {
    const exchange = world.current
    const label = exchange?.name ?? "start"
    if (exchange !== undefined) {
      exchange.statements += statements.length
      exchange.sentAt = timeline.now()
      exchange.waitsSince ??= timeline.now()
    }
    return new Promise<unknown>((resolve, reject) => {
      /** Answers the isolate, after some time. */
      const tell = (what: string, act: () => void) =>
        timeline.after(world.delay(1, 8), what, isolate, () => {
          world.current = exchange
          act()
        })
      const fail = (what: string) => {
        journal.fault(what)
        if (exchange !== undefined) exchange.failedByPlatform = true
        tell(`${label}: ${what}`, () => reject(lost()))
      }
      const run = () => {
        // What was under way when an isolate ended may have got there.
        if (isolate.dead && chance.happens(0.5)) return
        if (chance.happens(world.weather.batchLost)) return fail("batch lost before commit")
        world.current = exchange
        // It runs at once, and is only answered as a promise.
        const answer = db.batch(statements).then(
          (results) => () => resolve(results),
          (error: unknown) => () => reject(error)
        )
        world.check(committed)
        if (chance.happens(world.weather.batchAnswerLost)) return fail("batch answer lost after commit")
        tell(`${label}: batch answered`, () => void answer.then((act) => act()))
      }
      timeline.after(world.delay(1, 8), `${label}: batch of ${statements.length}`, undefined, run)
    })
  }

  return { prepare: (text: string) => db.prepare(text), batch } as unknown as D1Database
}
