/** An agent as it should be: typed calls under idempotency keys and tokens, renewals, checkpoints; and one heartbeat for all. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as client from "../../../src/client.ts"
import * as Signal from "../../../src/client/claim/signal.ts"
import * as Worker from "../../../src/client/Held.ts"
import { keyOf, type Machine, settle } from "./Machine.ts"

/** What a machine holds, for its heartbeat to carry. */
export type Held = Map<string, { readonly task_id: client.TaskId; readonly fencing_token: number }>

const query = {}

/** What the agent used since it last said so, now and then. */
const usedBy = (chance: Machine["world"]["chance"]) =>
  chance.happens(0.6)
    ? {
      usage: {
        model: chance.pick(["small", "large"]),
        input_tokens: chance.between(1, 1000),
        cost_usd: chance.between(0, 100) / 1000
      }
    }
    : {}

/** The account of an agent, where accounts are parked. */
const accountOf = ({ asking, chance }: Machine["world"]) =>
  asking ? chance.pick(["max-1", "max-2", undefined]) : undefined

/** How long a claim waits for a task, where claims can wait. */
const waitOf = ({ chance, engine }: Machine["world"]) =>
  engine === "d1" ? {} : { wait_seconds: chance.pick([0, 5, 20]) }

/** What the agents of a machine look for that wait on sockets; none where there are no sockets, or they wait otherwise. */
const waitedFor = ({ chance, engine }: Machine["world"]) =>
  engine === "objects" && chance.happens(0.5)
    ? { queue: "incoming", role: chance.pick([undefined, undefined, undefined, "build"]) }
    : undefined

/** Ends the attempt without a result: asks a question, or parks the account of the agent. */
const leave = Effect.fnUntraced(
  function*(machine: Machine, api: client.Client, task: client.ClaimedTask, account: string | undefined) {
    const { chance } = machine.world
    const fencing_token = task.fencing_token!
    if (account !== undefined && chance.happens(0.5)) {
      // By its own clock, which may be wrong.
      const until = DateTime.add(yield* DateTime.now, { seconds: chance.pick([20, 200, 900, 3600]) })
      const payload = { account, until, fencing_token, reason: "The provider says so." }
      return yield* settle(machine, api.tasks.park({ query, params: { id: task.id }, payload }))
    }
    const payload = {
      task_id: task.id,
      from_actor: task.claimed_by!,
      type: "question",
      content: `Question ${chance.between(1, 99)}`,
      hold: true,
      fencing_token
    }
    return yield* settle(machine, api.messages.send({ query, payload }))
  }
)

/** One attempt. Answers when the agent is through with the task, whether the server is or not. */
const work = Effect.fnUntraced(
  function*(
    machine: Machine,
    api: client.Client,
    held: Held,
    task: client.ClaimedTask,
    { account, seconds }: { readonly account: string | undefined; readonly seconds: number }
  ) {
    const { chance, journal } = machine.world
    const fencing_token = task.fencing_token!
    const used = () => usedBy(chance)
    const params = { id: task.id }
    if (machine.world.breaking && chance.happens(0.6)) {
      yield* machine.pause(1, 30)
      const payload = { fencing_token, reason: `The login expired ${chance.between(1, 99)} s ago.` }
      return void (yield* chance.happens(0.3)
        ? settle(machine, api.tasks.fail({ query, params, payload }))
        : settle(machine, api.tasks.requeue({ query, params, payload })))
    }
    const place = `${task.id} ${fencing_token}`
    const beats = chance.happens(0.5)
    if (beats) held.set(place, { task_id: task.id, fencing_token })
    let cancelled = false
    for (let steps = chance.between(0, 4); steps > 0 && !cancelled; steps--) {
      // Usually it renews in time. Expiring leases are the point of this agent.
      yield* machine.pause(0, seconds * (chance.happens(0.75) ? 0.7 : 4))
      if (beats && chance.happens(0.5)) continue
      const checkpoint = chance.happens(0.4) ? { checkpoint: { notes: `so far ${chance.between(1, 99)}` } } : {}
      const renewed = yield* settle(
        machine,
        api.tasks.renew({ query, params, payload: { fencing_token, ...checkpoint, ...used() } }),
        2
      )
      if (renewed === undefined) continue
      if ("refused" in renewed) {
        journal.saw("a holder learned that its lease is lost")
        // Some do not notice the loss: they continue, or submit their result.
        if (chance.happens(0.6)) return void held.delete(place)
        if (chance.happens(0.5)) break
        continue
      }
      cancelled = renewed.done.directive === "cancel"
    }
    yield* machine.pause(0, seconds * (chance.happens(0.85) ? 0.6 : 1.5))
    held.delete(place)
    if (machine.world.asking && !cancelled && chance.happens(0.4)) {
      return void (yield* leave(machine, api, task, account))
    }
    const fate = chance.next()
    // Some state the version they know, so that they notice every change of the task.
    const given = chance.happens(0.3) ? { version: task.version } : {}
    if (cancelled || fate < 0.12) {
      const release = chance.happens(0.5)
      yield* settle(
        machine,
        api.tasks.requeue({
          query,
          params,
          payload: { fencing_token, ...given, release, reason: "It is not for me.", ...used() }
        })
      )
    } else if (fate < 0.17) {
      yield* settle(
        machine,
        api.tasks.fail({ query, params, payload: { fencing_token, reason: "It cannot be built.", ...used() } })
      )
    } else if (fate > 0.07 + 0.85) {
      journal.saw("an agent forgot its task")
    } else {
      const work = { commits_count: chance.between(0, 2), turns_used: chance.pick([5, 20, 90]) }
      yield* settle(
        machine,
        api.tasks.submit({ query, params, payload: { fencing_token, ...given, ...work, ...used() } })
      )
    }
  }
)

