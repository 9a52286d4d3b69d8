/**
 * Finds other processes with the name of this worker. A live worker renews its leases at least every minute. So if a
 * lease of this name changes and this process did not renew it, another process has the name: both are warned, and
 * neither resumes the tasks of the other.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Client, OrchestratorId, Task } from "../../client.ts"
import * as Ask from "../call/Ask.ts"
import { keyOf, type Worker } from "../Held.ts"
import type { Outbox } from "../Outbox.ts"
import { AgentNameTaken } from "../WorkerError.ts"

/** How often a worker looks for others with its name. */
const Interval = "5 minutes"

/** More pages than the leases of one name fill. */
const MaxPages = 100

/** The leases of this name that this process does not hold, by task and token. The tasks have no content. */
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

  /** The leases of this name, from all pages: a page ends at a few megabytes. */
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
        // A finished task is handed in and not done again.
        return worker.held.has(key) || outbox.has(task.id, task.fencing_token) ? [] : [[key, task]]
      })
    )
  ))

  /** The error, if someone else renewed a lease between two looks. */
  const moved = (before: Strange, after: Strange): AgentNameTaken | undefined => {
    for (const [key, task] of after) {
      const was = expiry(before.get(key))
      if (was !== undefined && was !== expiry(task)) return AgentNameTaken.of(agent, id, task.id, task.fencing_token!)
    }
    return undefined
  }

  /** Looks for others regularly, and warns once. */
  const watching = Effect.gen(function*() {
    let before: Strange = new Map()
    let times = 0
    for (;;) {
      const after = yield* Effect.catchTag(look, "Unreachable", () => Effect.succeed(before))
      const taken = moved(before, after)
      times = taken === undefined ? 0 : times + 1
      // The last renewal of a process that died may arrive after the first look.
      if (taken !== undefined && times === 2) yield* Effect.logError(taken.message)
      before = after
      yield* Effect.sleep(Interval)
    }
  })

  return { look, moved, watching }
}
