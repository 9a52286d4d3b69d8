/** A person with the administrator's secret, who now and then does something to a task; and one who tries another's tasks. */
import * as Effect from "effect/Effect"
import { ensure } from "../Violation.ts"
import { keyOf, type Machine } from "./Machine.ts"

const orders: ReadonlyArray<readonly [verb: string, body: (chance: Machine["world"]["chance"]) => object]> = [
  ["cancel", () => ({ reason: "Nobody needs it." })],
  ["requeue", () => ({ reason: "Once more." })],
  ["redrive", () => ({ reason: "It is worth another try." })],
  ["redrive", () => ({ reason: "It is worth another try." })],
  ["accept", () => ({ accepted_by: "operator" })],
  ["force-queue", (chance) => ({
    queue: chance.pick([
      "incoming",
      "provisional",
      "failed",
      "requires-intervention",
      "needs_continuation",
      "done",
      "claimed"
    ]),
    reason: "I know better."
  })]
]

const act = Effect.fnUntraced(function*(machine: Machine, task: any) {
  const { chance } = machine.world
  const path = `/tasks/${task.id}`
  // A decision is about the task as the operator saw it.
  const { version } = task
  if (chance.happens(0.08)) return yield* machine.send("DELETE", path)
  if (chance.happens(0.15)) return yield* machine.send("PATCH", path, { priority: chance.pick(["P0", "P3"]), version })
  if (chance.happens(0.15)) {
    const blocked_by = chance.pick([null, `${task.scope}-1`, `${task.scope}-2`])
    return yield* machine.send("PATCH", path, { blocked_by, version })
  }
  const [verb, body] = chance.pick(orders)
  const headers: Record<string, string> = chance.happens(0.5) ? { "idempotency-key": keyOf(machine) } : {}
  const order = { ...body(chance), version }
  const answer = yield* machine.send("POST", `${path}/${verb}`, order, headers)
  if (answer === undefined || chance.happens(0.2)) yield* machine.send("POST", `${path}/${verb}`, order, headers)
  return answer
})

/** Decides about a task of a scope every few minutes. A done task stays done. */
export const start = (machine: Machine, scopes: ReadonlyArray<string>): void => {
  machine.fork(Effect.gen(function*() {
    const { chance } = machine.world
    for (;;) {
      yield* machine.pause(60, 300)
      const listed = yield* machine.send("GET", `/tasks?scope=${chance.pick(scopes)}&limit=200`)
      const tasks: ReadonlyArray<any> = listed?.body.tasks ?? []
      const open = tasks.filter(({ queue }) => queue !== "done")
      if (open.length === 0) continue
      const seen = chance.pick(open)
      // Some decide slowly, and the task changes meanwhile.
      if (chance.happens(0.5)) yield* machine.pause(10, 180)
      yield* act(machine, seen)
    }
  }))
}

/** Requests tasks of another scope by id. They must look as if they did not exist. */
export const startSpy = (machine: Machine, other: string): void => {
  machine.fork(Effect.gen(function*() {
    const { chance } = machine.world
    for (;;) {
      yield* machine.pause(120, 600)
      const path = `/tasks/${other}-${chance.between(1, 9)}`
      const fencing_token = chance.between(1, 3)
      const answer = yield* (chance.pick([
        () => machine.send("GET", path),
        () => machine.send("GET", `${path}/history`),
        () => machine.send("POST", `${path}/submit`, { commits_count: 1, turns_used: 1, fencing_token }),
        () => machine.send("POST", `${path}/renew`, { fencing_token }),
        () => machine.send("POST", `${path}/accept`, { accepted_by: "spy" }),
        () => machine.send("POST", `${path}/cancel`, {}),
        () => machine.send("PATCH", path, { title: "mine" }),
        () => machine.send("DELETE", path)
      ])())
      if (answer === undefined || answer.status >= 500) continue
      machine.world.journal.saw("asked about another scope's task")
      machine.world.check(() =>
        ensure(answer.status === 404, () => `a key of ${machine.scope} was answered ${answer.status} for ${path}`)
      )
    }
  }))
}
