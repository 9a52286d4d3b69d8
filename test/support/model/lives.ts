/** Tasks come and go, and time passes. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ProjectId, ScopeName, TaskId } from "../../../src/domain/Identifier.ts"
import { Never } from "../../../src/domain/lease/Question.ts"
import { type Bench, idOf, type Steps } from "./Bench.ts"
import type { Command } from "./Command.ts"
import { isEnd, record, type Task } from "./Task.ts"

/** A project of the scope red. It requires evidence of the kind `test`. */
export const Project = ProjectId.make("p")

/** The hook that every task has. */
export const Hook = "checks"

/** What a search finds in tasks. Each external key is that of one id, and two are the ids of other tasks. */
const told: Record<string, { readonly branch: string; readonly path: string; readonly key: string }> = {
  a: { branch: "Fix/A", path: "TASK-a.md", key: "b" },
  b: { branch: "main", path: "b", key: "100%" },
  c: { branch: "fix/c", path: "a", key: "D" },
  d: { branch: "Main", path: "src/x_d.md", key: "main" }
}

const HastySeconds = 90
const budgets = { attempts: "max_attempts", losses: "max_lease_losses", rejections: "max_rejections" } as const
const ranks: Record<string, number> = { P0: 0, P1: 1, P2: 2, P10: 10 }

export const make = (
  { aside, drafts, expecting, keyed, pass, posting, queue, refused, world }: Bench
): Steps<"Create" | "Delete" | "Wait" | "Lapse"> => {
  const { clock, closesCycle, forget, lives, past, roles, tasks, wait } = world

  /** A task that the server has, asked for again by the other scope, for a project that is nowhere. */
  const twin = Effect.fnUntraced(function*({ scope, twin }: Extract<Command, { readonly _tag: "Create" }>, id: TaskId) {
    if (!twin || !tasks.has(id)) return
    const other = ScopeName.make(scope === "red" ? "blue" : "red")
    const asked = { id, file_path: "twin.md", branch: "main", project_id: ProjectId.make("nowhere"), queue: "failed" }
    yield* refused("InvalidTask", keyed(queue.create(other, asked)))
  })

  return {
    Create: Effect.fnUntraced(function*(command) {
      const id = idOf(command)
      const blockers = [...new Set(command.blockers)]
      const tells = command.telling ? told[id] : undefined
      const { branch, path } = tells ?? { branch: "main", path: `${id}.md` }
      const ofProject = command.ofProject && command.scope === "red"
      const fields = {
        id,
        title: id,
        file_path: path,
        branch,
        ...(tells === undefined ? {} : { external_key: tells.key }),
        hooks: JSON.stringify([{ name: Hook, status: "pending" }]),
        role: command.role,
        priority: command.priority,
        ...(ofProject ? { project_id: Project } : {}),
        ...(command.onFailure === "wait"
          ? { blocked_by: blockers.join(",") }
          : {
            depends_on: blockers.map((blocker) => ({ task_id: TaskId.make(blocker), on_failure: command.onFailure }))
          }),
        ...(command.budget === null ? {} : { [budgets[command.budget]]: command.limit }),
        ...(command.cap === null ? {} : { max_tokens: command.cap }),
        ...(command.hasty ? { max_attempt_seconds: HastySeconds } : {})
      }
      const draft = command.promoted
        ? yield* aside(drafts.create(command.scope, { title: id, author: "ada" }))
        : undefined
      // Blue has no machine, so it has no roles.
      const isUnknown = command.scope === "red" && command.role !== null && roles.size > 0 && !roles.has(command.role)
      const allowed = !tasks.has(id) && !isUnknown && !closesCycle(command.scope, id, blockers)
      // A create that is refused is answered with the open task of its external key, if there is one.
      const same = tells === undefined || command.promoted ? undefined : tasks.get(id)
      const isKnown = same?.scope === command.scope && same.key === tells!.key && !isEnd(same.queue)
      yield* posting(
        allowed || isKnown,
        draft === undefined
          ? queue.create(command.scope, fields)
          : drafts.promote(draft.id, { task: fields }, undefined),
        id,
        () => {
          if (!allowed) return
          const { grants, version } = past.get(id) ?? { version: 0, grants: 0 }
          const task: Task = {
            id,
            changes: world.changes,
            clock,
            scope: command.scope,
            role: command.role,
            rank: ranks[command.priority]!,
            created: clock.now,
            queue: "incoming",
            since: version,
            version: version + 1,
            latest: { at: clock.now, event: "created", from: null, actor: null },
            title: id,
            holder: null,
            origin: null,
            expires: 0,
            leaseMillis: null,
            deadline: null,
            cancelling: false,
            grants,
            lapsed: null,
            backoff: null,
            availableAt: null,
            limits: {
              attempts: 0,
              losses: 0,
              rejections: 0,
              ...(command.budget === null ? {} : { [command.budget]: command.limit })
            },
            maxAttemptMillis: command.hasty ? HastySeconds * 1000 : null,
            came: "claimed",
            attempts: 0,
            rejections: 0,
            losses: 0,
            checkpoint: 0,
            ofProject,
            // A task of a project is on its branch.
            branch: ofProject ? "main" : branch,
            path,
            key: tells?.key ?? null,
            submitter: null,
            head: null,
            evidence: null,
            session: null,
            used: 0,
            cap: command.cap ?? Infinity,
            setbacks: [],
            answers: 0,
            terminal: false,
            reasoned: false
          }
          tasks.set(id, task)
          world.changes.push({ ...task.latest, task, version: task.version, title: id })
          for (const blocker of blockers) wait(id, blocker, command.onFailure)
        }
      )
      if (draft !== undefined) {
        const { linked_task_id, status } = yield* aside(Effect.orDie(drafts.get(draft.id, undefined)))
        assert.deepStrictEqual([linked_task_id, status], allowed ? [id, "promoted"] : [null, "idea"], `draft of ${id}`)
      }
      yield* twin(command, id)
    }),
    Delete: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      return expecting(task !== undefined, queue.remove(id, undefined), id, () => {
        record(task!, "deleted", task!.holder)
        past.set(id, task!)
        lives.push({ id, scope: task!.scope, entries: task!.version - task!.since })
        forget((edge) => edge.task === id || (edge.blocker === id && tasks.get(edge.task)?.scope === task!.scope))
        tasks.delete(id)
      })
    },
    Wait: ({ seconds }) => pass(seconds * 1000),
    // To the very end of the lease or the backoff that ends next, or to its last millisecond.
    Lapse: ({ early }) => {
      const ends = [...tasks.values()].map(({ availableAt, expires, holder }) =>
        holder === null ? availableAt ?? 0 : expires
      )
        .filter((end) => end > clock.now && end < Never)
      return ends.length === 0 ? Effect.void : pass(Math.min(...ends) - clock.now - Number(early))
    }
  }
}
