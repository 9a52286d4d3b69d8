/** Commands that have to be refused for every task. */
import * as Effect from "effect/Effect"
import { ScopeName, TaskId } from "../../../src/domain/Identifier.ts"
import { type Bench, idOf, type Steps } from "./Bench.ts"
import { Hook } from "./lives.ts"

type Call = Effect.Effect<unknown, { readonly _tag: string }>

export const make = (
  { dependencies, leases, queue, refused, world: { edges, tasks } }: Bench
): Steps<"StaleVersion" | "StaleToken" | "WrongScope"> => {
  const all = (calls: ReadonlyArray<Call>, id: TaskId, why: string) =>
    Effect.forEach(calls, (call) => refused(tasks.has(id) ? why : "TaskNotFound", call), { discard: true })

  /** A task that this one waits for, or might wait for. */
  const blockerOf = (id: TaskId) => TaskId.make(edges.find((edge) => edge.task === id)?.blocker ?? "x")

  return {
    StaleVersion: (command) => {
      const id = idOf(command)
      const version = (tasks.get(id)?.version ?? 1) - 1
      const calls = [
        queue.patch(id, { title: "stale", version }, undefined),
        queue.accept(id, { accepted_by: "x", version }, undefined)
      ]
      return all(calls, id, "VersionConflict")
    },
    StaleToken: (command) => {
      const id = idOf(command)
      const stale = { fencing_token: (tasks.get(id)?.grants ?? 0) + command.off }
      const calls = [
        queue.submit(id, { commits_count: 0, turns_used: 0, ...stale }, undefined),
        queue.accept(id, { accepted_by: "x", ...stale }, undefined),
        queue.reject(id, { reason: "r", rejected_by: "x", ...stale }, undefined),
        queue.requeue(id, stale, undefined),
        queue.requeue(id, { release: true, ...stale }, undefined),
        queue.fail(id, { reason: "r", ...stale }, undefined),
        queue.cancel(id, stale, undefined),
        queue.redrive(id, stale, undefined),
        queue.patch(id, { queue: "failed", ...stale }, undefined),
        queue.force(id, { queue: "done", reason: "r", ...stale }, undefined),
        queue.completeHook(id, Hook, { status: "passed", ...stale }, undefined),
        leases.renew(id, stale, undefined),
        dependencies.put(id, TaskId.make("x"), stale, undefined),
        dependencies.replace(id, { depends_on: [], ...stale }, undefined),
        dependencies.remove(id, blockerOf(id), stale, undefined)
      ]
      return all(calls, id, "LeaseLost")
    },
    WrongScope: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      const scope = ScopeName.make(task?.scope === "red" ? "blue" : "red")
      const calls = [
        queue.get(id, scope),
        queue.handoff(id, scope),
        queue.explain(id, {}, scope),
        queue.patch(id, { title: "theirs" }, scope),
        queue.submit(id, { commits_count: 0, turns_used: 0 }, scope),
        queue.accept(id, { accepted_by: "x" }, scope),
        queue.reject(id, { reason: "r", rejected_by: "x" }, scope),
        queue.requeue(id, {}, scope),
        queue.requeue(id, { release: true }, scope),
        queue.fail(id, { reason: "r" }, scope),
        queue.cancel(id, {}, scope),
        queue.redrive(id, {}, scope),
        queue.force(id, { queue: "done", reason: "r" }, scope),
        queue.completeHook(id, Hook, { status: "passed" }, scope),
        queue.remove(id, scope),
        leases.renew(id, { fencing_token: task?.grants ?? 0 }, scope),
        dependencies.list(id, scope),
        dependencies.put(id, TaskId.make("x"), {}, scope),
        dependencies.replace(id, { depends_on: [] }, scope),
        dependencies.remove(id, blockerOf(id), {}, scope),
        dependencies.graph(id, 3, scope)
      ]
      return all(calls, id, "TaskNotFound")
    }
  }
}
