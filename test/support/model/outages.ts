/**
 * An outage of the database for one batch of a request. A lost request changes nothing. A request whose answer was lost
 * is repeated under its key, and has had its effect.
 */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { TransientFailure } from "../../../src/sql/Database.ts"
import type { Bench, Steps } from "./Bench.ts"
import type { Command } from "./Command.ts"

type Tag = Command["_tag"]

// These requests make all their changes in one batch.
const posts: ReadonlySet<Tag> = new Set<Tag>([
  "Create",
  "Submit",
  "Accept",
  "Reject",
  "Requeue",
  "Fail",
  "Force",
  "Cancel",
  "Redrive",
  "Release",
  "Ask",
  "Park",
  "Answer",
  "Renew",
  "CompleteHook"
])
// Each task is changed in a batch of its own. Only a repetition under its key makes the rest.
const inParts: ReadonlySet<Tag> = new Set<Tag>(["Bulk"])
const others: ReadonlySet<Tag> = new Set<Tag>(["Move", "Assign", "Block", "Depend", "Undepend", "Retitle", "Delete"])
// Expired leases are taken back before that, in another batch.
const claims: ReadonlySet<Tag> = new Set<Tag>(["Claim", "Review", "Continue", "Test"])

export const make = ({ faults, keyed }: Pick<Bench["options"], "faults" | "keyed">) => {
  let next: Extract<Command, { readonly _tag: "Outage" }> | undefined

  const steps: Steps<"Outage"> = {
    Outage: (outage) =>
      Effect.sync(() => {
        next = outage
      })
  }

  /**
   * Whether the request can be in an outage. A request without a key is not repeated, so its effect would be unknown.
   */
  const canBeOut = (tag: Tag, lost: "request" | "answer") =>
    keyed && (posts.has(tag) || claims.has(tag) || inParts.has(tag)) ||
    (lost === "request" && (posts.has(tag) || others.has(tag)))

  /** Takes a step, in the outage that is due, if any. */
  const during = Effect.fnUntraced(function*(command: Command, step: Effect.Effect<void>) {
    const { _tag } = command
    // A dry run keeps nothing under its key, so it is not repeated.
    const dry = _tag === "Bulk" && command.dry
    if (next === undefined || dry || !canBeOut(_tag, next.lost)) return yield* step
    faults.push(...Array.from({ length: next.after }, () => undefined), `lost ${next.lost}`)
    next = undefined
    const exit = yield* Effect.exit(step)
    const cameAbout = faults.splice(0).length === 0
    if (exit._tag === "Success") return
    if (!cameAbout || !(Cause.squash(exit.cause) instanceof TransientFailure)) return yield* exit
    assert.isFalse(keyed && !others.has(_tag), "a request with a key is made again")
  })

  return { steps, during }
}
