/** Scopes in any state, by commands over the services: tasks that wait for one thing or another, and the machines that ask. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { Roles } from "../../src/services/machine/Roles.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Database } from "../../src/sql/Database.ts"

export const ids = ["a", "b", "c", "d", "TASK-a"] as const
const Id = Schema.Literals(ids)
const Role = Schema.Literals(["build", "review"])
const ScopeOf = Schema.Literals(["red", "red", "blue"])
const Machine = Schema.Literals(["k-m", "k-n"])
const Blockers = Schema.Array(Schema.Literals([...ids, "later"])).check(Schema.isMaxLength(2))

export const Command = Schema.Union([
  Schema.TaggedStruct("Create", {
    id: Id,
    scope: ScopeOf,
    role: Schema.NullOr(Role),
    priority: Schema.Literals(["P0", "P1", "P2"]),
    blockers: Blockers,
    /** Whether the task fails with the first lease that expires. */
    fragile: Schema.Boolean
  }),
  Schema.TaggedStruct("Claim", {
    scope: ScopeOf,
    machine: Machine,
    queue: Schema.Literals(["incoming", "incoming", "provisional", "needs_continuation", "testing"]),
    roles: Schema.Array(Role).check(Schema.isMaxLength(2))
  }),
  Schema.TaggedStruct("Submit", { id: Id, turns: Schema.Literals([1, 100]) }),
  Schema.TaggedStruct("Accept", { id: Id }),
  Schema.TaggedStruct("Requeue", { id: Id }),
  Schema.TaggedStruct("Fail", { id: Id }),
  Schema.TaggedStruct("Move", {
    id: Id,
    queue: Schema.Literals([
      "incoming",
      "claimed",
      "provisional",
      "cancelled",
      "failed",
      "requires-intervention",
      "testing"
    ])
  }),
  Schema.TaggedStruct("Cancel", { id: Id }),
  Schema.TaggedStruct("Block", { id: Id, blockers: Blockers }),
  Schema.TaggedStruct("BackOff", { id: Id, seconds: Schema.Literals([30, 90]) }),
  Schema.TaggedStruct("Know", { roles: Schema.Array(Role).check(Schema.isMinLength(1), Schema.isMaxLength(2)) }),
  Schema.TaggedStruct("Status", { machine: Machine, status: Schema.Literals(["active", "maintenance", "offline"]) }),
  Schema.TaggedStruct("Limit", { machine: Machine, max_claimed: Schema.Literals([0, 1, 2]) }),
  Schema.TaggedStruct("Wait", { seconds: Schema.Literals([1, 60, 300]) })
])
export type Command = typeof Command.Type

/** Tasks to begin with, so that no sequence spends itself on an empty queue. */
export const Start = Schema.Array(
  Schema.Struct({ role: Schema.NullOr(Role), priority: Schema.Literals(["P0", "P1", "P2"]) })
).check(Schema.isMinLength(3), Schema.isMaxLength(3))

export const begin = (start: typeof Start.Type): ReadonlyArray<Command> =>
  start.map((task, at) => ({ _tag: "Create", scope: "red", id: ids[at]!, blockers: [], fragile: at === 1, ...task }))

const register = (scope: string, machine: string, rest: object = {}) =>
  Effect.flatMap(
    Orchestrators,
    (orchestrators) => orchestrators.register(scope, { cluster: "k", machine_id: machine.slice(2), ...rest })
  )

/** Registers the machines and carries out the commands. Commands that the server refuses change nothing. */
export const play = Effect.fnUntraced(function*(commands: ReadonlyArray<Command>) {
  const queue = yield* TaskQueue
  const orchestrators = yield* Orchestrators
  const roles = yield* Roles
  const { batch, sql } = yield* Database
  yield* register("red", "k-m")
  yield* register("red", "k-n")

  const step = (command: Command, now: number): Effect.Effect<unknown, unknown, Orchestrators> => {
    const id = "id" in command ? TaskId.make(command.id) : TaskId.make("none")
    switch (command._tag) {
      case "Create":
        return queue.create(command.scope, {
          id,
          file_path: `${id}.md`,
          branch: "main",
          role: command.role,
          priority: command.priority,
          blocked_by: command.blockers.join(","),
          ...(command.fragile ? { max_lease_losses: 1 } : {})
        })
      case "Claim":
        return queue.claim(command.scope, {
          orchestrator_id: OrchestratorId.make(command.machine),
          agent_name: "ann",
          queue: command.queue,
          role_filter: command.roles,
          lease_duration_seconds: 60
        })
      case "Submit":
        return queue.submit(id, { commits_count: 0, turns_used: command.turns }, undefined)
      case "Accept":
        return queue.accept(id, { accepted_by: "gate" }, undefined)
      case "Requeue":
        return queue.requeue(id, {}, undefined)
      case "Fail":
        return queue.fail(id, { reason: "It does not build." }, undefined)
      case "Move":
        return queue.patch(id, { queue: command.queue }, undefined)
      case "Cancel":
        return queue.cancel(id, {}, undefined)
      case "Block":
        return queue.patch(id, { blocked_by: command.blockers.join(",") || null }, undefined)
      case "BackOff":
        return batch([sql`
          UPDATE tasks SET available_at = ${now + command.seconds * 1000}
          WHERE id = ${id} AND claimed_by IS NULL AND queue NOT IN ('done', 'failed', 'cancelled')`])
      case "Know":
        return roles.register({
          orchestrator_id: OrchestratorId.make("k-m"),
          roles: command.roles.map((name) => ({ name }))
        }, "red")
      case "Status":
        return orchestrators.setStatus(OrchestratorId.make(command.machine), command.status, "red")
      case "Limit":
        return register("red", command.machine, { max_claimed: command.max_claimed })
      case "Wait":
        return TestClock.adjust(`${command.seconds} seconds`)
    }
  }
  for (const command of commands) {
    yield* Effect.ignore(step(command, yield* Clock.currentTimeMillis))
    // Age is an order only where two tasks do not share it.
    yield* TestClock.adjust("1 millis")
  }
})
