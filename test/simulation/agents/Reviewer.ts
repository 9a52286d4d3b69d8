/** Who looks at results: claims them where they are, and accepts or rejects them under the token of the review. */
import * as Effect from "effect/Effect"
import type { OrchestratorId } from "../../../src/client.ts"
import { register } from "./Builder.ts"
import { type Machine, settle } from "./Machine.ts"

const query = {}

const agent = Effect.fnUntraced(function*(machine: Machine, name: string, orchestrator_id: OrchestratorId) {
  const { chance } = machine.world
  const { api } = machine
  for (;;) {
    const seconds = chance.pick([30, 120, 600])
    const answer = yield* settle(
      machine,
      api.tasks.claim({
        query,
        payload: { orchestrator_id, agent_name: name, queue: "provisional", lease_duration_seconds: seconds }
      })
    )
    if (answer === undefined || !("done" in answer)) {
      yield* machine.pause(60, 300)
      continue
    }
    const { fencing_token, id } = answer.done
    const params = { id }
    yield* machine.pause(1, seconds * (chance.happens(0.8) ? 0.9 : 1.5))
    const fate = chance.next()
    if (fate < 0.6) {
      yield* settle(machine, api.tasks.accept({ query, params, payload: { accepted_by: name, fencing_token } }))
    } else if (fate < 0.85) {
      const payload = { rejected_by: name, reason: "The tests fail.", fencing_token }
      yield* settle(machine, api.tasks.reject({ query, params, payload }))
    } else if (fate < 0.92) {
      yield* settle(machine, api.tasks.requeue({ query, params, payload: { release: true, fencing_token } }))
    }
  }
})

export const start = (machine: Machine): void => {
  machine.fork(Effect.gen(function*() {
    const id = yield* register(machine)
    for (const n of [1, 2]) machine.fork(agent(machine, `${machine.process.name} agent ${n}`, id))
  }))
}
