/** Checks that a repeated request under an idempotency key has one effect and gets the same answer. */
import type { Answer } from "../Ask.ts"
import type { Check, Group } from "../Check.ts"
import { expect, must, refused, same } from "../Expectation.ts"
import { Look } from "../Look.ts"

const retried =
  "A client that repeats a request because the answer was lost makes something happen twice, or gets an error although it succeeded."

const fresh = () => ({ "idempotency-key": crypto.randomUUID() })

/** The answer is the same as the first, and its header says that it is repeated. */
const replayed = (answer: Answer, first: Answer) => {
  must(answer.status === first.status, `status ${first.status}, as the first answer`, answer)
  must(answer.headers.get("idempotent-replayed") === "true", "the header Idempotent-Replayed: true", answer)
}

const checks: ReadonlyArray<Check> = [
  {
    name: "a create that is repeated makes one task, and gets the same answer",
    means: retried,
    look: Look.between,
    async run({ history, newTask, post }) {
      const [task, key] = [newTask("a"), fresh()]
      const first = await post("tasks", task, key)
      expect(first, 201, { id: task.id })
      const again = await post("tasks", task, key)
      replayed(again, first)
      same(again, first.body, "the task as the first answer had it")
      must((await history(task.id)).length === 1, "one entry in the history of the task", again)
    }
  },
  {
    name: "a claim that is repeated gets the same task, not a second one",
    means: "A claim whose answer was lost takes a task, and nobody works on it until its lease expires.",
    look: Look.between,
    async run({ claim, create }) {
      for (const name of ["a", "b"]) await create(name)
      const key = fresh()
      const first = await claim({}, key)
      const { fencing_token, id } = expect(first, 200)
      const again = await claim({}, key)
      expect(again, 200, { id, fencing_token })
      replayed(again, first)
      must(expect(await claim(), 200).id !== id, "the other task still there for another claim")
    }
  },
  {
    name: "a submit that is repeated gets the same answer",
    means: retried,
    look: Look.between,
    async run({ create, hold, read, submit }) {
      const { id } = await create("a")
      const [held, key] = [await hold(), fresh()]
      const first = await submit(held, {}, key)
      const { version } = expect(first, 200, { queue: "provisional" })
      const again = await submit(held, {}, key)
      replayed(again, first)
      same(again, first.body, "the task as the first answer had it")
      expect(await read(id), 200, { version })
    }
  },
  {
    name: "an accept that is repeated gets the same answer",
    means: retried,
    look: Look.between,
    async run({ accept, create, read }) {
      const { id } = await create("a", { queue: "provisional" })
      const key = fresh()
      const first = await accept(id, {}, key)
      const { version } = expect(first, 200, { queue: "done" })
      const again = await accept(id, {}, key)
      replayed(again, first)
      same(again, first.body, "the task as the first answer had it")
      expect(await read(id), 200, { version })
    }
  },
  {
    name: "another request under the same key is refused, and changes nothing",
    means: "A client with a mistake is answered as if its request had succeeded.",
    look: Look.between,
    async run({ create, hold, newTask, post, read, submit }) {
      const [task, key] = [newTask("a"), fresh()]
      expect(await post("tasks", task, key), 201)
      refused(await post("tasks", { ...task, title: "another" }, key), 422)
      refused(await post("tasks", newTask("b"), key), 422)
      expect(await read(String(newTask("b").id)), 404)
      await create("c", { priority: "P0" })
      const held = await hold()
      refused(await submit(held, {}, key), 422)
      expect(await read(held.id), 200, { queue: "claimed", version: held.version })
    }
  },
  {
    name: "an empty claim is not kept: its repetition is tried again",
    means: "An orchestrator that asks again under one key never learns of new work.",
    look: Look.between,
    async run({ claim, create }) {
      const key = fresh()
      expect(await claim({}, key), 404)
      const { id } = await create("a")
      expect(await claim({}, key), 200, { id })
    }
  },
  {
    name: "two simultaneous requests under one key have one effect",
    means: retried,
    look: Look.between,
    async run({ claim, create }) {
      for (const name of ["a", "b", "c"]) await create(name)
      const key = fresh()
      const answers = await Promise.all([claim({}, key), claim({}, key), claim({}, key)])
      const { fencing_token, id } = expect(answers[0], 200)
      for (const answer of answers) expect(answer, 200, { id, fencing_token })
      const others = [await claim(), await claim()].map((answer) => expect(answer, 200).id)
      must(!others.includes(id), "the two other tasks still there for other claims")
      expect(await claim(), 404)
    }
  }
]

export const idempotency: Group = { name: "idempotency", checks }
