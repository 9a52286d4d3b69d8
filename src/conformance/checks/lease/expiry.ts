/** Checks what happens after a lease expires: the task returns, its holder may renew, and another claim takes it. */
import type { Check } from "../../Check.ts"
import { expect, must, refused } from "../../Expectation.ts"
import { Look } from "../../Look.ts"

// The shortest lease. It was granted before its answer arrived, so it has expired when this time has passed.
const Short = { lease_duration_seconds: 1 }
const AfterShort = 1.3

const late = "An orchestrator that was away, as a laptop that slept, loses work that nobody else took."

export const expiry: ReadonlyArray<Check> = [
  {
    name: "a task with an expired lease returns to its queue, with a count and a history entry",
    means: "Tasks of machines that died are stuck: nobody gets them, and nobody knows who had them.",
    look: Look.time,
    async run({ ask, create, history, hold, holdAgain, sleep, tag }) {
      const queue = tag
      const { id } = await create("a", { queue })
      const ann = await hold({ queue, ...Short })
      await sleep(AfterShort)
      const bob = await holdAgain({ queue, agent_name: "bob" })
      must(bob.id === id && bob.claimed_by === "bob", "bob to be granted the task that ann lost")
      must(bob.fencing_token > ann.fencing_token, `a fencing_token greater than ${ann.fencing_token}`)
      must(bob.lease_losses === 1 && bob.attempt_count === 1, "lease_losses and attempt_count to be 1")
      const entry = (await history(id)).find(({ event }) => event === "lease_expired")
      must(
        entry?.actor === "ann" && entry.from_queue === "claimed" && entry.to_queue === queue,
        `an entry lease_expired that names ann and leads from claimed to ${queue}`,
        await ask("GET", `/api/v1/tasks/${id}/history`)
      )
    }
  },
  {
    name: "an expired lease is re-attached if nobody else took the task",
    means: late,
    look: Look.time,
    async run({ accept, create, hold, renew, sleep, submit }) {
      const { id } = await create("a")
      const held = await hold(Short)
      await sleep(AfterShort)
      expect(await renew(held), 200, { task_id: id, fencing_token: held.fencing_token, directive: "continue" })
      expect(await submit(held), 200, { queue: "provisional" })
      expect(await accept(id), 200, { queue: "done" })
    }
  },
  {
    name: "a late result counts if nobody else took the task",
    means: late,
    look: Look.time,
    async run({ create, hold, sleep, submit }) {
      await create("a")
      const held = await hold(Short)
      await sleep(AfterShort)
      expect(await submit(held), 200, { queue: "provisional", claimed_by: null })
    }
  },
  {
    name: "a lease is lost when someone else is granted the task",
    means: "Two agents work on one task, and each overwrites what the other did.",
    look: Look.deployment,
    async run({ create, hold, holdAgain, orchestrator, post, read, renew, sleep, tag }) {
      const queue = tag
      const { id } = await create("a", { queue })
      const ann = await hold({ queue, ...Short })
      await sleep(AfterShort)
      const bob = await holdAgain({ queue, agent_name: "bob" })
      refused(await renew(ann), 409, { reason: "taken", claimed_by: "bob" })
      const leases = [{ task_id: id, fencing_token: ann.fencing_token }]
      const beat = await post(`orchestrators/${orchestrator}/heartbeat`, { leases })
      const { lost } = expect(beat, 200, { renewed: [] })
      must(lost?.[0]?.reason === "taken" && lost[0].claimed_by === "bob", "the lease lost, because bob holds it", beat)
      const { claimed_by, fencing_token, lease_expires_at } = bob
      expect(await read(id), 200, { claimed_by, fencing_token, lease_expires_at })
    }
  },
  {
    name: "a review has one holder, stays in its queue, and is free again when its lease expires",
    means: "Two reviewers judge the same result, or an abandoned review is never finished.",
    look: Look.time,
    async run({ accept, claim, create, hold, sleep }) {
      const { id } = await create("a", { queue: "provisional" })
      const review = { queue: "provisional", agent_name: "rex" }
      const first = expect(await claim({ ...review, ...Short }), 200, { id, queue: "provisional", claimed_by: "rex" })
      await sleep(AfterShort)
      const second = await hold({ ...review, agent_name: "rita" })
      must(second.id === id && second.fencing_token > first.fencing_token, "rita to be granted the review rex left")
      must(second.attempt_count === 0 && second.lease_losses === 0, "a review that was left not to count as an attempt")
      expect(await claim(review), 404)
      expect(await accept(id, { fencing_token: second.fencing_token }), 200, { queue: "done" })
    }
  }
]
