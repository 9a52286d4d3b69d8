/** Faults in the history, the version and the counters of a change. */
import type { Fault } from "../Fault.ts"

export const history: ReadonlyArray<Fault> = [
  {
    name: "history-outside-the-batch",
    breaks: "The batch that makes a change also records it, so that a failure leaves neither without the other.",
    symbol: "remove.make",
    find: "    const { answers } = yield* once.batch({\n      recorded: recorded(values),\n",
    replace:
      "    yield* once.batch({ recorded: recorded(values) }, { answer: deletedTask, values })\n    const { answers } = yield* once.batch({\n"
  },
  {
    name: "history-left-out",
    breaks: "The server records every change, also that of a title.",
    symbol: "change/patch.makeWrite",
    find: "      counted: counted(values)\n    }, {",
    replace:
      "      counted: counted(values),\n      forgotten: protocol\n        ? undefined\n        : statement(\"DELETE FROM history WHERE task_id = :id AND version = :version + 1\")(values)\n    }, {"
  },
  {
    name: "two-changes-one-version",
    breaks: "A task that one batch changes twice gets two versions and two entries of history.",
    view: "foreseen",
    find:
      "coalesce((SELECT max(version) FROM history WHERE task_id = tasks.id AND history.version > tasks.version), version) AS version",
    replace: "version"
  },
  {
    name: "dependency-change-without-version",
    breaks: "A change of dependencies raises the version of the task by one.",
    step: "changed",
    find: "SET version = task.version, updated_at = :now, queue",
    replace: "SET updated_at = :now, queue"
  },
  {
    name: "hook-without-version",
    breaks: "The completion of a hook raises the version of the task by one.",
    file: "src/services/task/change/hooks.ts",
    find: "UPDATE tasks SET version = version + 1, updated_at",
    replace: "UPDATE tasks SET updated_at"
  },
  {
    name: "claim-not-counted",
    breaks: "The counters equal a count of the rows after a claim.",
    symbol: "Claim.make",
    find: "Feed.counted(\"= :scope\")",
    replace: "Feed.counted(\"= NULL\")"
  },
  {
    name: "move-not-counted",
    breaks: "The counters equal a count of the rows after a move.",
    symbol: "change/move.moving",
    find: ",\n      counted: steps.counted(values)\n",
    replace: "\n"
  },
  {
    name: "delete-not-counted",
    breaks: "The counters equal a count of the rows after a deletion.",
    symbol: "remove.make",
    find: ",\n      counted: counted(values)\n",
    replace: "\n"
  },
  {
    name: "dependents-not-counted",
    breaks: "The counters equal a count of the rows after other tasks failed with the task that moved.",
    view: "plans",
    find: "WHERE counter.scope >= ' '",
    replace: "WHERE counter.scope >= ' ' AND (event <> 'dependency_failed' OR history.seq > counter.seq + 2)"
  },
  {
    name: "refused-create-counted",
    breaks: "A refused create changes no counter, even if a task of that name exists.",
    step: "counted",
    find: "EXISTS (SELECT 1 FROM unrecorded WHERE id = :id)",
    replace: "EXISTS (SELECT 1 FROM tasks WHERE id = :id)"
  },
  {
    name: "unrecorded-from-other-batch",
    breaks: "A refused create says why, even if a task of that name exists.",
    view: "unrecorded",
    find: "WHERE NOT EXISTS (\n  SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version)",
    replace: "WHERE EXISTS (\n  SELECT 1 FROM history WHERE task_id = tasks.id) OR 1"
  },
  {
    name: "cascade-counted-once",
    breaks: "The counters equal a count of the rows after several tasks move in one batch.",
    view: "counts_after",
    find: "json_group_array(json_array(from_queue, to_queue))",
    replace: "json_group_array(DISTINCT json_array(from_queue, to_queue))"
  },
  {
    name: "several-moves-counted-as-one",
    breaks: "The counters equal a count of the rows after tasks move between different queues in one batch.",
    view: "counts_after",
    find: "moving = 1 AND",
    replace: "moving > 0 AND"
  },
  {
    name: "redrive-keeps-budget",
    breaks: "A redrive resets the budgets of a task.",
    step: "moved",
    find: "attempt_count = 0, lease_losses = 0,",
    replace: "attempt_count = 0,"
  },
  {
    name: "emptied-queue-still-counted",
    breaks: "The counters name no empty queue after a move takes its last task.",
    view: "counts_after",
    find: "nullif((counts ->> ('$.\"' || source || '\"')) - 1, 0)",
    replace: "(counts ->> ('$.\"' || source || '\"')) - 1"
  },
  {
    name: "emptied-queue-still-counted-after-cascade",
    breaks: "The counters name no empty queue after a change of several tasks empties it.",
    view: "counts_after",
    find: "nullif(coalesce(counts ->> ('$.\"' || queue || '\"'), 0) + step, 0)",
    replace: "coalesce(counts ->> ('$.\"' || queue || '\"'), 0) + step"
  },
  {
    name: "feed-number-twice",
    breaks: "The feed numbers every change of a scope, each with a number of its own.",
    view: "counts_after",
    find: "max(history.seq)",
    replace: "min(history.seq)"
  },
  {
    name: "feed-page-skips",
    breaks: "A reader of the feed gets every change: the next page begins after the last change of this one.",
    symbol: "feed/Events.cut",
    find: "? Number(looked.at(-1)?.seq ?? after)",
    replace: "? Number(entries.at(-1)?.seq ?? after)"
  },
  {
    name: "feed-page-repeats",
    breaks: "A reader of the feed gets every change once: a page begins after the number of the request.",
    symbol: "feed/Events.pages",
    find: "AND entry.seq > :after",
    replace: "AND entry.seq >= :after"
  },
  {
    name: "feed-hides-gap",
    breaks: "A reader of the feed learns that retention removed changes.",
    symbol: "feed/Events.cut",
    find: "gap: next - after !== looked.length",
    replace: "gap: next - after < looked.length"
  }
]
