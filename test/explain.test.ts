/** Explanations are complete and true: they name exactly what keeps a task from the claim in question. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId, type TaskId } from "../src/domain/Identifier.ts"
import type { AskedClaim, Explanation } from "../src/domain/task/explain/Explanation.ts"
import type { Reason } from "../src/domain/task/explain/Reason.ts"
import { unclaimable } from "../src/domain/task/Moves.ts"
import type { Task } from "../src/domain/task/Task.ts"
import { Leases } from "../src/services/lease/Leases.ts"
import { Orchestrators } from "../src/services/machine/Orchestrators.ts"
import { Roles } from "../src/services/machine/Roles.ts"
import { Maintenance } from "../src/services/Maintenance.ts"
import { Messages } from "../src/services/record/Messages.ts"
import { TaskQueue } from "../src/services/task/TaskQueue.ts"
import type { Database } from "../src/sql/Database.ts"
import { servicesWith } from "./support/layers.ts"
import { runs } from "./support/runs.ts"
import { begin, Command, play, Start } from "./support/waiting.ts"

/** A possible end of the run: one more claim, and then nothing until its lease expires. */
const lapse: ReadonlyArray<Command> = [
  { _tag: "Claim", scope: "red", machine: "k-m", queue: "incoming", roles: [] },
  { _tag: "Wait", seconds: 60 }
]

/** The claim in question: by a machine or by any, with what it asks for if that differs from the task's own. */
const Asked = Schema.Struct({
  machine: Schema.NullOr(Schema.Literal("k-m")),
  queue: Schema.NullOr(Schema.Literals(["incoming", "provisional"])),
  role: Schema.NullOr(Schema.Array(Schema.Literals(["build", "review"])).check(Schema.isMaxLength(2)))
})

const askedClaim = ({ machine, queue, role }: typeof Asked.Type): AskedClaim => ({
  ...(machine === null ? {} : { orchestrator_id: OrchestratorId.make(machine) }),
  ...(queue === null ? {} : { queue }),
  ...(role === null ? {} : role.length === 0 ? { any_role: true } : { role })
})

const rolesAsked = ({ role: own }: Task, { any_role, role }: AskedClaim) =>
  any_role === true ? [] : role ?? (own ? [own] : [])

const all = Effect.gen(function*() {
  const queue = yield* TaskQueue
  const lists = yield* Effect.forEach(["red", "blue"], (scope) => queue.list(scope, { limit: 100 }))
  return lists.flatMap(({ tasks }) => tasks)
})

/** A machine without limits, in the scope of the machine in question. It takes the tasks ahead. */
const free = Effect.fnUntraced(function*(task: Task, asked: AskedClaim) {
  const orchestrators = yield* Orchestrators
  const { registered } = yield* orchestrators.register(asked.orchestrator_id === undefined ? task.scope : "red", {
    cluster: "k",
    machine_id: "free"
  })
  return registered.orchestrator_id
})

/** The claim, by a machine; the id of the task it gets. */
const grant = Effect.fnUntraced(
  function*(orchestrator_id: OrchestratorId, task: Task, found: Explanation, asked: AskedClaim) {
    const queue = yield* TaskQueue
    const { tick } = yield* Maintenance
    // Where backoff is off, the cron ends what there is of it.
    yield* tick
    const result = yield* Effect.result(queue.claim(task.scope, {
      orchestrator_id,
      agent_name: "bob",
      queue: asked.queue ?? found.queue,
      role_filter: rolesAsked(task, asked)
    }))
    return result._tag === "Success" ? result.success.id : undefined
  }
)

const aheadOf = ({ reasons }: Explanation) => reasons.find(({ reason }) => reason === "queued_behind")?.ahead ?? 0

/** As many claims as there are tasks ahead get others, and the next one gets the task. */
const isNext = Effect.fnUntraced(function*(task: Task, asked: AskedClaim, found: Explanation) {
  const others = yield* free(task, asked)
  for (let n = aheadOf(found); n > 0; n--) {
    const id = yield* grant(others, task, found, asked)
    assert.isTrue(id !== undefined && id !== task.id, `${n} more should be ahead, a claim got ${id}`)
  }
  assert.strictEqual(yield* grant(asked.orchestrator_id ?? others, task, found, asked), task.id, found.summary)
})

/** No claim gets the task, however many are made. */
const isOutOfReach = Effect.fnUntraced(function*(task: Task, asked: AskedClaim, found: Explanation) {
  if (unclaimable.includes(asked.queue ?? found.queue)) return
  const machine = asked.orchestrator_id ?? (yield* free(task, asked))
  for (;;) {
    const id = yield* grant(machine, task, found, asked)
    if (id === undefined) return
    assert.notStrictEqual(id, task.id, found.summary)
  }
})

