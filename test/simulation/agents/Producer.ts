/** Who makes the tasks: of every priority, with budgets, deadlines, names of its own, and tasks that wait for tasks. */
import * as Effect from "effect/Effect"
import type * as client from "../../../src/client.ts"
import { projectOf } from "./Keeper.ts"
import { type Machine, settle } from "./Machine.ts"

const query = {}

export const taskOf = ({ scope, world: { breaking, chance } }: Machine, n: number): client.NewTask => {
  const id = `${scope}-${n}`
  const blockers = n > 1 && chance.happens(0.45)
    ? [...new Set([chance.between(1, n - 1), chance.between(1, n - 1)])]
    : []
  return {
    id: id as client.TaskId,
    file_path: `${id}.md`,
    title: `Task ${n}`,
    branch: "main",
    priority: chance.pick(["P0", "P1", "P2", "P2"]),
    role: chance.pick([null, "build", "test"]),
    depends_on: blockers.map((blocker) => ({
      task_id: `${scope}-${blocker}` as client.TaskId,
      on_failure: chance.pick(["wait", "skip", "fail"] as const)
    })),
    ...(chance.happens(0.3) ? { external_key: `issue-${chance.between(1, 6)}` } : {}),
    ...(chance.happens(0.3) ? { max_attempts: chance.between(1, 3) } : {}),
    ...(chance.happens(0.3) ? { max_lease_losses: chance.between(1, 3) } : {}),
    ...(chance.happens(0.3) ? { max_rejections: chance.between(1, 2) } : {}),
    ...(chance.happens(0.2) ? { max_attempt_seconds: chance.pick([60, 300]) } : {}),
    ...(breaking && chance.happens(0.5) ? { project_id: projectOf(scope) as client.ProjectId } : {})
  }
}

export const start = (machine: Machine, tasks: number): void => {
  machine.fork(Effect.gen(function*() {
    const { chance, engine } = machine.world
    const { api } = machine
    for (let n = 1; n <= tasks; n++) {
      const payload = taskOf(machine, n)
      yield* settle(machine, api.tasks.create({ query, payload }), 6)
      if (chance.happens(0.1)) {
        // The same key for another task: nothing of it may be done.
        const headers = { "idempotency-key": `careless-${machine.scope}` }
        yield* machine.send("POST", "/tasks", {
          ...payload,
          id: `${payload.id}-twin`,
          file_path: `${payload.id}-twin.md`
        }, headers)
      }
      // On objects workers wait for a task, so there have to be fewer tasks than workers now and then.
      if (chance.happens(engine === "d1" ? 0.6 : 0.9)) yield* machine.pause(1, engine === "d1" ? 200 : 300)
    }
  }))
}
