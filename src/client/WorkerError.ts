/** The errors that end a worker: the server's answer is final, so waiting does not help. */
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Schema from "effect/Schema"
import type * as client from "../client.ts"
import { ErrorText } from "../domain/Encoding.ts"
import { TaggedError } from "../domain/TaggedError.ts"

/** Two processes use one name, so neither knows which tasks are its own. */
export class AgentNameTaken extends TaggedError<AgentNameTaken>()("AgentNameTaken", {
  error: ErrorText,
  agent_name: Schema.String,
  orchestrator_id: Schema.String,
  task_id: Schema.String,
  fencing_token: Schema.Int
}) {
  static readonly of = (agent_name: string, orchestrator_id: string, task_id: string, fencing_token: number) =>
    new AgentNameTaken({
      error:
        `Another process works as ${agent_name} on ${orchestrator_id}: it renewed the lease ${fencing_token} of task ${task_id}. Give each worker an agentName of its own.`,
      agent_name,
      orchestrator_id,
      task_id,
      fencing_token
    })
}

export type WorkerError =
  | AgentNameTaken
  | client.Unauthorized
  | client.ScopeMismatch
  | client.AdministratorRequired
  | client.RankTooLow
  | client.HostNotAllowed
  | client.OriginNotAllowed
  | client.ScopeRequired
  | client.OrchestratorTaken
  | client.InvalidTask
  | client.InvalidCursor
  | client.InvalidRequest
  | client.BodyTooLarge
  | client.CheckpointTooLarge
  | client.TooLarge
  | client.EncodingNotSupported
  | client.IdempotencyKeyReused
  // A value given to the worker cannot be sent: an invalid address, a machine without a name.
  | HttpClientError
  | Schema.SchemaError
