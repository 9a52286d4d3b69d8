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
    symbol: "Claim.passable",
    find: "projects.scope = :scope AND projects.capped",
    replace: "0"
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
