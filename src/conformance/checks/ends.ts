/** Checks work that does not succeed: rejected, given up, failed, cancelled, redriven. */
import type { Check } from "../Check.ts"
import { expect, must } from "../Expectation.ts"
import { Look } from "../Look.ts"

export const ends: ReadonlyArray<Check> = [
  {
    name: "a rejected task goes to its next holder with the reason",
    means: "Rejected work is lost, or the next agent makes the same mistake.",
    look: Look.deployment,
    async run({ accept, claim, create, hold, reject, submit }) {
      const { id } = await create("a")
      expect(await submit(await hold()), 200)
      const reason = "There is no test for an empty list."
      expect(await reject(id, { reason }), 200, { queue: "incoming", rejection_count: 1, claimed_by: null })
      const again = await claim({ agent_name: "bob" })
      const { handoff } = expect(again, 200, { id, last_rejection_reason: reason })
      must(handoff?.last_rejection_reason === reason, "the handoff to name the reason of the rejection", again)
      expect(await submit(again.body), 200)
      expect(await accept(id), 200, { queue: "done" })
    }
  },
  {
    name: "a requeued task returns to its queue, and counts an attempt",
    means: "Tasks that agents give up are never claimed again, or are tried without end.",
    look: Look.deployment,
    async run({ create, hold, post }) {
      const { id } = await create("a")
      const { fencing_token } = await hold()
      const back = { queue: "incoming", claimed_by: null }
      expect(await post(`tasks/${id}/requeue`, { fencing_token, release: true }), 200, { ...back, attempt_count: 0 })
      const again = await hold()
      const requeue = { fencing_token: again.fencing_token, reason: "stuck" }
      expect(await post(`tasks/${id}/requeue`, requeue), 200, { ...back, attempt_count: 1 })
    }
  },
  {
    name: "a task fails with a reason, and a redrive brings it back with its counters at zero",
    means: "Failed work cannot be distinguished from running work, or cannot be brought back.",
    look: Look.deployment,
    async run({ claim, create, hold, post }) {
      const { id } = await create("a")
      const { fencing_token } = await hold()
      const failure = { reason: "no such repository", fencing_token }
      expect(await post(`tasks/${id}/fail`, failure), 200, {
        queue: "failed",
        failure_reason: "no such repository",
        claimed_by: null
      })
      expect(await claim(), 404)
      expect(await post(`tasks/${id}/redrive`), 200, { queue: "incoming", attempt_count: 0, failure_reason: null })
      expect(await claim(), 200, { id })
    }
  },
  {
    name: "a task that nobody holds is cancelled at once",
    means: "Cancelled work is done nevertheless.",
    look: Look.deployment,
    async run({ claim, create, post }) {
      const { id } = await create("a")
      const cancelled = { queue: "cancelled", cancel_reason: "not needed", version: 2 }
      expect(await post(`tasks/${id}/cancel`, { reason: "not needed" }), 200, cancelled)
      expect(await claim(), 404)
      expect(await post(`tasks/${id}/cancel`), 200, cancelled)
    }
  },
  {
    name: "a held task is cancelled through its holder",
    means: "Agents continue cancelled work, or two agents disturb each other.",
    look: Look.deployment,
    async run({ create, hold, post, renew }) {
      const { id } = await create("a")
      const held = await hold()
      expect(await post(`tasks/${id}/cancel`, { reason: "not needed" }), 200, { queue: "claimed", claimed_by: "ann" })
      expect(await renew(held), 200, { directive: "cancel", cancel_reason: "not needed" })
      const requeue = { fencing_token: held.fencing_token }
      expect(await post(`tasks/${id}/requeue`, requeue), 200, { queue: "cancelled", claimed_by: null })
    }
  }
]
