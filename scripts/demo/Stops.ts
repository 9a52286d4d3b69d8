/**
 * What stops by itself, once each, after a night: an open breaker, a project at its cap, a task that waits for an answer, and a parked
 * account. It happens in a queue of its own, so that it takes no task of the night.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as client from "../../src/client.ts"
import type { Ledger } from "./Night.ts"

const queue = "triage"
const Account = "max-1"
const ParkedHours = 6

/** Adds to the ledger what it does. */
export const play = Effect.fnUntraced(function*(api: client.Client, name: string, ledger: Ledger) {
  const count = (event: string) => {
    ledger.events[event] = (ledger.events[event] ?? 0) + 1
  }
  const stays = (queue: string) => {
    ledger.queues[queue] = (ledger.queues[queue] ?? 0) + 1
  }
  const { orchestrator_id } = yield* api.orchestrators.register({
    query: {},
    payload: { cluster: name, machine_id: "machine-1" }
  })
  const project = (what: string, more: { readonly max_cost_usd?: number } = {}) =>
    Effect.map(
      api.projects.create({
        query: {},
        payload: { id: client.ProjectId.make(`${name}-${what}`), title: `Project ${what}`, branch: what, ...more }
      }),
      ({ id }) => id
    )
  const create = (what: string, project_id: client.ProjectId | null) =>
    Effect.tap(
      api.tasks.create({
        query: {},
        payload: {
          id: client.TaskId.make(`${name}-${what}`),
          title: `Look into ${what}`,
          file_path: `TASK-${name}-${what}.md`,
          branch: "main",
          queue: client.QueueName.make(queue),
          project_id
        }
      }),
      () => Effect.sync(() => count("created"))
    )
  /** Creates a task, claims it, and answers how to name it and its lease. Nothing else of the queue can be claimed then. */
  const begun = Effect.fnUntraced(function*(what: string, project_id: client.ProjectId | null) {
    const { id } = yield* create(what, project_id)
    const task = yield* api.tasks.claim({
      query: {},
      payload: { orchestrator_id, agent_name: "agent-1", queue: client.QueueName.make(queue), account: Account }
    })
    count("claimed")
    if (task.id !== id) return yield* Effect.die(new Error(`${task.id} was claimed, and not ${id}.`))
    return { about: { query: {}, params: { id } }, fencing_token: task.fencing_token! }
  })

  const broken = yield* project("broken")
  yield* api.breakers.set({ query: {}, payload: { project_id: broken, threshold: 2 } })
  for (const n of [1, 2]) {
    const { about, fencing_token } = yield* begun(`broken-${n}`, broken)
    yield* api.tasks.fail({ ...about, payload: { fencing_token, reason: `The login expired ${n} min ago.` } })
    count("failed")
    stays("failed")
  }
  count("breaker_opened")
  yield* create("broken-3", broken)
  stays(queue)

  const capped = yield* project("capped", { max_cost_usd: 1 })
  const spent = yield* begun("capped-1", capped)
  yield* api.tasks.requeue({
    ...spent.about,
    payload: { fencing_token: spent.fencing_token, release: true, usage: { model: "opus", cost_usd: 1.5 } }
  })
  count("released")
  ledger.micros += 1_500_000
  stays(queue)

  const asking = yield* begun("a-question", null)
  yield* api.messages.send({
    query: {},
    payload: {
      task_id: asking.about.params.id,
      from_actor: "agent-1",
      to_actor: "human",
      type: "question",
      content: "May it break old clients?",
      hold: true,
      fencing_token: asking.fencing_token
    }
  })
  count("asked")
  ledger.questions++
  stays(queue)

  const limited = yield* begun("a-limit", null)
  const now = yield* Clock.currentTimeMillis
  yield* api.tasks.park({
    ...limited.about,
    payload: {
      fencing_token: limited.fencing_token,
      account: Account,
      until: DateTime.makeUnsafe(now + ParkedHours * 3_600_000),
      reason: "The weekly limit is reached."
    }
  })
  count("parked")
  stays(queue)
})
