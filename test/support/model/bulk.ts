/**
 * Bulk requests: as if each task were asked for alone, one after the other. A dry run says of each task what would happen
 * if it were the only one.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ScopeName, TaskId } from "../../../src/domain/Identifier.ts"
import { BulkAnswer } from "../../../src/domain/task/Bulk.ts"
import type { Bench, Steps } from "./Bench.ts"
import type { Command } from "./Command.ts"
import * as Ends from "./ends.ts"
import * as Lives from "./lives.ts"
import * as Moves from "./moves.ts"

const encode = Schema.encodeSync(BulkAnswer)

type Action = Extract<Command, { readonly _tag: "Bulk" }>["action"]

// What the commands of single tasks send.
const requests = {
  Accept: { action: "accept", by: "gate" },
  Reject: { action: "reject", by: "gate", reason: "no" },
  Requeue: { action: "requeue" },
  Release: { action: "requeue", release: true },
  Cancel: { action: "cancel", reason: "not needed" },
  Redrive: { action: "redrive", reason: "again" },
  Delete: { action: "delete" }
} as const

export const make = (bench: Bench): Steps<"Bulk"> => {
  const { keyed, queue, world } = bench
  let expected: Array<boolean> = []
  let dry = false
  // The steps of single commands, which only change the model.
  const predicting: Bench["expecting"] = (allowed, _effect, id, change) =>
    Effect.sync(() => {
      expected.push(allowed)
      if (allowed && !dry) world.changing(change, id)
    })
  // A bulk request reports no usage.
  const alone = { ...bench, expecting: predicting, posting: predicting, world: { ...world, use: () => {} } }
  const steps = { ...Moves.make(alone), ...Ends.make(alone), ...Lives.make(alone) }

  const predict = (action: Action, id: "a" | "b" | "c" | "d") => {
    const command = { id }
    switch (action) {
      case "Accept":
        return steps.Accept({ _tag: "Accept", ...command })
      case "Reject":
        return steps.Reject({ _tag: "Reject", ...command })
      case "Requeue":
        return steps.Requeue({ _tag: "Requeue", ...command })
      case "Release":
        return steps.Release({ _tag: "Release", ...command })
      case "Cancel":
        return steps.Cancel({ _tag: "Cancel", ...command })
      case "Redrive":
        return steps.Redrive({ _tag: "Redrive", terminal: false, ...command })
      case "Delete":
        return steps.Delete({ _tag: "Delete", ...command })
    }
  }

  return {
    Bulk: Effect.fnUntraced(function*(command) {
      const ids = [...new Set(command.ids)]
      const request = { ...requests[command.action], ids: ids.map((id) => TaskId.make(id)), dry_run: command.dry }
      // As the wire shows it: an error that was decoded has its fields in another order.
      const sent = Effect.map(
        Effect.orDie(queue.bulk(request, { own: ScopeName.make("red"), reach: undefined })),
        encode
      )
      // A dry run keeps nothing under its key, so it is not repeated later.
      const { outcomes } = yield* (command.dry ? sent : keyed(sent))
      expected = []
      dry = command.dry
      for (const id of ids) yield* predict(command.action, id)
      assert.deepStrictEqual(
        outcomes.map(({ outcome, task_id }) => [task_id, outcome]),
        ids.map((id, place) => [id, expected[place] ? "done" : "refused"]),
        JSON.stringify(outcomes)
      )
      for (const { outcome, queue, task_id, version } of outcomes) {
        if (outcome !== "done" || dry || command.action === "Delete") continue
        // A later task of the request may have changed this one.
        if (task_id === ids.at(-1)) {
          const task = world.tasks.get(task_id)!
          assert.deepStrictEqual([queue, version], [task.queue, task.version], task_id)
        }
      }
    })
  }
}
