/** Looks at the database after every batch and every event, and at every answer: whether all that is promised holds. */
import * as Answers from "./checks/Answers.ts"
import * as Breakers from "./checks/Breakers.ts"
import * as Claims from "./checks/Claims.ts"
import * as Counters from "./checks/Counters.ts"
import * as Dependencies from "./checks/Dependencies.ts"
import * as End from "./checks/End.ts"
import * as Transitions from "./checks/Transitions.ts"
import * as Usage from "./checks/Usage.ts"
import * as Waiting from "./checks/Waiting.ts"
import * as Ledger from "./Ledger.ts"
import { ensure } from "./Violation.ts"
import type { World } from "./World.ts"

export const make = (world: World) => {
  const { databases, journal, raw, timeline } = world
  const ledger = Ledger.make(raw, databases)
  const counters = Counters.make(raw, databases)
  const answers = Answers.make(world, ledger)
  const usage = Usage.make(world, raw)
  const waiting = Waiting.make(world)
  const breakers = Breakers.make(world)
  world.isStopped = breakers.isStopped
  world.leaseEnds = () =>
    Array.from(ledger.rows().values(), (row) => row.lease_expires_at).filter((end) => end !== null)

  /** Checks what has changed since the last look. */
  const look = () => {
    const commit = ledger.look(timeline.now())
    if (commit === undefined) return
    for (const [id, entries] of commit.entries) {
      for (const { event, from_queue, to_queue, version } of entries) {
        journal.note(timeline.now(), `  ${id} v${version} ${event}: ${from_queue} -> ${to_queue}`)
      }
    }
    Transitions.check(world, commit)
    Transitions.checkFence(world, commit)
    Claims.check(world, commit)
    Dependencies.check(commit)
    counters.check(commit)
    usage.committed(world.current, commit)
    waiting.committed(world.current, commit)
    breakers.committed(world.current, commit)
    answers.committed(world.current, commit)
    answers.remember()
  }

  return {
    ledger,
    answered: (...[exchange, reply]: Parameters<typeof answers.answered>) => {
      answers.answered(exchange, reply)
      usage.answered(exchange, reply.status)
      waiting.answered(exchange, reply.status, reply.text)
      breakers.answered(exchange, reply.status, reply.text)
    },
    look,
    /** After each batch: its changes, and what it left for the claim that it belongs to. */
    committed: () => {
      answers.began(world.current)
      look()
      Claims.observe(world, ledger.rows())
    },
    /** After a turn of the cron, or an alarm, that succeeded: no lease that had expired before is left. */
    swept: (began: number, leasedBefore: ReadonlyMap<string, number>) => {
      for (const [id, until] of leasedBefore) {
        const row = ledger.rows().get(id)
        if (row === undefined || row.claimed_by === null || until > began) continue
        ensure(
          row.lease_expires_at !== until,
          () => `the cron left the lease of ${id}, which ended ${began - until} ms before it`
        )
      }
    },
    /** The leases of all scopes, or of one. */
    leases: (scope?: string) =>
      new Map(
        Array.from(ledger.rows().values()).filter((row) =>
          row.claimed_by !== null && (scope === undefined || row.scope === scope)
        ).map((row) => [row.id, row.lease_expires_at!])
      ),
    end: () => {
      look()
      counters.whole()
      usage.end()
      End.check(raw, ledger)
    }
  }
}

export type Watch = ReturnType<typeof make>
