/** The state machine: its table, and every sequence of moves over real SQL against a pure model. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { QueueName } from "../src/domain/Identifier.ts"
import { burntOut, claimOf, destination, moves, startsIn, unclaimable } from "../src/domain/task/Moves.ts"
import { rank } from "../src/domain/task/Priority.ts"
import * as Faulty from "./support/Faulty.ts"
import { servicesWith } from "./support/layers.ts"
import { begin, Command, config, run, Start } from "./support/model.ts"
import { commandsOf, Layers } from "./support/model/Layers.ts"
import { runs } from "./support/runs.ts"

describe("the table of moves", () => {
  it.effect.prop(
    "reaches done only by accept, and leaves a lease only where a task may have one",
    { queue: QueueName, origin: Schema.Literals(["incoming", "needs_continuation"]) },
    ({ origin, queue }) =>
      Effect.sync(() => {
        for (const [name, move] of Object.entries(moves)) {
          if (!startsIn(move, queue)) continue
          const target = destination(move, { queue, claimed_from: origin })
          assert.isTrue(target !== "done" || name === "accept" || queue === "done", name)
          assert.strictEqual(move.lease === "grant", name === "claim" || name === "claimReview", name)
        }
      })
  )

  it("returns an expired task to the queue it was claimed from, and leaves a review in its queue", () => {
    assert.strictEqual(
      destination(moves.expire, { queue: "claimed", claimed_from: "needs_continuation" }),
      "needs_continuation"
    )
    assert.strictEqual(
      destination(moves.expireReview, { queue: "provisional", claimed_from: "provisional" }),
      "provisional"
    )
  })

  it("keeps a task under review in its queue", () => {
    assert.strictEqual(destination(claimOf("provisional"), { queue: "provisional", claimed_from: null }), "provisional")
    assert.strictEqual(destination(claimOf("incoming"), { queue: "incoming", claimed_from: null }), "claimed")
  })

  it("lets no claim take a task from claimed or from an end", () => {
    assert.deepStrictEqual([...unclaimable].toSorted(), ["cancelled", "claimed", "done", "failed"])
  })

  it("sends an agent that ran out of turns to needs_continuation", () => {
    const limits = { idleTurns: 80, totalTurns: 100 }
    assert.isTrue(burntOut({ commits_count: 0, turns_used: 80 }, limits))
    assert.isFalse(burntOut({ commits_count: 0, turns_used: 79 }, limits))
    assert.isFalse(burntOut({ commits_count: 1, turns_used: 99 }, limits))
    assert.isTrue(burntOut({ commits_count: 9, turns_used: 100 }, limits))
  })

  it("ranks priorities by their number", () => {
    const order = ["low", "P10", "P2", "whenever", "P0", "high"].toSorted((a, b) => rank(a) - rank(b))
    assert.deepStrictEqual(order, ["P0", "high", "P2", "low", "P10", "whenever"])
    assert.strictEqual(rank("constructor"), rank("whenever"))
  })
})

describe("every sequence of commands", () => {
  it.effect.prop(
    "agrees with the model and keeps every invariant",
    { start: Start, backsOff: Schema.Boolean, keyed: Schema.Boolean, commands: Schema.Array(Command) },
    ({ backsOff, commands, keyed, start }) => {
      const { faults, open } = Faulty.make()
      const backoff = backsOff ? { base: 20_000, max: 60_000 } : undefined
      return run([...begin(start), ...commands], { backoff, keyed, faults }).pipe(
        Effect.provide(
          servicesWith({ ...config, ...(backsOff ? { BACKOFF_SECONDS: "20", BACKOFF_MAX_SECONDS: "60" } : {}) }, open),
          { local: true }
        )
      )
    },
    { timeout: 900_000, arbitrary: { runs: runs(50, 25), size: 120 } }
  )

  it.effect.prop(
    "agrees with the model in layered graphs of dependencies",
    { layers: Layers },
    ({ layers }) =>
      run(commandsOf(layers), { backoff: undefined, keyed: false, faults: Faulty.make().faults }).pipe(
        Effect.provide(servicesWith(config), { local: true })
      ),
    { timeout: 900_000, arbitrary: { runs: runs(24, 8), size: 30 } }
  )
})
