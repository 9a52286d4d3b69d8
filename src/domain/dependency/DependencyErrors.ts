/** The ways a change of what a task waits for can fail. */
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "../Encoding.ts"
import { TaskId } from "../Identifier.ts"
import { TaggedError } from "../TaggedError.ts"

export class DependencyCycle extends TaggedError<DependencyCycle>()(
  "DependencyCycle",
  {
    error: ErrorText,
    task_id: TaskId,
    path: Schema.Array(Schema.String).pipe(
      describe(
        "The tasks of the cycle: each waits for the next one, and the last is the first. Of one that is too long to follow, only the task and the blocker that would close it."
      )
    )
  },
  {
    httpApiStatus: 409,
    description: "The tasks would wait for each other in a circle, and none of them could start. Nothing was changed."
  }
) {
  static readonly of = (task_id: TaskId, path: ReadonlyArray<string>) =>
    new DependencyCycle({
      error: `Task ${task_id} cannot wait for ${path[1]}: they would wait for each other (${
        path.join(" waits for ")
      }). Leave it out, or remove another of these dependencies first.`,
      task_id,
      path
    })

  /** Of a circle that is there, but longer than was followed. */
  static readonly tooLong = (task_id: TaskId, blocker: string) =>
    new DependencyCycle({
      error:
        `Task ${task_id} cannot wait for ${blocker}: that waits for it already, by way of many others. Leave it out, or remove another of these dependencies first.`,
      task_id,
      path: [task_id, blocker]
    })
}

export class DependencyNotFound extends TaggedError<DependencyNotFound>()(
  "DependencyNotFound",
  {
    error: ErrorText,
    task_id: TaskId,
    blocker_id: Schema.String.pipe(describe("The blocker asked for."))
  },
  { httpApiStatus: 404, description: "The task does not depend on this one. Nothing was changed." }
) {
  static readonly of = (task_id: TaskId, blocker_id: string) =>
    new DependencyNotFound({
      error:
        `Task ${task_id} does not depend on ${blocker_id}. GET /api/v1/tasks/:id/dependencies says on what it does.`,
      task_id,
      blocker_id
    })
}
