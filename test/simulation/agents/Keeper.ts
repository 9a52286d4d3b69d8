/** A person who sets and closes the breakers of a scope and its project, and repeats what was not answered. */
import * as Effect from "effect/Effect"
import { keyOf, type Machine } from "./Machine.ts"

/** The project of a scope that half of its tasks belong to. */
export const projectOf = (scope: string): string => `${scope}-p`

/** What a breaker is set to at the beginning. */
export const settings = { threshold: 2, window_seconds: 3600, wait_seconds: 30 }

/** Sends the request, and once more if nobody knows what became of it, or by mistake. */
const insist = Effect.fnUntraced(
  function*(machine: Machine, method: string, path: string, body: object, headers: Record<string, string> = {}) {
    const sent = yield* machine.send(method, path, body, headers)
    if (sent === undefined || machine.world.chance.happens(0.3)) yield* machine.send(method, path, body, headers)
  }
)

const close = (machine: Machine, project_id: string | null) =>
  insist(machine, "POST", "/breakers/close", { project_id, closed_by: "keeper", reason: "It is mended." }, {
    "idempotency-key": keyOf(machine)
  })

const set = (machine: Machine, project_id: string | null) => {
  const { chance } = machine.world
  return insist(machine, "PUT", "/breakers", {
    project_id,
    threshold: chance.pick([2, 2, 2, 3, null]),
    window_seconds: chance.pick([300, 3600]),
    wait_seconds: chance.pick([20, 60, 300])
  })
}

export const start = (machine: Machine): void =>
  machine.fork(Effect.forever(Effect.gen(function*() {
    const { chance } = machine.world
    yield* machine.pause(90, 600)
    const listed = yield* machine.send("GET", "/breakers")
    for (const { project_id, state } of listed?.body.breakers ?? []) {
      if (chance.happens(state === "closed" ? 0.1 : 0.3)) yield* close(machine, project_id)
    }
    if (chance.happens(0.4)) yield* set(machine, chance.pick([null, projectOf(machine.scope)]))
  })))
