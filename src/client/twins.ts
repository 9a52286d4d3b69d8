/**
 * Other processes of this worker's name. A worker alive renews its leases at least every minute, so a lease of this name that
 * moves without this process is another's: the two are told of each other, and none takes up what the other holds.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Client, OrchestratorId, Task } from "../client.ts"
import * as Ask from "./call/Ask.ts"
import { keyOf, type Worker } from "./Held.ts"
import type { Outbox } from "./Outbox.ts"
import { AgentNameTaken } from "./WorkerError.ts"

/** How often a worker looks for others of its name. */
const Interval = "5 minutes"

/** More pages than the leases of a name fill. */
const MaxPages = 100

/** Leases of this name that this process does not hold, by task and token. The tasks are without their content. */
export type Strange = ReadonlyMap<string, Task>

const expiry = (task: Task | undefined): number | undefined =>
  task?.lease_expires_at == null ? undefined : DateTime.toEpochMillis(task.lease_expires_at)

export const make = (
  worker: Worker,
  { agent, client, id, outbox }: {
    readonly client: Client
    readonly agent: string
    readonly id: OrchestratorId
    readonly outbox: Outbox
  }
) => {
  const ask = Ask.make("list")

  /** What this name holds, from every page: a page ends at some megabytes. */
  const listed = Effect.gen(function*() {
    const tasks: Array<Task> = []
    let cursor: string | null | undefined
    for (let page = 0; page < MaxPages && cursor !== null; page++) {
      const answer = yield* ask.once(client.tasks.list({
        query: {
          queue: ["claimed", "provisional"],
          claimed_by: agent,
          orchestrator_id: id,
          content: false,
          ...(cursor === undefined ? {} : { cursor })
        }
      }))
      tasks.push(...answer.tasks)
      cursor = answer.next_cursor ?? null
    }
    return tasks
  })

  const look = listed.pipe(Effect.map((tasks): Strange =>
    new Map(
      tasks.flatMap((task): ReadonlyArray<[string, Task]> => {
        if (task.fencing_token === null) return []
        const key = keyOf(task.id, task.fencing_token)
        // What was finished is handed in, and not done again.
        return worker.held.has(key) || outbox.has(task.id, task.fencing_token) ? [] : [[key, task]]
      })
    )
  ))

  /** A lease that somebody else renewed between two looks. */
  const moved = (before: Strange, after: Strange): AgentNameTaken | undefined => {
    for (const [key, task] of after) {
      const was = expiry(before.get(key))
      if (was !== undefined && was !== expiry(task)) return AgentNameTaken.of(agent, id, task.id, task.fencing_token!)
    }
    return undefined
  }

  /** Looks for others from time to time, and warns of them once. */
  const watching = Effect.gen(function*() {
    let before: Strange = new Map()
    let times = 0
    for (;;) {
      const after = yield* Effect.catchTag(look, "Unreachable", () => Effect.succeed(before))
      const taken = moved(before, after)
      times = taken === undefined ? 0 : times + 1
      // The last renewal of a process that died may have been on its way at the first look.
      if (taken !== undefined && times === 2) yield* Effect.logError(taken.message)
      before = after
      yield* Effect.sleep(Interval)
    }
  })

  return { look, moved, watching }
}
