/** Breakers as the model has them, and the commands of the operator who sets and closes them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { ProjectId, ScopeName } from "../../../src/domain/Identifier.ts"
import type { Bench, Steps } from "./Bench.ts"
import type { Change, Task } from "./Task.ts"

export const Threshold = 2
const WindowSeconds = 200
const WaitSeconds = 40
const LongestMillis = 86_400_000

export type Of = "red" | "blue" | "project"

interface Breaker {
  failures: ReadonlyArray<{ readonly id: string; readonly at: number }>
  retryAt: number | undefined
  probes: number
  canary: { readonly id: string; readonly grants: number } | undefined
}

const closed = (): Breaker => ({ failures: [], retryAt: undefined, probes: 0, canary: undefined })

export const make = (
  { changes, clock, tasks }: {
    readonly changes: Array<Change>
    readonly clock: { readonly now: number }
    readonly tasks: ReadonlyMap<string, Task>
  }
) => {
  const breakers = new Map<Of, Breaker>()

  /** The feed says so. It is about no task. */
  const say = (of: Of, event: string, actor: string | null) => {
    const about = { id: null, scope: of === "blue" ? "blue" : "red", ofProject: of === "project" }
    const change = { at: clock.now, task: about, version: null, event, from: null, actor, title: null }
    changes.push(change as unknown as Change)
  }

  const open = (of: Of, breaker: Breaker) => {
    const wait = Math.min(WaitSeconds * 1000 * 2 ** breaker.probes, LongestMillis)
    Object.assign(breaker, { retryAt: clock.now + wait, failures: [], canary: undefined })
    say(of, "breaker_opened", null)
  }

  const close = (of: Of, actor: string | null) => {
    // One that is closed stays as it is.
    if (breakers.get(of)?.retryAt === undefined) return
    say(of, "breaker_closed", actor)
    breakers.set(of, closed())
  }

  const ofTask = (task: Task) =>
    [task.scope as Of, ...(task.ofProject ? ["project" as const] : [])].flatMap((of) => {
      const breaker = breakers.get(of)
      return breaker === undefined ? [] : [[of, breaker] as const]
    })

  const isCanary = (breaker: Breaker, task: Task) =>
    breaker.canary?.id === task.id && breaker.canary.grants === task.grants

  return {
    breakers,
    close,
    /** The attempt at the task fails. Attempts that fail for a reason do so for the same one. */
    fails: (task: Task, hasReason: boolean) => {
      for (const [of, breaker] of ofTask(task)) {
        if (breaker.retryAt !== undefined) {
          if (!isCanary(breaker, task)) continue
          breaker.probes++
          open(of, breaker)
        } else if (hasReason && task.holder !== null) {
          breaker.failures = [
            ...breaker.failures.filter(({ at, id }) => id !== task.id && at > clock.now - WindowSeconds * 1000),
            { id: task.id, at: clock.now }
          ]
          if (breaker.failures.length >= Threshold) open(of, breaker)
        }
      }
    },
    /** What the task asked for is handed in. */
    succeeds: (task: Task) => {
      for (const [of, breaker] of ofTask(task)) {
        if (breaker.retryAt !== undefined && isCanary(breaker, task)) close(of, null)
      }
    },
    isStopped: (task: Task) =>
      ofTask(task).some(([, { canary, retryAt }]) => {
        if (retryAt === undefined) return false
        const probe = tasks.get(canary?.id ?? "")
        return retryAt > clock.now || (probe?.holder != null && probe.grants === canary!.grants)
      }),
    granted: (task: Task) => {
      for (const [, breaker] of ofTask(task)) {
        if (breaker.retryAt === undefined) continue
        breaker.canary = { id: task.id, grants: task.grants }
        breaker.retryAt = clock.now + Math.min(WaitSeconds * 1000 * 2 ** breaker.probes, LongestMillis)
      }
    }
  }
}

const named = (of: Of) => of === "project" ? { project_id: ProjectId.make("p") } : {}
const scopeOf = (of: Of) => ScopeName.make(of === "blue" ? "blue" : "red")

export const steps = ({ switches, world: { breaker } }: Bench): Steps<"Breaker" | "CloseBreaker"> => ({
  Breaker: ({ of, on }) =>
    Effect.map(
      Effect.orDie(switches.set(scopeOf(of), {
        ...named(of),
        threshold: on ? Threshold : null,
        window_seconds: WindowSeconds,
        wait_seconds: WaitSeconds
      })),
      () => {
        if (on) {
          if (!breaker.breakers.has(of)) breaker.breakers.set(of, closed())
          return
        }
        // The model sends no caller.
        breaker.close(of, null)
        breaker.breakers.delete(of)
      }
    ),
  CloseBreaker: ({ of }) =>
    Effect.map(Effect.result(switches.close(scopeOf(of), { ...named(of), closed_by: "eve" })), (result) => {
      if (Result.isSuccess(result) !== breaker.breakers.has(of)) throw new Error(`closing the breaker of ${of}`)
      breaker.close(of, "eve")
    })
})
