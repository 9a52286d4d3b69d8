/**
 * Moves one task by its id, each move in one batch: submit, accept, reject, requeue, release, fail and redrive.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../../domain/access/Caller.ts"
import { excerpt, MaxReason } from "../../../domain/Excerpt.ts"
import type { ScopeName, TaskId } from "../../../domain/Identifier.ts"
import { seed } from "../../../domain/lease/Backoff.ts"
import { expectationProblem, movesOnlyHeld } from "../../../domain/lease/Fence.ts"
import { namesSession } from "../../../domain/lease/Session.ts"
import { fingerprintOf } from "../../../domain/record/Alike.ts"
import type { Usage } from "../../../domain/record/Usage.ts"
import { EvidenceMissing, evidenceText } from "../../../domain/task/Evidence.ts"
import type {
  Acceptance,
  Expected,
  Failure,
  Redrive,
  Rejection,
  Requeue,
  Submission
} from "../../../domain/task/MoveInput.ts"
import { burntOut, destination, type Move, moves, sourcesOf, startsIn } from "../../../domain/task/Moves.ts"
import { TaskRow } from "../../../domain/task/Task.ts"
import { InvalidTransition, LeaseLost, TaskNotFound, TerminalFailure } from "../../../domain/task/TaskErrors.ts"
import { Database } from "../../../sql/Database.ts"
import * as Idempotency from "../../../sql/Idempotency.ts"
import { columnsOf } from "../../../sql/JsonRow.ts"
import * as Breakers from "../../../sql/record/Breakers.ts"
import { type Bound, statement, type Values } from "../../../sql/Statement.ts"
import * as Moves from "../../../sql/task/Move.ts"
import { taskInScope } from "../../../sql/task/Task.ts"
import * as UsageSums from "../../../sql/task/Usage.ts"
import { Settings } from "../../Settings.ts"
import * as ExternalKey from "../externalKey.ts"
import { logCascade, logTransition } from "../log.ts"
import { firstTask } from "../rows.ts"

type Besides = { readonly [step in "sent" | "sentCounted" | "forgotten" | "parked"]?: Bound }

interface Order<E = never> {
  readonly verb: string
  readonly move: Move
  readonly id: TaskId
  readonly scope: ScopeName | undefined
  readonly expected: Expected
  readonly now: number
  /** The actor of the move; null means the holder, or nobody. */
  readonly actor: string | null
  readonly reason?: string | null
  /** Further details for the history, as JSON text. */
  readonly details?: string | null
  /** Further values that the move writes, by the names of their parameters. */
  readonly values?: Values
  /** Whether it names a commit, evidence or a session. */
  readonly shows?: boolean
  /** What was used since the last report. */
  readonly usage?: Usage | null | undefined
  /** Further steps between the plan and the move. */
  readonly besides?: (values: Values) => Besides
  /** What to answer again to a repeated request, if that is not the task. */
  readonly keep?: { readonly step: keyof Besides; readonly answer: Idempotency.Keeping }
  /**
   * Explains a refusal that the condition of `recorded` made (`sql/task/Move.ts`). It refuses nothing itself. An accept
   * gets the kinds of evidence that the project of the task requires.
   */
  readonly lacking?: (task: TaskRow, required: ReadonlyArray<string>) => E | undefined
}

const flowOfTask = statement(
  "SELECT name FROM flows WHERE (scope, name) = (SELECT scope, flow FROM tasks WHERE id = :id)"
)
const requiredEvidence = statement(
  "SELECT evidence_required AS kinds FROM projects WHERE (id, scope) = (SELECT project_id, scope FROM tasks WHERE id = :id)"
)
const decodeKinds = (kinds: unknown): ReadonlyArray<string> => typeof kinds === "string" ? JSON.parse(kinds) : []
const movedTask = Idempotency.keeping({ row: columnsOf(TaskRow), from: "tasks", where: "id = :id" })

