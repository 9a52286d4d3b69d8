/** Checks that a task waits for its blockers, and for nothing else. */
import type { Check } from "../Check.ts"
import { expect, must, refused } from "../Expectation.ts"
import { Look } from "../Look.ts"

export const dependencies: ReadonlyArray<Check> = [
  {
    name: "a blocked task is not claimable, and is ready when its last blocker is done",
    means: "Agents work on tasks that are not ready, or tasks wait for ever for a finished blocker.",
    look: Look.deployment,
    async run({ accept, claim, create, tag }) {
      const queue = tag
      const one = await create("one", { queue })
      const two = await create("two", { queue, priority: "P3" })
      const { id } = await create("after", { queue, priority: "P0", depends_on: [one.id, two.id] })
      const first = expect(await claim({ queue }), 200, { id: one.id })
      expect(await accept(one.id, { fencing_token: first.fencing_token }), 200)
      const second = expect(await claim({ queue }), 200, { id: two.id })
      expect(await claim({ queue }), 404, { reason: "blocked" })
      expect(await accept(two.id, { fencing_token: second.fencing_token }), 200)
      expect(await claim({ queue }), 200, { id, blocked_by: null })
    }
  },
  {
    name: "when a blocker fails, on_failure decides",
    means: "Tasks are done although their blocker has failed, or wait for ever unnoticed.",
    look: Look.deployment,
    async run({ claim, create, post, read }) {
      const blocker = await create("blocker", { priority: "P0" })
      const after = (name: string, on_failure: string) =>
        create(name, { depends_on: [{ task_id: blocker.id, on_failure }] })
      const [wait, skip, fail] = [await after("wait", "wait"), await after("skip", "skip"), await after("fail", "fail")]
      expect(await post(`tasks/${blocker.id}/fail`, { reason: "no disk" }), 200, { queue: "failed" })
      expect(await read(wait.id), 200, { queue: "incoming", blocked_by: blocker.id })
      expect(await read(fail.id), 200, { queue: "failed" })
      expect(await claim(), 200, { id: skip.id })
      expect(await claim(), 404)
    }
  },
  {
    name: "a circle of tasks is refused",
    means: "Tasks can wait for each other, and none of them is ever done.",
    look: Look.deployment,
    async run({ ask, create }) {
      const first = await create("first")
      const second = await create("second", { depends_on: [first.id] })
      const circle = await ask("PUT", `/api/v1/tasks/${first.id}/dependencies/${second.id}`, {})
      refused(circle, 409)
      const kept = await ask("GET", `/api/v1/tasks/${first.id}/dependencies`)
      must(expect(kept, 200).dependencies.length === 0, "the first task to wait for nothing", kept)
    }
  }
]
