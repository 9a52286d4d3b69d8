/** Faults in what tasks wait for. */
import type { Fault } from "../Fault.ts"

export const dependencies: ReadonlyArray<Fault> = [
  {
    name: "blocked-handed-out",
    breaks: "A claim never gets a task that waits for another.",
    view: "ready",
    find: "claimed_by IS NULL AND blocked_by IS NULL",
    replace: "claimed_by IS NULL"
  },
  {
    name: "accept-unblocks-nobody",
    breaks: "A task becomes claimable when its last blocker is accepted.",
    symbol: "change/move.moving",
    find: "satisfied: steps.satisfied(values)",
    replace: "satisfied: move === moves.accept ? undefined : steps.satisfied(values)"
  },
  {
    name: "force-unblocks-nobody",
    breaks: "A task becomes claimable when an administrator moves its last blocker to `done`.",
    symbol: "change/patch.makeWrite",
    find: "satisfied: follows ?",
    replace: "satisfied: follows && forcedBy === undefined ?"
  },
  {
    name: "delete-unblocks-nobody",
    breaks: "A task becomes claimable when its last blocker is deleted.",
    symbol: "remove.make",
    find: "      satisfied: satisfied(values),\n",
    replace: ""
  },
  {
    name: "reopened-blocker-ignored",
    breaks: "A task waits again when its blocker leaves `done`.",
    step: "satisfied",
    find: "SET satisfied_at = iif(satisfied_at IS NULL, :now, NULL)",
    replace: "SET satisfied_at = coalesce(satisfied_at, :now)"
  },
  {
    name: "cancelled-blocker-ignored",
    breaks: "A cancelled blocker counts as failed for the tasks that fail with it.",
    step: "failed",
    find: "fails AND queue IN ('failed', 'cancelled')",
    replace: "fails AND queue = 'failed'"
  },
  {
    name: "freed-task-does-not-fall",
    breaks: "A task that its holder gives back fails if a blocker failed while the task was held.",
    symbol: "Move.steps",
    find: "Cascade.ofTask(move.returns ? \"1\" : undefined)",
    replace: "Cascade.ofTask()"
  },
  {
    name: "lapsed-task-does-not-fall",
    breaks: "A task whose lease expires fails if a blocker failed while the task was held.",
    symbol: "Expiry.make",
    find: ", ownFailure: \"1\" })",
    replace: " })"
  },
  {
    name: "failure-stops-at-the-first",
    breaks: "When a task fails, its dependents fail, and so do their dependents.",
    step: "failed",
    find: "CROSS JOIN failable USING (id) CROSS JOIN waits ON blocker = id WHERE fails",
    replace: "CROSS JOIN failable USING (id) CROSS JOIN waits ON blocker = id WHERE 0"
  },
  {
    name: "failure-takes-held-task",
    breaks: "A held task does not fail with its blocker before its holder gives it back.",
    view: "failable",
    find: "WHERE NOT held AND queue",
    replace: "WHERE queue"
  },
  {
    name: "done-namesake-ignored",
    breaks: "A task does not fail with a blocker if the other task that the name means is done.",
    view: "waits",
    find: "+other.queue = 'done'",
    replace: "+other.queue = 'never'"
  },
  {
    name: "failed-with-another-keeps-waiting",
    breaks: "A task that skips a blocker stops waiting when that blocker fails with its own blocker.",
    view: "touched",
    find: "WHERE from_queue IS NOT to_queue",
    replace: "WHERE from_queue IS NOT to_queue AND event <> 'dependency_failed'"
  },
  {
    name: "refused-failure-fails-others",
    breaks: "A refused create fails no other task, even if a task of that name has failed before.",
    symbol: "Cascade.ofCreated",
    find: "task: \"(SELECT id FROM unrecorded WHERE id = :id)\"",
    replace: "task: \":id\""
  },
  {
    name: "cycle-let-in",
    breaks: "No task waits for itself, directly or through other tasks.",
    file: "src/sql/dependency/Cycles.ts",
    find: "(:added = '[]' OR NOT EXISTS",
    replace: "(json_array_length(:added) < 2 OR NOT EXISTS"
  }
]