/** Moves a task, and answers the row of the task and what the batch answered. */
export const moving = Effect.gen(function*() {
  const { batch } = yield* Database
  const once = yield* Idempotency.make
  const externalKey = yield* ExternalKey.make
  const settings = yield* Settings
  const { backoff, limits, requireFencingToken } = settings
  const stepsOf = Moves.stepsOf(backoff.baseSeconds > 0)

  /** Why the task was not moved. It reads again, in the second round trip that only a refusal costs. */
  const refusal = Effect.fnUntraced(function*<E>(
    { expected: { fencing_token, version }, id, lacking, move, scope, verb }: Order<E>
  ) {
    const values = { id, scope: scope ?? null }
    const { flow, found, required } = yield* batch({
      found: taskInScope(values),
      flow: flowOfTask(values),
      required: move === moves.accept ? requiredEvidence(values) : undefined
    })
    const task = yield* firstTask(found)
    if (task === undefined) return yield* TaskNotFound.of(id)
    const actor = yield* CurrentActor
    if (fencing_token == null && movesOnlyHeld(actor)) {
      return yield* LeaseLost.unproven(id, task.queue, task.claimed_by, actor.rank)
    }
    const problem = expectationProblem(task, { fencing_token, version }, requireFencingToken, move.afterLapse)
    if (problem !== undefined) return yield* problem
    const lack = lacking?.(task, decodeKinds(required[0]?.kinds))
    if (lack !== undefined && (flow.length === 1 || startsIn(move, task.queue))) return yield* Effect.fail(lack)
    return yield* move.flow === "step" && flow.length === 1
      ? InvalidTransition.byFlow(verb, id, task.queue, task.flow, destination(move, task))
      : InvalidTransition.of(verb, id, task.queue, sourcesOf(move))
  })

  return Effect.fnUntraced(function*<E = never>(order: Order<E>) {
    const { actor, details = null, expected, id, move, now, reason = null, scope } = order
    if (expected.fencing_token == null && movesOnlyHeld(yield* CurrentActor)) return yield* refusal(order)
    const values: Values = {
      ...order.values,
      id,
      scope: scope ?? null,
      version: expected.version ?? null,
      token: expected.fencing_token ?? null,
      lenient: Number(!requireFencingToken),
      now,
      actor,
      reason,
      excerpt: reason === null ? null : excerpt(reason, MaxReason),
      details,
      fingerprint: fingerprintOf(reason),
      max_attempts: limits.max_attempts,
      max_rejections: limits.max_rejections,
      backoff_base: backoff.baseSeconds,
      backoff_max: backoff.maxSeconds,
      seed: yield* seed
    }
    const [steps, breakers] = [stepsOf.get(move)!, Breakers.ofMove.get(move)]
    const { answers, replay } = yield* once.atomic({
      recorded: steps.recorded(values),
      breakers: breakers?.map((each) => each(values)),
      ...UsageSums.byMove(order.usage, now, id),
      shown: order.shows === true ? Moves.shown(values) : undefined,
      // A task that becomes done makes no other task fail.
      failed: move === moves.accept ? undefined : steps.failed(values),
      satisfied: steps.satisfied(values),
      unblocked: steps.unblocked(values),
      ...order.besides?.(values),
      moved: steps.moved(values),
      dependents: steps.dependents(values),
      counted: steps.counted(values)
    }, { keep: order.keep?.step ?? "moved", answer: order.keep?.answer ?? movedTask, values }).pipe(
      Effect.catchTag("UniqueViolation", (violation) => externalKey.taken(id, null, violation))
    )
    if (replay !== undefined) return { answers, replay, task: undefined }
    const task = yield* firstTask(answers.moved)
    if (task === undefined) return yield* refusal(order)
    yield* logCascade([answers.dependents])
    const detoured = move === moves.burnOut && task.queue !== destination(move, task)
    const event = detoured ? moves.submit.event : move.event
    yield* logTransition(event, task, actor)
    return { answers, replay, task }
  })
})

