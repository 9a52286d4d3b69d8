/** Checks that reported usage is summed exactly and once, and that a cap stops claims. */
import type { Check, Group } from "../Check.ts"
import { expect, must, refused } from "../Expectation.ts"
import { Look } from "../Look.ts"

const report = { input_tokens: 1000, output_tokens: 20, cached_tokens: 7, cost_usd: 0.1, wall_seconds: 1.25 }

const checks: ReadonlyArray<Check> = [
  {
    name: "usage is summed exactly for the task and the model, and a repeated report counts once",
    means: "What the work costs is shown wrong, and caps come too early or too late.",
    look: Look.between,
    async run({ ask, create, hold, post, read, tag }) {
      const { id } = await create("a")
      const { fencing_token } = await hold()
      const renew = (n: number) =>
        post(`tasks/${id}/renew`, { fencing_token, usage: { ...report, model: tag } }, {
          "idempotency-key": `${tag}-${n}`
        })
      // 0.1 three times is not 0.3 in binary fractions.
      for (const n of [1, 2, 2, 3, 3, 1]) expect(await renew(n), 200)
      const sums = { input_tokens: 3000, output_tokens: 60, cached_tokens: 21, cost_usd: 0.3, wall_seconds: 3.75 }
      expect(await read(id), 200, sums)
      const answer = await ask("GET", "/api/v1/usage?by=model")
      const own = expect(answer, 200).usage.find(({ model }: any) => model === tag)
      must(
        Object.entries(sums).every(([name, sum]) => own?.[name] === sum),
        `the sums of the model ${tag}: ${JSON.stringify(sums)}`,
        answer
      )
    }
  },
  {
    name: "a report under a lost lease counts nothing",
    means: "An agent that lost its task goes on spending its budget.",
    look: Look.deployment,
    async run({ create, hold, read, release, renew }) {
      const { id } = await create("a")
      const held = await hold()
      await release(held)
      refused(await renew(held, { usage: report }), 409)
      expect(await read(id), 200, { cost_usd: 0, input_tokens: 0, wall_seconds: 0 })
    }
  },
  {
    name: "a holder at a cap is asked to pause, and nobody claims the task until the cap is raised",
    means: "Agents spend more than you allow.",
    look: Look.deployment,
    async run({ claim, create, hold, patch, release, renew }) {
      const { id } = await create("a", { max_tokens: 5 })
      const held = await hold()
      expect(await renew(held, { usage: { input_tokens: 4, output_tokens: 1 } }), 200, { directive: "pause" })
      await release(held)
      refused(await claim(), 404, { reason: "capped" })
      expect(await patch(id, { max_tokens: 50 }), 200)
      expect(await claim(), 200, { id })
    }
  }
]

export const usage: Group = { name: "usage", checks }
