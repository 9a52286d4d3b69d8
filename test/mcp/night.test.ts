/**
 * After a seeded night (`scripts/demo/Night.ts`), an agent does ten tasks through MCP: those that the night left ready, and others
 * that it finds. One is cancelled under it, and one is done after its process was killed.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Night from "../../scripts/demo/Night.ts"
import * as client from "../../src/client.ts"
import { Workerd } from "../support/harness.ts"
import { agentOf, done, folder, refused, until } from "./support.ts"

const scope = "night"

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("the morning after a night", (it) => {
  it.effect("an agent does ten tasks, one cancelled under it and one after its process was killed", () =>
    Effect.gen(function*() {
      const { base, send } = yield* Workerd
      const api = yield* Effect.provide(client.make({ baseUrl: String(base), scope }), FetchHttpClient.layer)
      yield* Night.play(api, {
        seed: 1,
        tasks: 24,
        machines: 2,
        projects: 2,
        name: "n",
        leaseSeconds: 1,
        wait: (seconds) => Effect.sleep(seconds * 1000),
        say: () => {}
      })
      const env = { OCTOPOID_SCOPE: scope, OCTOPOID_AGENT: "morning", OCTOPOID_OUTBOX: yield* folder }
      let agent = yield* agentOf(String(base), { ...env, OCTOPOID_LEASE: "2" })
      const { tasks: ready } = yield* done(agent, "find_tasks", { queue: "incoming" })
      for (let n = ready.length; n < 10; n++) {
        yield* done(agent, "create_task", { title: `Found in the morning (${n})`, content: "Do it.", priority: "P1" })
      }

      const submitted: Array<string> = []
      let cancelled: string | undefined
      let killed: string | undefined
      while (submitted.length < 9) {
        const { says, task } = yield* done(agent, "claim_task")
        if (task === null) {
          assert.isDefined(killed, says)
          // The lease of the killed process runs out.
          yield* Effect.sleep("500 millis")
          continue
        }
        const id: string = task.task_id
        yield* done(agent, "checkpoint", { notes: `Half of ${task.title} is done.`, branch: task.push_branch })
        if (submitted.length === 3 && cancelled === undefined) {
          cancelled = id
          yield* send("POST", `/api/v1/tasks/${id}/cancel`, { reason: "Done by hand." })
          assert.match(
            yield* refused(agent, "checkpoint", { notes: "More is done." }),
            /was cancelled\. .*Done by hand\./
          )
          continue
        }
        if (submitted.length === 5 && killed === undefined) {
          killed = id
          process.kill(agent.pid, "SIGKILL")
          const dead = agent
          yield* until("the process has ended", Effect.sync(() => dead.seen.ended))
          agent = yield* agentOf(String(base), env)
          continue
        }
        if (id === killed) {
          assert.strictEqual(task.handoff.checkpoint.notes, `Half of ${task.title} is done.`)
          assert.include(task.handoff.setbacks.map(({ event }: any) => event), "lease_expired")
        }
        const { queue } = yield* done(agent, "submit_result", {
          notes: `${task.title} is done.`,
          commits_count: 1,
          evidence: [{ kind: "test", command: "npm test", exit_code: 0 }]
        })
        assert.strictEqual(queue, "provisional")
        submitted.push(id)
      }
      // The killed process spent no attempt of its task, and the cancelled task is not in the way.
      assert.isNull((yield* done(agent, "claim_task")).task)
      assert.include(submitted, killed)
      assert.strictEqual(new Set(submitted).size, 9)
      for (const id of submitted) {
        const { body } = yield* send("GET", `/api/v1/tasks/${id}`)
        assert.include(body, { queue: "provisional", submitted_by: "morning", claimed_by: null })
        assert.strictEqual(body.lease_losses - (id === killed ? 1 : 0), 0)
      }
      assert.strictEqual((yield* send("GET", `/api/v1/tasks/${cancelled}`)).body.queue, "cancelled")
    }))
})
