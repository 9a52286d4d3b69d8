/** The worker of this package, as its users run it. After a crash it takes up again what it held. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Worker from "../../../src/client/Worker.ts"
import type { Machine } from "./Machine.ts"

class Botched extends Data.TaggedError("Botched") {}

export const start = (machine: Machine, agentName: string): void => {
  const { chance } = machine.world
  machine.fork(
    Worker.run({
      client: machine.api,
      machine: { cluster: "k", machine_id: machine.process.name.replaceAll(" ", "-") },
      agentName,
      concurrency: 2,
      leaseSeconds: chance.pick([60, 300]),
      onFailure: () => "retry",
      resume: true
    }, (attempt) =>
      Effect.gen(function*() {
        yield* machine.pause(1, 120)
        if (chance.happens(0.5)) {
          yield* Effect.orDie(attempt.checkpoint({ notes: "half of it" }))
          yield* attempt.renew
        }
        yield* machine.pause(1, 240)
        if (chance.happens(0.15)) return yield* new Botched()
        return { commits_count: 1, turns_used: 10 }
      }))
  )
}
