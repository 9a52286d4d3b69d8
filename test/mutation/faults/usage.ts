/** Faults in the sums of what agents use, and in the caps on it. */
import type { Fault } from "../Fault.ts"

export const usage: ReadonlyArray<Fault> = [
  {
    name: "refused-move-is-counted",
    breaks: "The usage of a refused request is not counted.",
    symbol: "Usage.ofMove",
    find: "planned.version = tasks.version + 1",
    replace: "planned.version = (SELECT max(version) FROM history WHERE task_id = tasks.id)"
  },
  {
    name: "lost-lease-is-counted",
    breaks: "The usage of a lost lease is not counted.",
    step: "usedByTask",
    find: "+claimed_by IS NOT NULL AND fencing_token = asked.value ->> 'token'",
    replace: "+claimed_by IS NOT NULL"
  },
  {
    name: "day-forgets",
    breaks: "The sums of a day have every report.",
    step: "usedOnDay",
    find: "input_tokens = min(usage.input_tokens + excluded.input_tokens, 9007199254740991)",
    replace: "input_tokens = excluded.input_tokens"
  },
  {
    name: "models-forget",
    breaks: "The sums of the models of a day are those of the day.",
    symbol: "sql/task/Usage.models",
    find: "SELECT key AS model, value FROM json_each(usage.models)",
    replace: "SELECT key AS model, value FROM json_each(usage.models) WHERE 0"
  },
  {
    name: "cap-of-day-ignored",
    breaks: "At the cap of a scope's day nothing more is claimed in the scope.",
    view: "caps",
    find: "iif(usage.capped, (day + 1) * 86400000, 0)",
    replace: "0"
  },
  {
    name: "claim-stops-at-capped",
    breaks: "A task at a cap keeps no claim from the tasks behind it.",
    symbol: "Claim.runs",
    find: "AND stopped.until > :now",
    replace: "AND stopped.until < 0"
  },
  {
    name: "new-task-not-by-project",
    breaks: "A claim that looks past a stopped project finds every task behind it.",
    symbol: "ByProject.ofNew",
    find: "AND by_project = 1)",
    replace: "AND by_project = 2)"
  },
  {
    name: "old-tasks-not-by-project",
    breaks: "The first cap of a project lets claims find the tasks that were there before.",
    step: "byProject",
    find: "UPDATE tasks SET by_project = 1",
    replace: "UPDATE tasks SET by_project = by_project"
  },
  {
    name: "models-without-end",
    breaks: "A day has a limited number of models, also if one request brings more.",
    symbol: "sql/task/Usage.named",
    find: "known OR number <=",
    replace: "known OR 1 <="
  },
  {
    name: "worker-stops-at-any-cap",
    breaks: "A worker claims other tasks while one is at a cap of its own.",
    symbol: "Held.pausesClaims",
    find: "pauseKind !== \"task\" &&",
    replace: "pauseKind !== undefined &&"
  },
  {
    name: "project-list-keeps-usage",
    breaks: "The list of projects is no 304 after a report of usage.",
    symbol: "record/Projects.revision",
    find: "json_group_array(json_array(day, ${sums.join(\", \")}))",
    replace: "NULL"
  },
  {
    name: "imported-project-used-nothing",
    breaks: "An imported project keeps what was used for it.",
    symbol: "import/projects.planner",
    find: "microOf(project.cost_usd ?? 0)",
    replace: "0"
  }
]
