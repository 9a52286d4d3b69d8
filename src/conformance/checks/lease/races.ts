/**
 * Checks that of many simultaneous requests exactly as many succeed as should, and that the others get the right
 * answer.
 */
import type { Answer } from "../../Ask.ts"
import type { Check, Group } from "../../Check.ts"
import { expect, must, refused } from "../../Expectation.ts"
import { Look } from "../../Look.ts"

const twice = "Two machines work on the same thing at once, and nobody notices until their results collide."

const atOnce = (count: number, ask: (i: number) => Promise<Answer>) =>
  Promise.all(Array.from({ length: count }, (_, i) => ask(i)))

const numbered = (count: number) => Array.from({ length: count }, (_, i) => String(i))

/** Exactly one answer has this status, and all others are refused with 409. Returns that answer. */
const exactlyOne = (answers: ReadonlyArray<Answer>, status: number): Answer => {
  const [winner, second] = answers.filter((answer) => answer.status === status)
  must(winner !== undefined, `one of ${answers.length} at once to be ${status}`, answers[0])
  must(second === undefined, `only one of ${answers.length} at once to be ${status}`, second)
  for (const answer of answers) if (answer !== winner) refused(answer, 409)
  return winner!
}

const checks: ReadonlyArray<Check> = [
  {
    name: "simultaneous claims get different tasks, and the others get 404",
    means: `${twice} Or machines stay idle because others were faster.`,
    look: Look.deployment,
    async run({ claim, create, tag }) {
      const queue = tag
      const ids = new Set((await Promise.all(numbered(8).map((name) => create(name, { queue })))).map(({ id }) => id))
      const answers = await atOnce(12, (i) => claim({ queue, agent_name: `agent-${i}` }))
      for (const answer of answers) {
        if (answer.status === 200) {
          must(ids.delete(answer.body.id), "every task to be granted once", answer)
        } else {
          const { reason } = expect(answer, 404, { message: "No tasks available" })
          must(typeof reason === "string", "status 404 with reason: why there is none", answer)
        }
      }
      must(ids.size === 0, `all 8 tasks to be granted to 12 claims at once, not ${8 - ids.size}`, answers[0])
    }
  },
  {
    name: "simultaneous review claims go to different reviewers",
    means: "Two reviewers judge the same result at once.",
    look: Look.deployment,
    async run({ claim, create }) {
      const ids = new Set(
        (await Promise.all(numbered(3).map((name) => create(name, { queue: "provisional" })))).map(({ id }) => id)
      )
      const answers = await atOnce(5, (i) => claim({ queue: "provisional", agent_name: `rex-${i}` }))
      for (const answer of answers) {
        if (answer.status !== 404) must(ids.delete(expect(answer, 200).id), "every review to be granted once", answer)
      }
      must(ids.size === 0, "all 3 reviews to be granted", answers[0])
    }
  },
  {
    name: "of simultaneous submits one counts",
    means: twice,
    look: Look.deployment,
    async run({ create, hold, read, submit }) {
      const { id } = await create("a")
      const held = await hold()
      const winner = exactlyOne(await atOnce(5, (i) => submit(held, { turns_used: i + 1 })), 200)
      const { turns_used } = winner.body
      expect(await read(id), 200, { queue: "provisional", version: held.version + 1, turns_used })
    }
  },
  {
    name: "of simultaneous accepts one counts",
    means: "A task is finished twice, with all its consequences.",
    look: Look.deployment,
    async run({ accept, create, history }) {
      const { id } = await create("a", { queue: "provisional" })
      const winner = exactlyOne(await atOnce(5, (i) => accept(id, { accepted_by: `rex-${i}` })), 200)
      const accepted = (await history(id)).filter(({ event }) => event === "accepted")
      must(accepted.length === 1, "one entry accepted in the history", winner)
    }
  },
  {
    name: "a simultaneous accept and reject are one verdict",
    means: "A result counts as done and is done again.",
    look: Look.deployment,
    async run({ accept, create, read, reject }) {
      const { id, version } = await create("a", { queue: "provisional" })
      const { body } = exactlyOne(await atOnce(6, (i) => i % 2 === 0 ? accept(id) : reject(id)), 200)
      expect(await read(id), 200, { queue: body.queue, version: version + 1 })
    }
  },
  {
    name: "of simultaneous creates with one id one makes the task",
    means: "A task is made twice, or one overwrites the other.",
    look: Look.deployment,
    async run({ newTask, post, read }) {
      const winner = exactlyOne(await atOnce(5, (i) => post("tasks", { ...newTask("a"), title: `title ${i}` })), 201)
      const { id, title } = winner.body
      expect(await read(id), 200, { title, version: 1 })
    }
  },
  {
    name: "simultaneous creates under one idempotency key make one task, and all get the answer",
    means:
      "A client that retries before the first answer arrives makes something happen twice, or gets an error although it succeeded.",
    look: Look.between,
    async run({ history, newTask, post }) {
      const [task, key] = [newTask("a"), { "idempotency-key": crypto.randomUUID() }]
      const answers = await atOnce(5, () => post("tasks", task, key))
      for (const answer of answers) expect(answer, 201, { id: task.id, version: 1 })
      const first = answers.filter(({ headers }) => headers.get("idempotent-replayed") !== "true")
      must(first.length === 1, "all answers but one with Idempotent-Replayed: true", answers[0])
      must((await history(task.id)).length === 1, "one entry in the history of the task", answers[0])
    }
  },
  {
    name: "of simultaneous changes with the same version one counts",
    means: "Two simultaneous changes of a task overwrite each other unnoticed.",
    look: Look.deployment,
    async run({ create, patch, read }) {
      const { id } = await create("a")
      const { body } = exactlyOne(await atOnce(5, (i) => patch(id, { title: `title ${i}`, version: 1 })), 200)
      expect(await read(id), 200, { title: body.title, version: 2 })
    }
  }
]

export const races: Group = { name: "races", checks }
