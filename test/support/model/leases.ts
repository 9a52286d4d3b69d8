/** Commands that renew leases, one by one or all of a machine, before and after they expire. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ScopeName, TaskId } from "../../../src/domain/Identifier.ts"
import { type Bench, idOf, type Steps } from "./Bench.ts"
import { Project } from "./lives.ts"
import { record, release, type Task } from "./Task.ts"

const DefaultLeaseMillis = 300_000

/** Names a new commit, and a session. */
const checkpointOf = (n: number) => ({ notes: `checkpoint ${n}`, head_commit: `k${n}`, session_url: "s" })

const named = (leases: ReadonlyArray<{ readonly task_id: string }>) => leases.map(({ task_id }) => task_id).toSorted()

export const make = (
  { database, expecting, leases, orchestrator_id, orchestrators, pass, posting, projects, queue, usage, world }: Bench
): Steps<"Reap" | "Renew" | "Late" | "Cap" | "RenewAll" | "Heartbeat" | "TakeBack"> => {
  const { clock, heard, tasks } = world

  /** The machine named no scope: it is heard of in all of its scopes. */
  const isHeard = () => {
    for (const scope of Object.keys(heard)) heard[scope] = clock.now
  }

  const revisions = Effect.map(
    database.batch([database.sql`SELECT scope, leases_revision FROM queue_counts WHERE scope >= ' '`]),
    ([rows = []]) => rows
  )

  /** Whether the last holder of the task still has it, or may get it back. */
  const isRenewable = (task: Task) => {
    const deadline = task.lapsed === null ? task.deadline : task.lapsed.deadline
    return (task.holder !== null || task.lapsed !== null) && (deadline === null || deadline > clock.now)
  }

  const renew = (task: Task, noted: boolean) => {
    if (task.lapsed !== null) {
      const { deadline, holder, leaseMillis } = task.lapsed
      const origin = task.queue
      record(task, "reattached", holder)
      release(task)
      Object.assign(task, {
        queue: "claimed",
        holder,
        origin,
        deadline,
        leaseMillis,
        expires: 0
      })
    }
    const until = Math.max(task.expires, clock.now + (task.leaseMillis ?? DefaultLeaseMillis))
    task.expires = Math.min(until, task.deadline ?? Infinity)
    if (noted) {
      task.checkpoint++
      task.head = checkpointOf(task.checkpoint).head_commit
      task.session = task.grants
      world.use(task, 1)
    }
  }

  const renewal = ({ id, noted, off }: { readonly id: TaskId; readonly off: number; readonly noted: boolean }) => {
    const task = tasks.get(id)
    return posting(
      task !== undefined && off === 0 && isRenewable(task),
      leases.renew(
        id,
        {
          fencing_token: (task?.grants ?? 0) + off,
          ...(noted ? { checkpoint: checkpointOf((task?.checkpoint ?? 0) + 1), usage: { input_tokens: 1 } } : {})
        },
        undefined
      ),
      id,
      () => renew(task!, noted)
    )
  }

  const reap = Effect.map(leases.reap, (reaped) => assert.strictEqual(reaped, world.expire()))

  return {
    Reap: () => reap,
    Renew: (command) => renewal({ ...command, id: idOf(command) }),
    Late: Effect.fnUntraced(function*(command) {
      const id = idOf(command)
      const task = tasks.get(id)
      if (task !== undefined && task.holder !== null) yield* pass(Math.max(0, task.expires - world.clock.now))
      if (command.reaped) yield* reap
      yield* renewal({ id, off: command.off, noted: false })
    }),
    // Every task, also those that nobody holds: the answer has to distinguish them. Each is listed twice, and the
    // unused checkpoint has to be refused.
    RenewAll: Effect.fnUntraced(function*() {
      const before = yield* revisions
      const { renewals: { directives, lost, refused, renewed } } = yield* Effect.orDie(
        orchestrators.renew(
          orchestrator_id,
          undefined,
          [...tasks].flatMap(([id, task]) => {
            const lease = { task_id: TaskId.make(id), fencing_token: task.grants }
            return [{ ...lease, checkpoint: { notes: "superseded" } }, { ...lease, usage: { input_tokens: 1 } }]
          })
        )
      )
      const kept = [...tasks].filter(([, task]) => isRenewable(task))
      const gone = [...tasks.keys()].filter((id) => !kept.some(([key]) => key === id))
      assert.deepStrictEqual(named(renewed), kept.map(([id]) => id).toSorted())
      assert.deepStrictEqual(named(lost), gone.toSorted())
      assert.deepStrictEqual(named(refused), [...tasks.keys()].toSorted(), "what an entry named twice asks for")
      assert.deepStrictEqual(
        named(directives.filter(({ directive }) => directive === "cancel")),
        kept.filter(([, task]) => task.cancelling).map(([id]) => id).toSorted()
      )
      // The lists of a scope change with the leases in it.
      const scopes = new Set([...tasks.values()].flatMap(({ holder, scope }) => holder === null ? [] : [scope]))
      for (const [, task] of kept) {
        renew(task, false)
        world.use(task, 1)
      }
      assert.deepStrictEqual(
        named(directives.filter(({ directive }) => directive === "pause")),
        kept.filter(([, task]) => !task.cancelling && world.isCapped(task)).map(([id]) => id).toSorted(),
        "who is to pause"
      )
      isHeard()
      const risen = (yield* revisions).filter(({ leases_revision, scope }) =>
        leases_revision !== before.find((one) => one.scope === scope)?.leases_revision
      )
      assert.sameMembers(risen.map(({ scope }) => scope), [...scopes])
    }),
    // As clients do it: a valid lease is left alone, and an expired one is taken back as the server does it.
    TakeBack: Effect.fnUntraced(function*(command) {
      const id = idOf(command)
      const task = tasks.get(id)
      const patch = { queue: "incoming", claimed_by: null, lease_expires_at: null, needs_intervention: false }
      yield* expecting(task !== undefined, queue.patch(id, { ...patch, attempt_count: 0 }, undefined), id, () => {})
      world.expireOne(id)
    }),
    Cap: Effect.fnUntraced(function*({ of, tokens }) {
      world.caps[of] = tokens ?? Infinity
      const caps = { max_tokens: tokens }
      if (of === "project") yield* Effect.orDie(projects.patch(Project, caps, undefined))
      else yield* usage.cap(ScopeName.make(of), caps)
    }),
    Heartbeat: () => Effect.map(Effect.orDie(orchestrators.heartbeat(orchestrator_id, undefined)), isHeard)
  }
}
