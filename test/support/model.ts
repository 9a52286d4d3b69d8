/**
 * The model: what the server should hold after any sequence of commands, in a few lines of plain data.
 *
 * `run` gives the commands to the services and to the model, and after each compares every task, and checks the
 * invariants of the database: one queue, whole leases, rising tokens, one history row for each version, true counters,
 * nobody handed out who waits for somebody.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { rulesOf } from "../../src/domain/FlowRules.ts"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Flows } from "../../src/services/Flows.ts"
import { Leases } from "../../src/services/Leases.ts"
import { Orchestrators } from "../../src/services/Orchestrators.ts"
import { TaskQueue } from "../../src/services/TaskQueue.ts"
import { Database } from "../../src/sql/Database.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Id = Schema.Literals(["a", "b", "c", "d"])
const Agent = Schema.Literals(["ann", "bob"])
const Role = Schema.NullOr(Schema.Literals(["build", "review"]))
const ScopeOf = Schema.Literals(["red", "blue"])

export const Command = Schema.Union([
  Schema.TaggedStruct("Create", {
    id: Id,
    scope: ScopeOf,
    role: Role,
    priority: Schema.Literals(["P0", "P1", "P2", "P10"]),
    blockers: Schema.Array(Id).check(Schema.isMaxLength(2))
  }),
  Schema.TaggedStruct("Claim", {
    scope: ScopeOf,
    agent: Agent,
    roles: Schema.Array(Schema.Literals(["build", "review"])).check(Schema.isMaxLength(2))
  }),
  Schema.TaggedStruct("Review", { scope: ScopeOf, agent: Agent }),
  Schema.TaggedStruct("Continue", { scope: ScopeOf, agent: Agent }),
  Schema.TaggedStruct("Test", { agent: Agent }),
  Schema.TaggedStruct("Submit", { id: Id, turns: between(0, 120), fenced: Schema.Boolean }),
  Schema.TaggedStruct("Accept", { id: Id }),
  Schema.TaggedStruct("Reject", { id: Id }),
  Schema.TaggedStruct("Requeue", { id: Id }),
  Schema.TaggedStruct("Move", {
    id: Id,
    queue: Schema.Literals([
      "incoming",
      "claimed",
      "provisional",
      "failed",
      "needs_continuation",
      "requires-intervention",
      "testing"
    ])
  }),
  Schema.TaggedStruct("Fail", { id: Id }),
  Schema.TaggedStruct("Force", {
    id: Id,
    queue: Schema.Literals(["incoming", "claimed", "provisional", "done", "failed", "requires-intervention"])
  }),
  Schema.TaggedStruct("Assign", { id: Id, agent: Schema.NullOr(Agent) }),
  Schema.TaggedStruct("Block", { id: Id, blockers: Schema.Array(Id).check(Schema.isMaxLength(2)) }),
  Schema.TaggedStruct("Retitle", { id: Id, title: Schema.Literals(["x", "y"]) }),
  Schema.TaggedStruct("StaleVersion", { id: Id }),
  Schema.TaggedStruct("StaleToken", { id: Id, off: Schema.Literals([-1, 1]) }),
  Schema.TaggedStruct("WrongScope", { id: Id, scope: ScopeOf }),
  Schema.TaggedStruct("Delete", { id: Id }),
  Schema.TaggedStruct("Wait", { seconds: Schema.Literals([1, 30, 60, 300]) }),
  Schema.TaggedStruct("Reap", {}),
  Schema.TaggedStruct("Heartbeat", {})
])
export type Command = typeof Command.Type

/** A start with work waiting, so that no sequence spends itself on an empty queue: four tasks, a second apart. */
export const Start = Schema.Array(Schema.Literals(["P0", "P1", "P2", "P10"])).check(
  Schema.isMinLength(4),
  Schema.isMaxLength(4)
)
export const begin = (priorities: typeof Start.Type): ReadonlyArray<Command> =>
  (["d", "b", "a", "c"] as const).flatMap((id, i) => [
    {
      _tag: "Create",
      id,
      scope: i < 2 ? "red" : "blue",
      role: i % 2 === 0 ? "build" : "review",
      priority: priorities[i]!,
      blockers: []
    },
    { _tag: "Wait", seconds: 1 }
  ])

const LeaseSeconds = 60
const DefaultLeaseSeconds = 300
const ranks: Record<string, number> = { P0: 0, P1: 1, P2: 2, P10: 10 }