const agent = Effect.fnUntraced(function*(
  machine: Machine,
  { name, waits }: { readonly name: string; readonly waits: ReturnType<typeof waitedFor> },
  id: client.OrchestratorId,
  held: Held
) {
  const { chance } = machine.world
  const { api } = machine
  const role = waits === undefined ? chance.pick([undefined, undefined, "build", "test"]) : waits.role
  const account = accountOf(machine.world)
  const own = Worker.makeWorker()
  const roles = role === undefined ? undefined : [role]
  const signal = waits === undefined
    ? Signal.none
    : Signal.make(own, { client: { baseUrl: "http://server" }, queue: waits.queue, roles })
  machine.fork(signal.listening)
  for (;;) {
    own.claimNow.closeUnsafe()
    const seconds = chance.pick([20, 60, 60, 240, 240, 1800])
    const queue = waits?.queue ?? chance.pick(["incoming", "incoming", "incoming", "needs_continuation"])
    const answer = yield* settle(
      machine,
      api.tasks.claim({
        query,
        payload: {
          orchestrator_id: id,
          agent_name: name,
          queue,
          lease_duration_seconds: seconds,
          ...(signal.isOpen() ? {} : waitOf(machine.world)),
          ...(account === undefined ? {} : { account }),
          ...(roles === undefined ? {} : { role_filter: roles })
        }
      }),
      3
    )
    if (answer !== undefined && "done" in answer) yield* work(machine, api, held, answer.done, { account, seconds })
    else if (signal.isOpen() && answer?.refused._tag === "NoTasksAvailable") {
      yield* signal.ask
      yield* Worker.pause(chance.between(60_000, 600_000), own.claimNow)
    } else if (waits !== undefined || machine.world.breaking) yield* machine.pause(10, 90)
    else yield* machine.pause(60, 400)
  }
})

const heart = Effect.fnUntraced(function*(machine: Machine, id: client.OrchestratorId, held: Held) {
  const { api } = machine
  for (;;) {
    yield* machine.pause(60, 240)
    const leases = [...held.values()].map((lease) => ({ ...lease, ...usedBy(machine.world.chance) }))
    const payload = held.size === 0 ? null : { leases }
    const answer = yield* settle(machine, api.orchestrators.heartbeat({ params: { id }, query, payload }), 1)
    if (answer === undefined || "refused" in answer || !("lost" in answer.done)) continue
    for (const { fencing_token, task_id } of answer.done.lost) held.delete(`${task_id} ${fencing_token}`)
  }
})

/** Registers the machine, for as long as it takes, and answers its id. */
export const register = Effect.fnUntraced(function*(machine: Machine) {
  const { api } = machine
  const machine_id = machine.process.name.replaceAll(" ", "-")
  for (;;) {
    const answer = yield* settle(machine, api.orchestrators.register({ query, payload: { cluster: "k", machine_id } }))
    if (answer !== undefined && "done" in answer) return answer.done.orchestrator_id
    yield* machine.pause(5, 30)
  }
})

export const start = (machine: Machine): void => {
  const held: Held = new Map()
  machine.fork(Effect.gen(function*() {
    const id = yield* register(machine)
    const waits = waitedFor(machine.world)
    for (const n of waits === undefined ? [1, 2] : [1, 2, 3]) {
      const name = `${machine.process.name} agent ${n} ${keyOf(machine)}`
      machine.fork(agent(machine, { name, waits }, id, held))
    }
    return yield* heart(machine, id, held)
  }))
}
