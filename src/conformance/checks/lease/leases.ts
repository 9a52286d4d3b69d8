/** Checks that leases are granted and extended as they say, and what happens when they expire. */
import type { Check, Group } from "../../Check.ts"
import { expect, must, refused } from "../../Expectation.ts"
import { Look } from "../../Look.ts"
import { expiry } from "./expiry.ts"

const checks: ReadonlyArray<Check> = [
  {
    name: "a claim says when its lease ends, and when to renew it",
    means: "Agents do not know how long the work is theirs, and lose it in the middle.",
    look: Look.time,
    async run({ claim, create }) {
      await create("a")
      await create("b")
      // Orchestrators of the old server ask for four hours.
      for (const [name, seconds] of [["ann", 600], ["bob", 14_400]] as const) {
        const answer = await claim({ agent_name: name, lease_duration_seconds: seconds })
        const { claimed_at, fencing_token, lease_expires_at, renew_after_seconds } = expect(answer, 200)
        const lasts = Date.parse(lease_expires_at) - Date.parse(claimed_at)
        must(Math.abs(lasts - seconds * 1000) < 1000, `lease_expires_at ${seconds} s after claimed_at`, answer)
        must(Number.isInteger(fencing_token), "status 200 with fencing_token: a whole number", answer)
        must(
          renew_after_seconds > 0 && renew_after_seconds < seconds,
          `renew_after_seconds within the ${seconds} s`,
          answer
        )
      }
    }
  },
  {
    name: "a lease of more than a day is refused, and changes nothing",
    means: "A mistake in a client can keep a task from everybody else for good.",
    look: Look.deployment,
    async run({ claim, create, read }) {
      const { id } = await create("a")
      refused(await claim({ lease_duration_seconds: 86_401 }), 400)
      refused(await claim({ lease_duration_seconds: -1 }), 400)
      expect(await read(id), 200, { queue: "incoming", version: 1 })
    }
  },
  {
    name: "a renewal extends the lease, and is no change of the task",
    means: "Agents lose long work in the middle, however often they renew.",
    look: Look.time,
    async run({ create, hold, read, renew }) {
      const { id } = await create("a")
      const held = await hold({ lease_duration_seconds: 600 })
      const renewed = await renew(held, { lease_duration_seconds: 3600 })
      const { lease_expires_at } = expect(renewed, 200, { fencing_token: held.fencing_token, directive: "continue" })
      must(lease_expires_at > held.lease_expires_at, `lease_expires_at after ${held.lease_expires_at}`, renewed)
      expect(await read(id), 200, { lease_expires_at, version: held.version })
    }
  },
  {
    name: "a heartbeat renews the leases of a machine, and names those that are lost",
    means: "A machine loses all its tasks, or works on tasks that are no longer its own.",
    look: Look.time,
    async run({ create, hold, idOf, orchestrator, post, read }) {
      await create("a")
      const { fencing_token, id, lease_expires_at } = await hold({ lease_duration_seconds: 600 })
      const beat = await post(`orchestrators/${orchestrator}/heartbeat`, {
        leases: [
          { task_id: id, fencing_token, lease_duration_seconds: 3600 },
          { task_id: idOf("nowhere"), fencing_token: 1 }
        ]
      })
      const { lost, renewed } = expect(beat, 200, { success: true })
      must(renewed?.length === 1 && renewed[0].task_id === id, "the lease among the renewed", beat)
      must(lost?.length === 1 && lost[0].reason === "not_found", "a task that there is not among the lost", beat)
      const read_ = await read(id)
      must(expect(read_, 200).lease_expires_at > lease_expires_at, `lease_expires_at after ${lease_expires_at}`, read_)
    }
  }
]

export const leases: Group = { name: "leases", checks: [...checks, ...expiry] }