// The tasks of `blue` follow a flow of their own: results are tested before they are reviewed, and may be reopened.
const flow = {
  states: ["incoming", "claimed", "testing", "provisional", "done"],
  transitions: [
    { from: "incoming", to: "claimed" },
    { from: "claimed", to: "testing" },
    { from: "testing", to: "provisional" },
    { from: "testing", to: "incoming" },
    { from: "provisional", to: "done" },
    { from: "done", to: "incoming" }
  ]
}
const rules = rulesOf(flow, undefined).task

interface Model {
  readonly scope: string
  readonly role: string | null
  readonly rank: number
  readonly created: number
  queue: string
  version: number
  title: string
  holder: string | null
  origin: string | null
  expires: number
  grants: number
  lapsed: boolean
  /** Where it was before it was put into requires-intervention. */
  came: string
  attempts: number
  rejections: number
  losses: number
}

const waiting = (queue: string) => queue === "done" || queue === "failed" ? "incoming" : queue

/** The queue of its flow that a task is on its way from. */
const origin = ({ came, origin, queue }: Model) => {
  const from = origin ?? queue
  return from === "requires-intervention" ? came : from
}

const release = (task: Model) => Object.assign(task, { holder: null, origin: null, lapsed: false })

export const run = Effect.fnUntraced(function*(commands: ReadonlyArray<Command>) {
  const queue = yield* TaskQueue
  const leases = yield* Leases
  const orchestrators = yield* Orchestrators
  const flows = yield* Flows
  const { batch, sql } = yield* Database
  const orchestrator_id = OrchestratorId.make("k-m")
  yield* orchestrators.register("red", { cluster: "k", machine_id: "m" })
  yield* flows.register("blue", "default", flow)

  const tasks = new Map<string, Model>()
  // What every id has waited for, and how far its counters came: both outlive the task.
  const edges: Array<{ readonly task: string; readonly blocker: string; readonly scope: string }> = []
  const past = new Map<string, { version: number; grants: number }>()
  let now = 0

  const unmet = (id: string) =>
    edges.filter((edge) => {
      if (edge.task !== id) return false
      const blocker = tasks.get(edge.blocker)
      return blocker?.scope !== edge.scope || blocker.queue !== "done"
    }).map((edge) => edge.blocker)

  /** Whether the task, or one that waits for it, is among these. */
  const closes = (id: string, scope: string | undefined, blockers: ReadonlyArray<string>) => {
    const below = new Set([id])
    for (const reached of below) {
      for (const edge of edges) if (edge.blocker === reached && edge.scope === scope) below.add(edge.task)
    }
    return blockers.some((blocker) => below.has(blocker))
  }

  /** Runs a change of `id` and then versions the tasks whose blockers it changed. */
  const changing = (id: string, change: () => void) => {
    const before = new Map([...tasks.keys()].map((key) => [key, unmet(key).join()]))
    const scope = tasks.get(id)?.scope
    change()
    if (scope === undefined) return
    for (const [key, task] of tasks) {
      if (key !== id && before.has(key) && before.get(key) !== unmet(key).join()) task.version++
    }
  }

  const expire = (scope?: string) => {
    let expired = 0
    for (const task of tasks.values()) {
      if (task.holder === null || task.expires > now || (scope !== undefined && task.scope !== scope)) continue
      const claimed = task.queue === "claimed"
      const origin = task.origin!
      release(task)
      if (claimed) {
        Object.assign(task, { queue: origin, attempts: task.attempts + 1, losses: task.losses + 1, lapsed: true })
      }
      task.version++
      expired++
    }
    return expired
  }

  const grant = (task: Model, holder: string, seconds: number, origin: string) =>
    Object.assign(task, { holder, origin, expires: now + seconds * 1000, grants: task.grants + 1, lapsed: false })

  const claim = Effect.fnUntraced(
    function*(scope: string, agent_name: string, from: string, roles: ReadonlyArray<string>) {
      expire(scope)
      const [id, next] = [...tasks].filter(([key, task]) =>
        task.scope === scope && task.queue === from && task.holder === null && unmet(key).length === 0
        && (roles.length === 0 || roles.includes(task.role ?? ""))
      ).toSorted(([a, x], [b, y]) =>
        x.rank - y.rank || x.created - y.created || (a < b ? -1 : 1)
      )[0] ?? []
      const result = yield* Effect.result(queue.claim(scope, {
        orchestrator_id,
        agent_name,
        queue: from,
        role_filter: roles,
        lease_duration_seconds: LeaseSeconds
      }))
      if (next === undefined) {
        assert.strictEqual(result._tag, "Failure", "a claim found a task that the model has not")
        if (result._tag === "Failure") assert.strictEqual(result.failure._tag, "NoTasksAvailable")
        return
      }
      assert.strictEqual(result._tag === "Success" ? result.success.id : result.failure._tag, id)
      grant(next, agent_name, LeaseSeconds, from)
      next.queue = from === "provisional" ? from : "claimed"
      next.version++
      if (result._tag === "Success") assert.strictEqual(result.success.fencing_token, next.grants)
    }
  )

  /** Does what the model allows, and expects the service to refuse the rest. */
  const expecting = Effect.fnUntraced(
    function*(
      allowed: boolean,
      effect: Effect.Effect<unknown, { readonly _tag: string }>,
      id: string,
      change: () => void
    ) {
      const result = yield* Effect.result(effect)
      assert.strictEqual(result._tag, allowed ? "Success" : "Failure", `${id}: ${JSON.stringify(result)}`)
      if (allowed) changing(id, change)
    }
  )

  const step = Effect.fnUntraced(function*(command: Command) {
    const id = "id" in command ? TaskId.make(command.id) : TaskId.make("none")
    const task = tasks.get(id)
    const held = task?.queue === "claimed"
    const stuck = task?.queue === "requires-intervention"
    /** Whether the task may be moved to `to`, as its flow says, or as every task may that follows none. */
    const mayGo = (to: string) => {
      if (task === undefined) return false
      const settling = stuck || (held && task.origin === "requires-intervention")
      if (settling && (to !== "done" || task.came === "done")) return true
      const at = to === "done" && task.lapsed ? "claimed" : stuck ? task.came : task.queue
      return task.scope === "red"
        ? at === "claimed" || at === "provisional"
        : [at, origin(task), task.queue].some((from) => rules.leads[from]?.[to] === 1)
    }
    const handedOn = () => task!.scope === "red" ? "provisional" : rules.onward[origin(task!)] ?? rules.submit
    switch (command._tag) {
      case "Create": {
        const blockers = [...new Set(command.blockers)]
        yield* expecting(
          task === undefined && !closes(id, command.scope, blockers),
          queue.create(command.scope, {
            id,
            file_path: `${id}.md`,
            branch: "main",
            role: command.role,
            priority: command.priority,
            blocked_by: blockers.join(",")
          }),
          id,
          () => {
            const { grants, version } = past.get(id) ?? { version: 0, grants: 0 }
            tasks.set(id, {
              scope: command.scope,
              role: command.role,
              rank: ranks[command.priority]!,
              created: now,
              queue: "incoming",
              version: version + 1,
              title: id,
              holder: null,
              origin: null,
              expires: 0,
              grants,
              lapsed: false,
              came: "claimed",
              attempts: 0,
              rejections: 0,
              losses: 0
            })
            for (const blocker of blockers) edges.push({ task: id, blocker, scope: command.scope })
          }
        )
        break
      }
      case "Claim":
        yield* claim(command.scope, command.agent, "incoming", command.roles)
        break
      case "Review":
        yield* claim(command.scope, command.agent, "provisional", [])
        break
      case "Continue":
        yield* claim(command.scope, command.agent, "needs_continuation", [])
        break
      case "Test":
        yield* claim("blue", command.agent, "testing", [])
        break
      case "Submit":
        yield* expecting(
          (held || (stuck && task.came !== "done") || task?.lapsed === true)
            && (!command.fenced || task.holder !== null || task.lapsed),
          queue.submit(
            id,
            {
              commits_count: 0,
              turns_used: command.turns,
              ...(command.fenced ? { fencing_token: task?.grants ?? 0 } : {})
            },
            undefined
          ),
          id,
          () => {
            const target = handedOn()
            release(task!)
            Object.assign(task!, {
              queue: command.turns >= 80 && task!.scope === "red" ? "needs_continuation" : target,
              version: task!.version + 1
            })
          }
        )
        break
      case "Accept":
        yield* expecting(mayGo("done"), queue.accept(id, { accepted_by: "gate" }, undefined), id, () => {
          release(task!)
          Object.assign(task!, { queue: "done", version: task!.version + 1 })
        })
        break
      case "Reject":
        yield* expecting(
          mayGo("incoming"),
          queue.reject(id, { reason: "no", rejected_by: "gate" }, undefined),
          id,
          () => {
            release(task!)
            Object.assign(task!, { queue: "incoming", version: task!.version + 1, rejections: task!.rejections + 1 })
          }
        )
        break
      case "Requeue":
        yield* expecting(
          mayGo("incoming") || (held && mayGo(task.origin!)),
          queue.requeue(id, {}, undefined),
          id,
          () => {
            const target = held ? task!.origin! : "incoming"
            release(task!)
            Object.assign(task!, { queue: target, version: task!.version + 1, attempts: task!.attempts + 1 })
          }
        )
        break
      case "Move":
        yield* expecting(
          // Nobody is given a task that waits for others.
          task !== undefined
            && (command.queue !== "claimed" || task.holder !== null || unmet(id).length === 0),
          queue.patch(id, { queue: command.queue }, undefined),
          id,
          () => {
            const from = task!.queue
            if (from === command.queue) return
            const { holder, origin } = task!
            if (command.queue !== "claimed") release(task!)
            else if (holder === null) grant(task!, "unknown", DefaultLeaseSeconds, waiting(from))
            else Object.assign(task!, { origin: waiting(from), holder, lapsed: false })
            assert.isTrue(holder === null || origin !== null)
            if (command.queue === "requires-intervention" && origin !== command.queue) task!.came = from
            Object.assign(task!, { queue: command.queue, version: task!.version + 1 })
          }
        )
        break
      case "Fail":
        yield* expecting(
          task !== undefined && task.queue !== "done" && task.queue !== "failed",
          queue.fail(id, { reason: "broken" }, undefined),
          id,
          () => {
            release(task!)
            Object.assign(task!, { queue: "failed", version: task!.version + 1 })
          }
        )
        break
      case "Force":
        yield* expecting(
          task !== undefined && (command.queue !== "claimed" || unmet(id).length === 0),
          queue.force(id, { queue: command.queue, reason: "stuck" }, undefined),
          id,
          () => {
            const from = task!.queue
            const origin = from === "claimed" ? task!.origin! : waiting(from)
            release(task!)
            if (command.queue === "claimed") grant(task!, "unknown", DefaultLeaseSeconds, origin)
            const again = from === command.queue || origin === command.queue
            if (command.queue === "requires-intervention" && !again) task!.came = from
            Object.assign(task!, { queue: command.queue, version: task!.version + 1 })
          }
        )
        break
      case "Assign":
        yield* expecting(
          task !== undefined && (command.agent === null || command.agent === task.holder
            || (task.queue !== "done" && unmet(id).length === 0)),
          queue.patch(id, { claimed_by: command.agent }, undefined),
          id,
          () => {
            const { agent } = command
            if (agent === task!.holder) return
            task!.version++
            if (agent === null) {
              const origin = task!.origin!
              const claimed = task!.queue === "claimed"
              Object.assign(task!, { holder: null, origin: null, ...(claimed ? { queue: origin } : {}) })
              if (claimed) task!.lapsed = false
              return
            }
            const from = task!.queue
            const origin = from === "claimed" ? task!.origin! : from
            grant(task!, agent, DefaultLeaseSeconds, origin)
            if (from === "incoming") task!.queue = "claimed"
          }
        )
        break
      case "Block": {
        const blockers = [...new Set(command.blockers)]
        yield* expecting(
          task !== undefined && !blockers.includes(command.id) && !closes(
            id,
            task.scope,
            blockers.filter((blocker) => !edges.some((edge) => edge.task === id && edge.blocker === blocker))
          ),
          queue.patch(id, { blocked_by: blockers.join(",") }, undefined),
          id,
          () => {
            const before = edges.filter((edge) => edge.task === id)
            if (before.map((edge) => edge.blocker).join() === blockers.join()) return
            for (const edge of before) edges.splice(edges.indexOf(edge), 1)
            for (const blocker of blockers) edges.push({ task: id, blocker, scope: task!.scope })
            task!.version++
          }
        )
        break
      }
      case "Retitle":
        yield* expecting(task !== undefined, queue.patch(id, { title: command.title }, undefined), id, () => {
          if (task!.title !== command.title) Object.assign(task!, { title: command.title, version: task!.version + 1 })
        })
        break
      case "StaleVersion": {
        const stale = { title: "stale", version: (task?.version ?? 1) - 1 }
        yield* expecting(false, queue.patch(id, stale, undefined), id, () => {})
        yield* expecting(false, queue.accept(id, { accepted_by: "x", version: stale.version }, undefined), id, () => {})
        break
      }
      case "StaleToken": {
        const fencing_token = (task?.grants ?? 0) + command.off
        const refused = (effect: Effect.Effect<unknown, { readonly _tag: string }>) =>
          expecting(false, effect, id, () => {})
        yield* refused(queue.submit(id, { commits_count: 0, turns_used: 0, fencing_token }, undefined))
        yield* refused(queue.accept(id, { accepted_by: "x", fencing_token }, undefined))
        yield* refused(queue.reject(id, { reason: "r", rejected_by: "x", fencing_token }, undefined))
        yield* refused(queue.requeue(id, { fencing_token }, undefined))
        yield* refused(queue.fail(id, { reason: "r", fencing_token }, undefined))
        yield* refused(queue.patch(id, { queue: "failed", fencing_token }, undefined))
        break
      }
      case "WrongScope": {
        const scope = task?.scope === "red" ? "blue" : "red"
        yield* expecting(false, queue.get(id, scope), id, () => {})
        yield* expecting(false, queue.patch(id, { title: "theirs" }, scope), id, () => {})
        yield* expecting(false, queue.accept(id, { accepted_by: "x" }, scope), id, () => {})
        yield* expecting(false, queue.remove(id, scope), id, () => {})
        break
      }
      case "Delete":
        yield* expecting(task !== undefined, queue.remove(id, undefined), id, () => {
          past.set(id, { version: task!.version + 1, grants: task!.grants })
          tasks.delete(id)
          for (let i = edges.length - 1; i >= 0; i--) {
            const edge = edges[i]!
            if (edge.task === id || (edge.blocker === id && edge.scope === task!.scope)) edges.splice(i, 1)
          }
        })
        break
      case "Wait":
        yield* TestClock.adjust(`${command.seconds} seconds`)
        now += command.seconds * 1000
        break
      case "Reap":
        assert.strictEqual(yield* leases.reap, expire())
        break
      case "Heartbeat":
        yield* orchestrators.heartbeat(orchestrator_id, undefined)
    }
  })

  const invariants = Effect.fnUntraced(function*() {
    const [rows = [], counts = [], history = [], holes = []] = yield* batch([
      sql`SELECT * FROM tasks ORDER BY id`,
      sql`SELECT scope, key AS queue, value AS n FROM queue_counts, json_each(counts) WHERE value <> 0 ORDER BY scope, key`,
      sql`SELECT scope, queue, count(*) AS n FROM tasks GROUP BY scope, queue ORDER BY scope, queue`,
      // One history row for each version there ever was, and the newest is the task's own.
      sql`
        SELECT task_id FROM history GROUP BY task_id HAVING count(*) <> max(version)
        UNION ALL
        SELECT id FROM tasks WHERE version <> (SELECT max(version) FROM history WHERE task_id = tasks.id)
        UNION ALL
        SELECT id FROM tasks WHERE queue <> (
          SELECT to_queue FROM history WHERE task_id = tasks.id ORDER BY version DESC LIMIT 1)`
    ])
    assert.deepStrictEqual(counts, history, "the counters drifted")
    assert.deepStrictEqual(holes, [], "a version without history, or history without its version")
    const stored = rows.map((row) => ({
      id: row.id,
      scope: row.scope,
      queue: row.queue,
      version: row.version,
      title: row.title,
      holder: row.claimed_by,
      token: row.fencing_token,
      origin: row.claimed_from,
      expires: row.lease_expires_at,
      lapsed: row.lapsed_token !== null,
      attempts: row.attempt_count,
      rejections: row.rejection_count,
      losses: row.lease_losses,
      blocked_by: row.blocked_by ?? ""
    }))
    const expected = [...tasks].toSorted(([a], [b]) => a < b ? -1 : 1).map(([id, task]) => ({
      id,
      scope: task.scope,
      queue: task.queue,
      version: task.version,
      title: task.title,
      holder: task.holder,
      token: task.holder === null ? null : task.grants,
      origin: task.origin,
      expires: task.holder === null ? null : task.expires,
      lapsed: task.lapsed,
      attempts: task.attempts,
      rejections: task.rejections,
      losses: task.losses,
      blocked_by: unmet(id).join(",")
    }))
    assert.strictEqual(
      stored.map((task) => JSON.stringify(task)).join("\n"),
      expected.map((task) => JSON.stringify(task)).join("\n")
    )
  })

  for (const command of commands) {
    yield* step(command)
    yield* invariants()
  }
})
