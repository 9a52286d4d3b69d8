/** What has to be refused, whatever the task is like. */
import * as Effect from "effect/Effect"
import { type Bench, idOf, type Steps } from "./Bench.ts"

export const make = (
  { queue, refused, world: { tasks } }: Bench
): Steps<"StaleVersion" | "StaleToken" | "WrongScope"> => ({
  StaleVersion: Effect.fnUntraced(function*(command) {
    const id = idOf(command)
    const version = (tasks.get(id)?.version ?? 1) - 1
    yield* refused(queue.patch(id, { title: "stale", version }, undefined))
    yield* refused(queue.accept(id, { accepted_by: "x", version }, undefined))
  }),
  StaleToken: Effect.fnUntraced(function*(command) {
    const id = idOf(command)
    const fencing_token = (tasks.get(id)?.grants ?? 0) + command.off
    yield* refused(queue.submit(id, { commits_count: 0, turns_used: 0, fencing_token }, undefined))
    yield* refused(queue.accept(id, { accepted_by: "x", fencing_token }, undefined))
    yield* refused(queue.reject(id, { reason: "r", rejected_by: "x", fencing_token }, undefined))
    yield* refused(queue.requeue(id, { fencing_token }, undefined))
    yield* refused(queue.fail(id, { reason: "r", fencing_token }, undefined))
    yield* refused(queue.patch(id, { queue: "failed", fencing_token }, undefined))
  }),
  WrongScope: Effect.fnUntraced(function*(command) {
    const id = idOf(command)
    const scope = tasks.get(id)?.scope === "red" ? "blue" : "red"
    yield* refused(queue.get(id, scope))
    yield* refused(queue.patch(id, { title: "theirs" }, scope))
    yield* refused(queue.accept(id, { accepted_by: "x" }, scope))
    yield* refused(queue.remove(id, scope))
  })
})
