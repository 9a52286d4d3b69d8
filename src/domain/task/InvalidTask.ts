/** A request about a task that fits its schema, and nothing else. */
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "../Encoding.ts"
import { TaggedError } from "../TaggedError.ts"

/** A request that fits the schema but not the state machine or the records it refers to. */
export class InvalidTask extends TaggedError<InvalidTask>()(
  "InvalidTask",
  { error: ErrorText, field: Schema.String.pipe(describe("The field that does not fit.")) },
  { httpApiStatus: 400, description: "A field fits its type, but not the task, the queues or the records there are." }
) {
  static readonly unknownProject = (project_id: string) =>
    new InvalidTask({ error: `project_id: there is no project ${project_id}. Create it first.`, field: "project_id" })
  static readonly unknownOrchestrator = (id: string) =>
    new InvalidTask({
      error: `orchestrator_id: there is no orchestrator ${id}. Register it with POST /api/v1/orchestrators/register.`,
      field: "orchestrator_id"
    })
  static readonly blockedByItself = (id: string) =>
    new InvalidTask({ error: `Task ${id} cannot wait for itself.`, field: "blocked_by" })
  static readonly unclaimable = (queue: string) =>
    new InvalidTask({
      error: `queue: no task is handed out from ${queue}. Claim from incoming, provisional or needs_continuation.`,
      field: "queue"
    })
  static readonly lease = (maximum: number) =>
    new InvalidTask({
      error: `lease_duration_seconds: a lease lasts from 1 to ${maximum} seconds.`,
      field: "lease_duration_seconds"
    })
  static readonly leaseEnd = (maximum: number) =>
    new InvalidTask({
      error: `lease_expires_at: a lease ends ${maximum} seconds from now at the latest.`,
      field: "lease_expires_at"
    })
  static readonly doneByPatch = () =>
    new InvalidTask({
      error: "Cannot set queue to \"done\" via PATCH. Use POST /api/v1/tasks/:id/accept instead.",
      field: "queue"
    })
  static readonly queue = (error: string) => new InvalidTask({ error, field: "queue" })
  static readonly role = (role: string, known: ReadonlyArray<string>, field: string) =>
    new InvalidTask({ error: `Unknown role '${role}'. Registered roles: ${known.join(", ")}`, field })
  static readonly branchRequired = () =>
    new InvalidTask({
      error: "Missing required field: branch. Caller must set branch explicitly.",
      field: "branch"
    })
  static readonly createdDone = () =>
    new InvalidTask({
      error: "queue: only the administrator may create a task in done. Create it in incoming, and accept its result.",
      field: "queue"
    })
  static readonly empty = (field: string) =>
    new InvalidTask({ error: `${field}: a task always has one, so it cannot be cleared.`, field })
  static readonly claimedAndBlocked = () =>
    new InvalidTask({ error: "blocked_by: a task that is claimed cannot wait for others.", field: "blocked_by" })
  static readonly heldWhenDone = () =>
    new InvalidTask({
      error: "claimed_by: the task is done, so nobody can hold it. Requeue it first.",
      field: "claimed_by"
    })
  static readonly tooManyBlockers = (maximum: number) =>
    new InvalidTask({ error: `blocked_by: a task waits for ${maximum} others at most.`, field: "blocked_by" })
  static readonly commaInBlocker = (id: string) =>
    new InvalidTask({
      error: `blocker: tasks show what they wait for joined by commas, so ${id} cannot be one.`,
      field: "blocker"
    })
  static readonly noFields = () => new InvalidTask({ error: "No fields to update", field: "*" })
}
