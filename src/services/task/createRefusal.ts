/** Why a task was not created: asked in a second round trip, which only a refusal costs. */
import * as Effect from "effect/Effect"
import { invalidQueue } from "../../domain/flow/FlowRules.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { InvalidTask, TaskExists } from "../../domain/task/TaskErrors.ts"
import type { NewTask } from "../../domain/task/TaskInput.ts"
import { Database } from "../../sql/Database.ts"
import { statement } from "../../sql/Statement.ts"
import { decodeRules } from "./rows.ts"

const byId = statement("SELECT id FROM tasks WHERE id = :id")
const branchOfProject = statement("SELECT branch FROM projects WHERE id = :project_id AND scope = :scope")
const rolesOfScope = statement("SELECT name FROM roles WHERE scope = :scope ORDER BY name")
const rulesOfFlow = statement("SELECT rules FROM flows WHERE scope = :scope AND name = :flow")

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  /** The id or the path is taken. A repeated create has both in common with the first; then the answer names the id. */
  const exists = Effect.fnUntraced(function*(task: NewTask) {
    const { same } = yield* batch({ same: byId({ id: task.id }) })
    return yield* same.length === 0 ? TaskExists.filePath(task.id, task.file_path) : TaskExists.id(task.id)
  })

  /** Reads again what the task refers to, and says what is wrong with it. */
  const refusal = Effect.fnUntraced(function*(scope: ScopeName, task: NewTask, queue: string, flow: string) {
    const values = { project_id: task.project_id || null, scope, flow }
    const { flows, projects, roles } = yield* batch({
      projects: branchOfProject(values),
      roles: rolesOfScope(values),
      flows: rulesOfFlow(values)
    })
    if (!task.branch && !projects[0]?.branch) return yield* InvalidTask.branchRequired()
    const known = roles.map(({ name }) => String(name))
    if (task.role && known.length > 0 && !known.includes(task.role)) {
      return yield* InvalidTask.role(task.role, known, "role")
    }
    const problem = invalidQueue(queue, flow, decodeRules(flows[0]?.rules)?.[task.project_id ? "child" : "task"])
    if (problem !== undefined) return yield* InvalidTask.queue(problem)
    if (task.project_id && projects.length === 0) return yield* InvalidTask.unknownProject(task.project_id)
    return yield* exists(task)
  })

  return { exists, refusal }
})
