/** Checks that a call under a lost lease, or for an old version of a task, changes nothing. */
import type { Check, Group } from "../../Check.ts"
import { expect, must, refused, same } from "../../Expectation.ts"
import { Look } from "../../Look.ts"

const overwritten = "An agent that lost its task overwrites the work of the agent that has it now."

const checks: ReadonlyArray<Check> = [
  {
    name: "the token rises with every grant",
    means: overwritten,
    look: Look.deployment,
    async run({ claim, create, hold, release, submit }) {
      await create("a")
      const tokens: Array<number> = []
      for (let i = 0; i < 3; i++) {
        const held = await hold()
        tokens.push(held.fencing_token)
        if (i < 2) await release(held)
        else expect(await submit(held), 200)
      }
      const review = await claim({ queue: "provisional" })
      tokens.push(expect(review, 200).fencing_token)
      must(
        tokens.every((token, i) => i === 0 || token > tokens[i - 1]!),
        `rising tokens, not ${tokens.join(", ")}`,
        review
      )
    }
  },
  {
    name: "every call with an older token is refused, and changes nothing",
    means: overwritten,
    look: Look.between,
    async run({ create, hold, patch, post, read, release }) {
      const { id } = await create("a", { hooks: [{ name: "lint" }] })
      const ann = await hold()
      await release(ann)
      await hold({ agent_name: "bob" })
      const before = await read(id)
      expect(before, 200, { claimed_by: "bob" })
      const stale = { fencing_token: ann.fencing_token }
      const calls: ReadonlyArray<readonly [string, object]> = [
        ["submit", { commits_count: 1, turns_used: 1 }],
        ["accept", { accepted_by: "rex" }],
        ["reject", { reason: "r", rejected_by: "rex" }],
        ["requeue", {}],
        ["fail", { reason: "r" }],
        ["renew", {}],
        ["hooks/lint/complete", { status: "passed" }]
      ]
      for (const [call, body] of calls) {
        const answer = await post(`tasks/${id}/${call}`, { ...body, ...stale })
        refused(answer, 409, { reason: "taken", claimed_by: "bob" })
      }
      refused(await patch(id, { queue: "incoming", ...stale }), 409, { reason: "taken" })
      same(await read(id), before.body, "the task as it was before the refused calls")
    }
  },
  {
    name: "only the token of the holder may push",
    means: "An agent that lost its task pushes over the work of the agent that has it now.",
    look: Look.between,
    async run({ ask, create, hold, release, submit }) {
      const { id } = await create("a")
      const fence = async (token: number, may_push: boolean) =>
        expect(await ask("GET", `/api/v1/tasks/${id}/fence?token=${token}`), 200, { task_id: id, token, may_push })
      const ann = await hold()
      await fence(ann.fencing_token, true)
      await release(ann)
      await fence(ann.fencing_token, false)
      const bob = await hold({ agent_name: "bob" })
      await fence(ann.fencing_token, false)
      await fence(bob.fencing_token, true)
      expect(await submit(bob), 200)
      await fence(bob.fencing_token, false)
    }
  },
  {
    name: "a lease ends with the submit",
    means: "A result can be submitted again while a reviewer looks at the first one.",
    look: Look.between,
    async run({ create, hold, read, submit }) {
      const { id } = await create("a")
      const held = await hold()
      expect(await submit(held, { execution_notes: "first" }), 200)
      refused(await submit(held, { execution_notes: "second" }), 409)
      expect(await read(id), 200, { queue: "provisional", execution_notes: "first" })
    }
  },
  {
    name: "a call with another version is refused, and changes nothing",
    means: "Two simultaneous changes of a task overwrite each other unnoticed.",
    look: Look.between,
    async run({ create, hold, patch, post, read, submit }) {
      const { id } = await create("a")
      const { version } = expect(await patch(id, { title: "second", version: 1 }), 200, { title: "second" })
      must(version === 2, "version to rise by one, to 2")
      refused(await patch(id, { title: "third", version: 1 }), 409, { expected: 1, version: 2 })
      const held = await hold()
      refused(await submit(held, { version: 2 }), 409, { expected: 2, version: 3 })
      refused(await post(`tasks/${id}/fail`, { reason: "r", version: 2, fencing_token: held.fencing_token }), 409)
      expect(await read(id), 200, { title: "second", queue: "claimed", version: 3 })
      expect(await submit(held, { version: 3 }), 200, { version: 4 })
    }
  }
]

export const fencing: Group = { name: "fencing", checks }
