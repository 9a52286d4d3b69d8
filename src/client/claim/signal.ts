/**
 * Waits for work on the WebSocket of the scope: the server sends a message when a task is ready for this worker, which
 * then claims. Meanwhile neither has anything to do, so a Durable Object can leave the memory.
 */
import * as Effect from "effect/Effect"
import { MaxWait, type Wait } from "../../domain/feed/Wait.ts"
import { bytesOf } from "../../domain/Size.ts"
import * as Push from "../call/Push.ts"
import type { Worker } from "../Held.ts"
import type { WorkerOptions } from "../WorkerOptions.ts"

export interface Signal {
  /** Whether the server says when there is work. Otherwise a claim waits, or the worker. */
  readonly isOpen: () => boolean
  /** Asks for the message. `worker.claimNow` is opened when it comes. */
  readonly ask: Effect.Effect<void>
  /** Keeps the WebSocket open as long as it runs. */
  readonly listening: Effect.Effect<never>
}

export const none: Signal = { isOpen: () => false, ask: Effect.void, listening: Effect.never }

export const make = (
  worker: Worker,
  options: Pick<WorkerOptions, "client" | "push" | "queue" | "roles" | "types" | "until">
): Signal => {
  const { client, push: wanted = true, queue, roles, types, until } = options
  const wait: Wait = {
    type: "wait",
    ...(queue === undefined ? {} : { queue }),
    ...(roles === undefined ? {} : { role_filter: roles }),
    ...(types === undefined ? {} : { type_filter: types })
  }
  if (!wanted || until === "idle" || "tasks" in client || bytesOf(JSON.stringify(wait)) > MaxWait) return none
  let asked = false
  let refused = false
  const claimNow = Effect.sync(() => {
    asked = false
    worker.claimNow.openUnsafe()
  })
  const push = Push.make(client, { feed: "false" }, {
    changed: Effect.suspend(() =>
      Effect.andThen(
        Effect.logDebug(
          push.isOpen() ? "waits for work on a WebSocket" : "the WebSocket has ended; claims wait instead"
        ),
        claimNow
      )
    ),
    heard: (message) =>
      Effect.suspend(() => {
        if (message.startsWith("{\"type\":\"work\"")) return claimNow
        refused = true
        return Effect.andThen(Effect.logWarning(`the server takes no wait on the WebSocket: ${message}`), claimNow)
      })
  })
  return {
    isOpen: () => push.isOpen() && !refused,
    ask: Effect.suspend(() => {
      if (asked) return Effect.void
      asked = true
      return push.send(wait)
    }),
    listening: push.listening
  }
}
