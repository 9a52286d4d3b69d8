/** Every sequence of dones, failures, reopenings, removals and changes of edges, over real SQL against a pure model. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { meanings, OnFailure } from "../../src/domain/dependency/Dependency.ts"
import { type ScopeName, TaskId } from "../../src/domain/Identifier.ts"
import { Dependencies } from "../../src/services/dependency/Dependencies.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Database } from "../../src/sql/Database.ts"
import { ServicesLayer } from "../support/layers.ts"
import { runs } from "../support/runs.ts"

const scope: ScopeName = "red"
const Name = Schema.Literals(["a", "b", "c", "TASK-a"])
const Edge = Schema.Struct({ task_id: Name, on_failure: OnFailure })
// Some are listed more than once, so that they come more often.
const Command = Schema.Union([
  Schema.TaggedStruct("Create", { id: Name, edges: Schema.Array(Edge).check(Schema.isMaxLength(3)) }),
  Schema.TaggedStruct("Put", { id: Name, edge: Edge }),
  Schema.TaggedStruct("Put", { id: Name, edge: Edge }),
  Schema.TaggedStruct("Drop", { id: Name, blocker: Name }),
  Schema.TaggedStruct("Block", { id: Name, blocker: Name }),
  Schema.TaggedStruct("Force", { id: Name, queue: Schema.Literals(["incoming", "done", "failed", "cancelled"]) }),
  Schema.TaggedStruct("Force", { id: Name, queue: Schema.Literals(["incoming", "done", "failed", "cancelled"]) }),
  Schema.TaggedStruct("Force", { id: Name, queue: Schema.Literals(["incoming", "done", "failed", "cancelled"]) }),
  Schema.TaggedStruct("Force", { id: Name, queue: Schema.Literals(["incoming", "done", "failed", "cancelled"]) }),
  Schema.TaggedStruct("Patch", { id: Name, queue: Schema.Literals(["incoming", "failed", "cancelled"]) }),
  Schema.TaggedStruct("Fail", { id: Name }),
  Schema.TaggedStruct("Hold", { id: Name }),
  Schema.TaggedStruct("Requeue", { id: Name }),
  Schema.TaggedStruct("Accept", { id: Name }),
  Schema.TaggedStruct("Remove", { id: Name })
])
type Command = typeof Command.Type

interface Model {
  queue: string
  readonly edges: Map<string, OnFailure>
}

const lost = ["failed", "cancelled"]
const over = new Set(["done", ...lost])
const otherName = (name: string) => name.startsWith("TASK-") ? name.slice(5) : `TASK-${name}`

const run = Effect.fnUntraced(function*(commands: ReadonlyArray<Command>) {
  const queue = yield* TaskQueue
  const dependencies = yield* Dependencies
  const { batch, sql } = yield* Database
  const tasks = new Map<string, Model>()

  const queueOf = (id: string) => tasks.get(id)?.queue ?? ""
  const satisfied = (blocker: string, on_failure: OnFailure) =>
    meanings(blocker).some((id) => queueOf(id) === "done" || (on_failure === "skip" && lost.includes(queueOf(id))))
  const unmet = (id: string) =>
    [...tasks.get(id)!.edges].filter(([blocker, on_failure]) => !satisfied(blocker, on_failure)).map(([name]) => name)
  const waitersOf = (id: string) =>
    [...tasks].filter(([, { edges }]) => [...edges.keys()].some((name) => meanings(name).includes(id)))
  /** Whether the task would wait for itself if it waited for these. */
  const closes = (id: string, names: ReadonlyArray<string>) => {
    const below = new Set([id])
    for (const reached of below) for (const [waiter] of waitersOf(reached)) below.add(waiter)
    return names.some((name) => meanings(name).some((meant) => below.has(meant)))
  }
  /** Fails the dependents of tasks that just moved. */
  const fall = (id: string) => {
    if (!lost.includes(queueOf(id))) return
    for (const [waiter, model] of waitersOf(id)) {
      const fails = [...model.edges].some(([name, on_failure]) =>
        on_failure === "fail" && meanings(name).includes(id) && !satisfied(name, on_failure)
      )
      if (fails && model.queue !== "claimed" && !over.has(model.queue)) {
        model.queue = "failed"
        fall(waiter)
      }
    }
  }
  const move = (id: string, to: string) => {
    const task = tasks.get(id)!
    if (task.queue === to) return
    task.queue = to
    fall(id)
  }
  /** Fails the task if a new blocker has failed. */
  const burden = (id: string, added: ReadonlyArray<readonly [string, OnFailure]>) => {
    const task = tasks.get(id)!
    const hit = added.some(([name, on_failure]) =>
      on_failure === "fail" && !satisfied(name, on_failure) &&
      meanings(name).some((meant) => lost.includes(queueOf(meant)))
    )
    if (hit && task.queue !== "claimed" && !over.has(task.queue)) move(id, "failed")
  }
  /** Moves the task, and fails it for what failed while it was held. */
  const free = (id: string, to: string) => {
    const { edges, queue } = tasks.get(id)!
    move(id, to)
    if (queue === "claimed") burden(id, [...edges])
  }
  const expecting = Effect.fnUntraced(
    function*(allowed: boolean, effect: Effect.Effect<unknown, { readonly _tag: string }>, change: () => void) {
      const result = yield* Effect.result(effect)
      assert.strictEqual(result._tag, allowed ? "Success" : "Failure", JSON.stringify(result))
      if (allowed) change()
    }
  )

  const step = Effect.fnUntraced(function*(command: Command) {
    const id = TaskId.make(command.id)
    const task = tasks.get(id)
    switch (command._tag) {
      case "Create": {
        const edges = new Map(command.edges.map(({ on_failure, task_id }) => [task_id as string, on_failure]))
        const input = {
          id,
          file_path: id,
          branch: "b",
          depends_on: command.edges.map((edge) => ({ ...edge, task_id: TaskId.make(edge.task_id) }))
        }
        const allowed = task === undefined && !closes(id, [...edges.keys()])
        return yield* expecting(allowed, queue.create(scope, input), () => {
          tasks.set(id, { queue: "incoming", edges })
          burden(id, [...edges])
        })
      }
      case "Put": {
        const { on_failure, task_id } = command.edge
        const name = [task_id, otherName(task_id)].find((each) => task?.edges.has(each)) ?? task_id
        const added = task?.edges.has(name) === false
        const put = dependencies.put(id, TaskId.make(task_id), { on_failure }, undefined)
        return yield* expecting(task !== undefined && !(added && closes(id, [name])), put, () => {
          const same = task!.edges.get(name) === on_failure
          task!.edges.set(name, on_failure)
          if (!same) burden(id, [[name, on_failure]])
        })
      }
      case "Drop": {
        const name = [command.blocker, otherName(command.blocker)].find((each) => task?.edges.has(each))
        const remove = dependencies.remove(id, command.blocker, {}, undefined)
        return yield* expecting(name !== undefined, remove, () => task!.edges.delete(name!))
      }
      case "Block": {
        const added = task?.edges.has(command.blocker) === false
        const patch = queue.patch(id, { blocked_by: command.blocker }, undefined)
        const allowed = task !== undefined && id !== command.blocker && !(added && closes(id, [command.blocker]))
        return yield* expecting(allowed, patch, () => {
          if (unmet(id).join() === command.blocker) return
          const on_failure = task!.edges.get(command.blocker) ?? "wait"
          task!.edges.clear()
          task!.edges.set(command.blocker, on_failure)
        })
      }
      case "Force":
        return yield* expecting(
          task !== undefined,
          queue.force(id, { queue: command.queue, reason: "r" }, undefined),
          () => move(id, command.queue)
        )
      case "Patch":
        return yield* expecting(
          task !== undefined,
          queue.patch(id, { queue: command.queue }, undefined),
          () => free(id, command.queue)
        )
      case "Fail":
        return yield* expecting(
          task !== undefined && !over.has(task.queue),
          queue.fail(id, { reason: "r" }, undefined),
          () => move(id, "failed")
        )
      case "Hold": {
        const allowed = task !== undefined && task.queue === "incoming" && unmet(id).length === 0
        if (allowed) yield* queue.patch(id, { claimed_by: "ann" }, undefined)
        if (allowed) move(id, "claimed")
        return
      }
      case "Requeue":
        return yield* expecting(
          task?.queue === "claimed",
          queue.requeue(id, {}, undefined),
          () => free(id, "incoming")
        )
      case "Accept":
        return yield* expecting(
          task?.queue === "claimed",
          queue.accept(id, { accepted_by: "x" }, undefined),
          () => move(id, "done")
        )
      case "Remove":
        return yield* expecting(task !== undefined, queue.remove(id, undefined), () => {
          tasks.delete(id)
          for (const { edges } of tasks.values()) {
            edges.delete(id)
            if (!tasks.has(`TASK-${id}`)) edges.delete(`TASK-${id}`)
          }
        })
    }
  })

  for (const command of commands) {
    yield* step(command)
    const [rows = [], edges = [], counted, unrecorded] = yield* batch([
      sql`SELECT id, queue, blocked_by FROM tasks ORDER BY id`,
      sql`SELECT task_id, blocker_id, on_failure, satisfied_at FROM dependencies`,
      sql`SELECT counts FROM queue_counts`,
      sql`SELECT id FROM tasks WHERE version <> (SELECT count(*) FROM history WHERE task_id = id)
        AND NOT EXISTS (SELECT 1 FROM history WHERE task_id = id AND event = 'deleted')`
    ])
    const commandText = JSON.stringify(command)
    assert.deepStrictEqual(
      rows.map((
        { blocked_by, id, queue }
      ) => [id, queue, new Set(blocked_by === null ? [] : String(blocked_by).split(","))]),
      [...tasks].toSorted(([a], [b]) => a < b ? -1 : 1).map(([id, { queue }]) => [id, queue, new Set(unmet(id))]),
      commandText
    )
    assert.sameDeepMembers(
      edges.map((edge) => [edge.task_id, edge.blocker_id, edge.on_failure, edge.satisfied_at !== null]),
      [...tasks].flatMap(([id, task]) =>
        [...task.edges].map(([name, on_failure]) => [id, name, on_failure, satisfied(name, on_failure)])
      ),
      commandText
    )
    const counts = Object.entries(JSON.parse(String(counted?.[0]?.counts ?? "{}")) as Record<string, number>)
    assert.sameDeepMembers(
      counts.filter(([, n]) => n !== 0),
      [...Map.groupBy(tasks.values(), ({ queue }) => queue)].map(([queue, all]) => [queue, all.length]),
      commandText
    )
    assert.deepStrictEqual(unrecorded, [], commandText)
    for (const [id, { edges }] of tasks) assert.isFalse(closes(id, []) || edges.has(id), commandText)
    // No circle: tasks without blockers can be removed until none is left.
    const left = new Set(tasks.keys())
    for (let free: string | undefined = ""; free !== undefined;) {
      free = [...left].find((id) => ![...tasks.get(id)!.edges.keys()].flatMap(meanings).some((name) => left.has(name)))
      if (free !== undefined) left.delete(free)
    }
    assert.strictEqual(left.size, 0, `${commandText} closed a circle`)
  }
})

describe("dependencies", () => {
  it.effect.prop(
    "A9: agree with the model after every command, and never form a circle",
    {
      commands: Schema.Array(Command),
      how: Schema.Tuple([OnFailure, OnFailure, OnFailure]),
      // Where `a` is when `TASK-a` is created, which `c` waits for by a name that means both. It need not be created.
      namesake: Schema.NullOr(Schema.Literals(["incoming", "done", "failed"]))
    },
    ({ commands, how: [first, second, third], namesake }) =>
      run([
        { _tag: "Create", id: "a", edges: [] },
        { _tag: "Create", id: "b", edges: [{ task_id: "a", on_failure: first }] },
        {
          _tag: "Create",
          id: "c",
          edges: [{ task_id: "TASK-a", on_failure: second }, { task_id: "b", on_failure: third }]
        },
        ...(namesake === null ? [] : [
          { _tag: "Create", id: "TASK-a", edges: [] } as const,
          { _tag: "Force", id: "a", queue: namesake } as const
        ]),
        ...commands
      ]).pipe(Effect.provide(ServicesLayer, { local: true })),
    { timeout: 900_000, arbitrary: { runs: runs(60, 12), size: 60 } }
  )
})
