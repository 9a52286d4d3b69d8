/** The filters of the task list. */
import * as Schema from "effect/Schema"
import { CommaList, describe, FlagParameter, IntegerParameter } from "../Encoding.ts"
import { contentParameter, pageParameters } from "../Page.ts"

const list = (description: string) => Schema.optionalKey(CommaList).pipe(describe(description))
const parameter = (description: string) => Schema.optionalKey(Schema.String).pipe(describe(description))
const flagParameter = (description: string) => Schema.optionalKey(FlagParameter).pipe(describe(description))

/** Whether a read returns the content of a task. */
export const taskContent = contentParameter("`content`, which is null then")

/** How long the text of a search may be, and how many tasks a page of a search looks at. */
export const MaxSearch = 200
export const MaxLooked = 500

/** The query parameters of the task list. Each narrows it; `a,b` means a or b. */
export const taskFilters = {
  queue: list("Queues."),
  priority: list("Priorities."),
  role: list("Roles."),
  type: list("Types."),
  flow: list("Flows."),
  complexity: list("Complexities."),
  claimed_by: parameter("The agent that holds the lease."),
  orchestrator_id: parameter("The orchestrator that holds the lease."),
  project_id: parameter("The project."),
  external_key: parameter(
    "The id that its creator's own system has for it: at most one open task, and any number of finished ones."
  ),
  blocked_by: parameter("The unmet blockers, exactly as the task shows them."),
  pr_number: Schema.optionalKey(IntegerParameter.pipe(describe("The pull request."))),
  needs_intervention: flagParameter("Whether a person or a fixer must look at it."),
  has_plan: flagParameter("Whether it has a plan."),
  auto_accept: flagParameter("Whether it is marked for automatic acceptance."),
  needs_rebase: flagParameter("Whether its branch has to be rebased."),
  q: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(MaxSearch))).pipe(
    describe(
      `Text to search for in the id, title, branch, path and external key; small and capital letters of a to z are alike, and every other character stands for itself. A task with exactly this id, path or, while it is open, external key comes first. A page looks at ${MaxLooked} tasks at most, in the order of the list: \`looked_at\` says at how many, and it may hold no task although \`next_cursor\` leads on. Not together with \`offset\`.`
    )
  ),
  sort: Schema.optionalKey(Schema.Literals(["priority", "created_at"])).pipe(
    describe("`priority`: most urgent first, then oldest. Otherwise newest first.")
  ),
  ...pageParameters,
  ...taskContent
}
export const TaskFilter = Schema.Struct(taskFilters)
export type TaskFilter = typeof TaskFilter.Type
