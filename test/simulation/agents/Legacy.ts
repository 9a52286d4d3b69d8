/** An agent of the old days: bare requests without keys, tokens or renewals, at best with a version, repeated blindly when no answer comes. */
import * as Effect from "effect/Effect"
import { register } from "./Builder.ts"
import type { Machine } from "./Machine.ts"

/** Repeats a request until any answer comes. */
const insist = Effect.fnUntraced(function*(machine: Machine, method: string, path: string, body: unknown) {
  for (let left = 4; left > 0; left--) {
    const answer = yield* machine.send(method, path, body)
    if (answer !== undefined && answer.status < 500) return answer
    yield* machine.pause(1, 20)
  }
  return undefined
})

const agent = Effect.fnUntraced(function*(machine: Machine, name: string, orchestrator_id: string) {
  const { chance } = machine.world
  for (;;) {
    const claim = { orchestrator_id, agent_name: name, lease_duration_seconds: chance.pick([30, 120, 600]) }
    const answer = yield* insist(machine, "POST", "/tasks/claim", claim)
    if (answer?.status !== 200) {
      yield* machine.pause(60, 500)
      continue
    }
    const { id } = answer.body
    // Some clients know versions. Like a token, a version shows them that someone else has the task.
    const known = chance.happens(0.5) ? { version: answer.body.version } : {}
    yield* machine.pause(1, claim.lease_duration_seconds * 1.3)
    const fate = chance.next()
    if (fate < 0.7) {
      yield* insist(machine, "POST", `/tasks/${id}/submit`, { commits_count: 1, turns_used: 10, ...known })
    } else if (fate < 0.8) yield* insist(machine, "POST", `/tasks/${id}/requeue`, known)
    else if (fate < 0.85) yield* insist(machine, "PATCH", `/tasks/${id}`, { queue: "failed", reason: "It broke." })
    else if (fate < 0.9) yield* insist(machine, "PATCH", `/tasks/${id}`, { claimed_by: null, queue: "incoming" })
    else if (fate < 0.95) yield* insist(machine, "PATCH", `/tasks/${id}`, { queue: "provisional", commits_count: 1 })
  }
})

export const start = (machine: Machine): void => {
  machine.fork(Effect.gen(function*() {
    const id = yield* register(machine)
    for (const n of [1, 2]) machine.fork(agent(machine, `${machine.process.name} agent ${n}`, id))
  }))
}
