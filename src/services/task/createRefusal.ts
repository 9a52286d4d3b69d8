/** Why a task was not created: asked in a second round trip, which only a refusal costs. */
import * as Effect from "effect/Effect"
import { invalidQueue } from "../../domain/flow/FlowRules.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { InvalidTask, TaskExists } from "../../domain/task/TaskErrors.ts"
import type { NewTask } from "../../domain/task/TaskInput.ts"
import { Database } from "../../sql/Database.ts"
import { decodeRules } from "./rows.ts"

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database

  /** A retry of a create repeats both; then it is the id that says so. */
  const exists = Effect.fnUntraced(function*(task: NewTask) {
    const [same] = yield* batch([sql`SELECT id FROM tasks WHERE id = ${task.id}`])
    return yield* same?.length === 0 ? TaskExists.filePath(task.id, task.file_path) : TaskExists.id(task.id)
  })

  /** What it refers to is read again, and one of that is not as the task says. */
  const refusal = Effect.fnUntraced(function*(scope: ScopeName, task: NewTask, queue: string, flow: string) {
    const [projects = [], roles = [], flows = []] = yield* batch([
      sql`SELECT branch FROM projects WHERE id = ${task.project_id || null} AND scope = ${scope}`,
      sql`SELECT name FROM roles WHERE scope = ${scope} ORDER BY name`,
      sql`SELECT rules FROM flows WHERE scope = ${scope} AND name = ${flow}`
    ])
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