export const make = Effect.gen(function*() {
  const settings = yield* Settings
  const move = yield* moving
  const run = <E = never>(order: Order<E>) =>
    Effect.flatMap(
      move(order),
      ({ replay, task }) =>
        task === undefined ? Effect.map(firstTask(replay?.rows), (kept) => kept!) : Effect.succeed(task)
    )

  const submit = Effect.fn("TaskQueue.submit")(
    function*(id: TaskId, work: Submission, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      const { name } = yield* CurrentActor
      const limits = { idleTurns: settings.burnoutIdleTurns, totalTurns: settings.burnoutTotalTurns }
      const { commits_count, turns_used } = work
      return yield* run({
        verb: "submit",
        move: burntOut(work, limits) ? moves.burnOut : moves.submit,
        id,
        scope,
        expected: work,
        now,
        actor: name,
        // The task shows the notes and checks of its last submission. The history keeps those of every submission.
        details: JSON.stringify({
          commits_count,
          turns_used,
          ...(work.execution_notes ? { execution_notes: excerpt(work.execution_notes) } : {}),
          ...(work.check_results ? { check_results: excerpt(work.check_results) } : {}),
          ...(work.head_commit ? { head_commit: work.head_commit } : {}),
          ...(work.evidence ? { evidence: work.evidence.map(({ kind }) => kind) } : {}),
          ...(burntOut(work, limits) ? limits : {})
        }),
        values: {
          commits_count,
          turns_used,
          check_results: work.check_results ?? null,
          execution_notes: work.execution_notes ?? null,
          pr_number: work.pr_number ?? null,
          pr_url: work.pr_url ?? null,
          head_commit: work.head_commit ?? null,
          evidence: work.evidence == null ? null : evidenceText(work.evidence),
          session_url: work.session_url ?? null,
          resume_command: work.resume_command ?? null
        },
        usage: work.usage,
        shows: work.head_commit != null || work.evidence != null || namesSession(work)
      })
    }
  )

  const accept = Effect.fn("TaskQueue.accept")(
    function*(id: TaskId, acceptance: Acceptance, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      const completed = acceptance.completed_at ? DateTime.toEpochMillis(acceptance.completed_at) : now
      return yield* run({
        verb: "accept",
        move: moves.accept,
        id,
        scope,
        expected: acceptance,
        now,
        actor: acceptance.accepted_by,
        values: { completed },
        lacking: EvidenceMissing.of
      })
    }
  )

  const reject = Effect.fn("TaskQueue.reject")(
    function*(id: TaskId, { reason, rejected_by, ...expected }: Rejection, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      return yield* run({
        verb: "reject",
        move: moves.reject,
        id,
        scope,
        expected,
        now,
        actor: rejected_by,
        reason
      })
    }
  )

  const requeue = Effect.fn("TaskQueue.requeue")(
    function*(id: TaskId, { reason, release, requeued_by, usage, ...expected }: Requeue, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      return yield* run({
        verb: release === true ? "release" : "requeue",
        move: release === true ? moves.release : moves.requeue,
        id,
        scope,
        expected,
        now,
        actor: requeued_by || null,
        usage,
        reason: reason ?? null
      })
    }
  )

  const fail = Effect.fn("TaskQueue.fail")(
    function*(id: TaskId, { failed_by, reason, terminal, usage, ...expected }: Failure, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      return yield* run({
        verb: "fail",
        move: moves.fail,
        id,
        scope,
        expected,
        now,
        actor: failed_by || null,
        usage,
        reason,
        details: terminal === true ? JSON.stringify({ terminal }) : null,
        values: { terminal: Number(terminal === true) }
      })
    }
  )

  const redrive = Effect.fn("TaskQueue.redrive")(
    function*(
      id: TaskId,
      { reason = null, redriven_by, terminal, ...expected }: Redrive,
      scope: ScopeName | undefined
    ) {
      return yield* run({
        verb: "redrive",
        move: moves.redrive,
        id,
        scope,
        expected,
        now: yield* Clock.currentTimeMillis,
        actor: redriven_by || (yield* CurrentActor).name,
        reason,
        values: { terminal: Number(terminal === true) },
        lacking: TerminalFailure.of
      })
    }
  )

  return { submit, accept, reject, requeue, fail, redrive }
})