/** Does what a reason that stands in the way asks for, and answers the claim to make then. */
const lift = Effect.fnUntraced(
  function*(task: Task, asked: AskedClaim, found: Explanation, reason: Reason, drop: boolean) {
    const queue = yield* TaskQueue
    const orchestrators = yield* Orchestrators
    const roles = yield* Roles
    const finish = (id: string) => queue.force(id as TaskId, { queue: "done", reason: "It is." }, task.scope)
    switch (reason.reason) {
      case "finished":
        yield* queue.patch(task.id, { queue: "incoming" }, undefined)
        return asked
      case "failed":
      case "cancelled":
        yield* (yield* Leases).reap
        yield* queue.redrive(task.id, { terminal: true }, undefined)
        return asked
      case "lease_expired":
        yield* (yield* Leases).reap
        return asked
      case "blocked": {
        let never = drop
        for (const { queue: where, task_id } of drop ? [] : reason.blockers!) {
          // A blocker that does not exist yet may have the id of a task in another scope. Then it can never be created.
          if (where === null) {
            const created = yield* Effect.result(queue.create(task.scope, {
              id: task_id as TaskId,
              file_path: task_id,
              branch: "main",
              queue: "done"
            }))
            never ||= created._tag === "Failure"
          } else yield* Effect.catchTag(finish(task_id), "TaskNotFound", () => finish(task_id.replace("TASK-", "")))
        }
        if (never) yield* queue.patch(task.id, { blocked_by: null }, undefined)
        return asked
      }
      case "waiting_for_reply":
        yield* (yield* Messages).send(task.scope, {
          task_id: task.id,
          from_actor: "eve",
          type: "comment",
          content: "This.",
          parent_message_id: reason.message_id!
        })
        return asked
      case "backing_off":
        yield* TestClock.setTime(DateTime.toEpochMillis(reason.until!))
        return asked
      case "unknown_role":
        yield* roles.register({ orchestrator_id: yield* free(task, asked), roles: [{ name: reason.role! }] }, undefined)
        return asked
      case "maintenance":
        yield* orchestrators.setStatus(reason.orchestrator_id!, "active", undefined)
        return asked
      case "at_capacity": {
        assert.isAtLeast(reason.claimed!, reason.max_claimed!)
        if (reason.max_claimed === 0) {
          yield* orchestrators.register("red", { cluster: "k", machine_id: "m" })
          return asked
        }
        const now = yield* Clock.currentTimeMillis
        const held = (yield* all).filter(({ lease_expires_at, orchestrator_id, queue, scope }) =>
          orchestrator_id === reason.orchestrator_id && queue === "claimed" && scope === task.scope
          && DateTime.toEpochMillis(lease_expires_at!) > now
        )
        assert.strictEqual(held.length, reason.claimed)
        for (const { id } of held.slice(reason.max_claimed! - 1)) yield* finish(id)
        return asked
      }
      case "other_queue":
        return { ...asked, queue: reason.queue! }
      case "role":
        // A claim for a role that the scope does not know is refused; one for any role is not.
        return reason.role && !found.reasons.some(({ reason }) => reason === "unknown_role")
          ? { ...asked, role: [reason.role] }
          : { ...asked, any_role: true }
      default:
        return assert.fail(`nothing is known against ${reason.reason}`)
    }
  }
)

/** Does all that is named, twice where the task had come to an end, and the claim gets the task. */
const comesUp = Effect.fnUntraced(function*(task: Task, asked: AskedClaim, first: Explanation, drop: boolean) {
  const queue = yield* TaskQueue
  let found = first
  for (
    let round = 0;
    !found.claimable &&
    round < (first.claimed_by === null && task.claimed_by === null && !unclaimable.includes(first.queue) ? 1 : 3);
    round++
  ) {
    for (const reason of found.reasons.filter(({ blocking }) => blocking)) {
      asked = yield* lift(task, asked, found, reason, drop)
    }
    found = yield* queue.explain(task.id, asked, undefined)
  }
  assert.isTrue(found.claimable, `what was named is done: ${first.summary} Then: ${found.summary}`)
  yield* isNext(task, asked, found)
})

describe("every state of a scope", () => {
  it.effect.prop(
    "explain names exactly what keeps a task from a claim",
    {
      start: Start,
      commands: Schema.Array(Command).check(Schema.isMinLength(8)),
      lapses: Schema.Boolean,
      backsOff: Schema.Boolean,
      asked: Asked,
      drop: Schema.Boolean
    },
    Effect.fnUntraced(function*({ asked, backsOff, commands, drop, lapses, start }) {
      /** The same state again, for each question that changes it. */
      const again = <A, E>(
        ask: Effect.Effect<A, E, TaskQueue | Orchestrators | Roles | Leases | Maintenance | Messages | Database>
      ) =>
        Effect.gen(function*() {
          yield* TestClock.setTime(0)
          yield* play([...begin(start), ...commands, ...(lapses ? lapse : [])])
          return yield* ask
        }).pipe(
          // The same by chance as well: how long a task backs off.
          Random.withSeed("again"),
          Effect.provide(servicesWith(backsOff ? { BACKOFF_SECONDS: "20" } : {}), { local: true })
        )

      const claim = askedClaim(asked)
      const explained = yield* again(Effect.gen(function*() {
        const queue = yield* TaskQueue
        const tasks = yield* all
        const found = yield* Effect.forEach(tasks, (task) => queue.explain(task.id, claim, undefined))
        assert.deepStrictEqual(yield* all, tasks, "an explanation changes nothing")
        return found.map((found, at) => ({ found, task: tasks[at]! }))
      }))
      for (const { found, task } of explained) {
        assert.isAbove(found.reasons.length, 0)
        assert.strictEqual(found.claimable, !found.reasons.some(({ blocking }) => blocking))
        if (found.claimed_by !== null) {
          assert.deepInclude(found.reasons[0], { reason: "held", claimed_by: task.claimed_by! })
          continue
        }
        yield* again(found.claimable ? isNext(task, claim, found) : isOutOfReach(task, claim, found))
        if (!found.claimable) yield* again(comesUp(task, claim, found, drop))
      }
    }),
    { timeout: 900_000, arbitrary: { runs: runs(20, 4), size: 60 } }
  )
})
