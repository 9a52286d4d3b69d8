/** Checks the life of a task: its queues, its holders and its history. */
import type { Check, Group } from "../Check.ts"
import { expect, must, refused } from "../Expectation.ts"
import { Look } from "../Look.ts"
import { dependencies } from "./dependencies.ts"
import { ends } from "./ends.ts"
import { feed } from "./feed/feed.ts"

const free = { claimed_by: null, lease_expires_at: null, fencing_token: null }

const checks: ReadonlyArray<Check> = [
  {
    name: "a task goes from create over claim and submit to accept",
    means: "The main job does not work: orchestrators cannot get tasks, or their results go nowhere.",
    look: Look.deployment,
    async run({ accept, create, hold, read, submit }) {
      const { id } = await create("a", { content: "do it" })
      expect(await read(id), 200, { queue: "incoming", version: 1, content: "do it", ...free })
      const held = await hold()
      must(held.id === id && held.queue === "claimed" && held.claimed_by === "ann", "ann to hold the task in claimed")
      expect(await submit(held, { commits_count: 3 }), 200, { queue: "provisional", commits_count: 3, ...free })
      expect(await accept(id), 200, { queue: "done" })
      const done = await read(id)
      expect(done, 200, { queue: "done", ...free })
      must(typeof done.body.completed_at === "string", "a task that is done to say since when", done)
    }
  },
  {
    name: "only accept leads to done",
    means: "Work counts as done although nobody accepted it.",
    look: Look.deployment,
    async run({ create, patch, read }) {
      const { id } = await create("a")
      refused(await patch(id, { queue: "done" }), 400)
      expect(await read(id), 200, { queue: "incoming", version: 1 })
    }
  },
  {
    name: "claims go by priority, then by age",
    means: "Urgent tasks wait behind others, or old ones starve.",
    look: Look.deployment,
    async run({ claim, create, sleep }) {
      const order = [["low", "P2"], ["urgent", "P0"], ["older", "P1"], ["newer", "P1"]] as const
      const ids = new Map<string, string>()
      for (const [name, priority] of order) {
        ids.set(name, (await create(name, { priority })).id)
        // Tasks that are created in the same millisecond are ordered by id.
        await sleep(0.005)
      }
      for (const name of ["urgent", "older", "newer", "low"]) expect(await claim(), 200, { id: ids.get(name) })
    }
  },
  {
    name: "a claim that finds no task says why",
    means: "Clients of the old server take an empty queue for an error, or claim again without a pause.",
    look: Look.between,
    async run({ claim, tag }) {
      const answer = await claim({ queue: tag })
      const { counts } = expect(answer, 404, { message: "No tasks available", reason: "none_ready" })
      must(typeof counts === "object" && counts !== null, "status 404 with counts: of every queue", answer)
      must(/^\d+$/.test(answer.headers.get("retry-after") ?? ""), "status 404 with Retry-After in seconds", answer)
    }
  },
  {
    name: "the history has one entry for each version, and outlives the task",
    means: "If something goes wrong, nobody can find out what happened: the history lacks changes.",
    look: Look.deployment,
    async run({ accept, ask, create, history, hold, reject, release, submit }) {
      const { id } = await create("a")
      await release(await hold())
      expect(await submit(await hold()), 200)
      expect(await reject(id, { reason: "no tests" }), 200)
      expect(await submit(await hold()), 200)
      const { version } = expect(await accept(id), 200)
      expect(await ask("DELETE", `/api/v1/tasks/${id}`), 200)
      refused(await ask("GET", `/api/v1/tasks/${id}`), 404)
      const entries = await history(id)
      const shown = await ask("GET", `/api/v1/tasks/${id}/history`)
      const versions = entries.map((entry) => entry.version).join()
      const expected = Array.from({ length: version + 1 }, (_, i) => i + 1).join()
      must(versions === expected, `one entry for each of the versions ${expected}`, shown)
      entries.slice(1).forEach(({ from_queue }, i) =>
        must(from_queue === entries[i].to_queue, "each entry to begin where the one before it ended", shown)
      )
      const said = entries.filter(({ reason }) => reason === "no tests")
      must(said.length === 1 && said[0].actor === "rex", "the reason of the rejection, and who rejected", shown)
    }
  },
  {
    name: "the counts in a poll are those of the tasks",
    means: "Orchestrators start too many agents or none, because they trust wrong counts.",
    look: Look.deployment,
    async run({ ask, create, hold, orchestrator, patch, submit, tag }) {
      const [here, there] = [tag, `${tag}-aside`]
      const counted = async (expected: Readonly<Record<string, number>>) => {
        const poll = await ask("GET", `/api/v1/scheduler/poll?orchestrator_id=${orchestrator}`)
        const { queue_counts } = expect(poll, 200, { orchestrator_registered: true })
        for (const [queue, count] of Object.entries(expected)) {
          must((queue_counts?.[queue] ?? 0) === count, `queue_counts of ${queue} to be ${count}`, poll)
        }
      }
      const first = await create("a", { queue: here })
      for (const name of ["b", "c"]) await create(name, { queue: here })
      await counted({ [here]: 3, [there]: 0 })
      const held = await hold({ queue: here })
      await counted({ [here]: 2 })
      expect(await submit(held), 200)
      expect(await patch(first.id, { queue: there }), 200)
      expect(await patch(first.id, { queue: here }), 200)
      expect(await ask("DELETE", `/api/v1/tasks/${first.id}`), 200)
      await counted({ [here]: 2, [there]: 0 })
    }
  },
  {
    name: "a task of a project is on the branch of the project",
    means: "Agents of one project work on different branches, and their results are never merged.",
    look: Look.deployment,
    async run({ ask, create, idOf, post }) {
      const project_id = idOf("project")
      expect(await post("projects", { id: project_id, title: "Conformance", branch: "feature" }), 201)
      const { id } = await create("a", { project_id })
      const page = await ask("GET", `/api/v1/projects/${project_id}/tasks`)
      const { tasks } = expect(page, 200)
      must(tasks?.length === 1 && tasks[0].id === id, "the one task of the project", page)
      must(tasks[0].branch === "feature", "the task to be on the branch feature", page)
    }
  },
  {
    name: "after the run, every count equals the number of rows",
    means: "A counter has drifted from the tasks it counts, and stays wrong.",
    look: Look.deployment,
    last: true,
    async run({ ask }) {
      const rows = new Map<string, number>()
      for (let offset = 0, total = 1; offset < total; offset += 500) {
        const page = expect(await ask("GET", `/api/v1/tasks?limit=500&offset=${offset}`), 200)
        total = page.total
        for (const { queue } of page.tasks) rows.set(queue, (rows.get(queue) ?? 0) + 1)
      }
      const poll = await ask("GET", "/api/v1/scheduler/poll")
      const counts: Readonly<Record<string, number>> = expect(poll, 200).queue_counts
      for (const queue of new Set([...Object.keys(counts), ...rows.keys()])) {
        const count = rows.get(queue) ?? 0
        must((counts[queue] ?? 0) === count, `queue_counts of ${queue} to be ${count}, as many as are listed`, poll)
      }
    }
  }
]

export const lifecycle: Group = { name: "lifecycle", checks: [...checks, ...ends, ...dependencies, ...feed] }
