/**
 * Adds reported usage to the sums: of the task, of its project, and of the day of its scope. A request with usage
 * writes these three rows besides, and one without reads and writes none of them.
 *
 * `:used` is a JSON list of `{ task, token, model }` with the sums of `domain/record/Usage.ts` by name, `:day` the
 * number of the day.
 */
import { dayOf, MaxModels, reportOf, sums, type Usage } from "../../domain/record/Usage.ts"
import { type Statement, statement } from "../Statement.ts"

// JSON carries no larger number exactly.
const most = Number.MAX_SAFE_INTEGER

const reported = (name: string) => `asked.value ->> '${name}'`

export interface Source {
  /** Further tables, as they follow a FROM. */
  readonly with: string
  /** Whether the report of `asked` about the task counts. */
  readonly where: string
}

const plus = (table: string, added: (name: string) => string) =>
  sums.map((name) => `${name} = min(${table}.${name} + ${added(name)}, ${most})`).join(", ")

const each = (expression: (name: string, n: number) => string) => sums.map(expression).join(", ")

const totals = each((_, n) => `min(sum(value ->> ${n}), ${most})`)

/** The sums of each model: those of the day, and those that are added. */
const models = `(
  SELECT json_group_object(model, json(sums)) FROM (
    SELECT model, json_array(${totals}) AS sums FROM (
      SELECT key AS model, value FROM json_each(usage.models)
      UNION ALL SELECT key, value FROM json_each(excluded.models))
    GROUP BY model))`

/** The models that the day has already. */
const stored = "coalesce((SELECT models FROM usage WHERE usage.scope = reported.scope AND usage.day = :day), '{}')"

/**
 * Each report with the model that it counts for. A day has a limited number of models: those that it has already, and
 * then new ones by name. All others count as one model.
 */
const named = (reported: string) =>
  `(
  SELECT scope, iif(known OR number <= ${MaxModels} - (SELECT count(*) FROM json_each(stored) WHERE key <> 'other'), model, 'other')
    AS model, ${each((name) => `sum(${name}) AS ${name}`)}
  FROM (
    SELECT *, row_number() OVER (PARTITION BY scope, known ORDER BY model) AS number FROM (
      SELECT *, model = 'other' OR model IN (SELECT key FROM json_each(stored)) AS known FROM (
        SELECT *, ${stored} AS stored FROM ${reported} AS reported)))
  GROUP BY 1, 2)`

export interface Steps {
  readonly usedByTask: Statement
  readonly usedByProject: Statement
  readonly usedOnDay: Statement
}

/** The steps that add the reports which count. They come before the step that changes what `source` asks for. */
export const steps = (source: Source): Steps => {
  const asked =
    `json_each(:used) AS asked CROSS JOIN tasks ${source.with} WHERE tasks.id = asked.value ->> 'task' AND ${source.where}`
  const summed = each((name) => `sum(${reported(name)}) AS ${name}`)
  return {
    usedByTask: statement(`
      UPDATE tasks SET ${plus("tasks", reported)} FROM json_each(:used) AS asked ${source.with}
      WHERE tasks.id = asked.value ->> 'task' AND ${source.where}`),
    usedByProject: statement(`
      UPDATE projects SET ${plus("projects", (name) => `used.${name}`)}
      FROM (
        SELECT tasks.project_id, tasks.scope, ${summed} FROM ${asked} AND tasks.project_id IS NOT NULL
        GROUP BY tasks.project_id, tasks.scope) AS used
      WHERE projects.id = used.project_id AND projects.scope = used.scope`),
    usedOnDay: statement(`
      INSERT INTO usage (scope, day, ${sums.join(", ")}, models, max_cost_usd, max_tokens)
      SELECT used.scope, :day, ${each((name) => `sum(${name})`)},
        json_group_object(model, json_array(${each((name) => name)})),
        (SELECT max_cost_usd FROM usage_caps WHERE usage_caps.scope = used.scope),
        (SELECT max_tokens FROM usage_caps WHERE usage_caps.scope = used.scope)
      FROM ${
      named(
        `(SELECT tasks.scope, asked.value ->> 'model' AS model, ${summed} FROM ${asked} GROUP BY tasks.scope, model)`
      )
    } AS used
      WHERE true GROUP BY used.scope
      ON CONFLICT (scope, day) DO UPDATE SET ${plus("usage", (name) => `excluded.${name}`)}, models = ${models}`)
  }
}

/** The reports that count in a move: the task's, if the move is planned. */
export const ofMove: Source = {
  with: "CROSS JOIN history AS planned",
  where: "planned.task_id = tasks.id AND planned.version = tasks.version + 1"
}

const ofPlannedMove = steps(ofMove)

/** The steps that add the usage that a move of the task reports, if it does. They read its plan. */
export const byMove = (usage: Usage | null | undefined, now: number, id: string) => {
  if (usage == null) return {}
  const values = { used: JSON.stringify([{ task: id, token: null, ...reportOf(usage) }]), day: dayOf(now) }
  return {
    usedByTask: ofPlannedMove.usedByTask(values),
    usedByProject: ofPlannedMove.usedByProject(values),
    usedOnDay: ofPlannedMove.usedOnDay(values)
  }
}
