/** What ends a worker: what the server settled, and no waiting changes. */
import type { HttpClientError } from "effect/http/HttpClientError"
import type { SchemaError } from "effect/Schema"
import type * as client from "../client.ts"

export type WorkerError =
  | client.Unauthorized
  | client.ScopeMismatch
  | client.AdministratorRequired
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
  | HttpClientError
  | SchemaError
