/** Decodes the rows of keys, without their hashes; and logs the changes of keys. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ApiKeyRow } from "../../domain/access/ApiKey.ts"
import type { ScopeName } from "../../domain/Identifier.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(ApiKeyRow))
export const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

/** The columns of a key without its hash. */
export const visible = "id, name, scope, starts_with, created_by, created_at, last_used_at, expires_at"

export const log = (event: string, scope: ScopeName, key_id: string, by: string) =>
  Effect.logInfo(event).pipe(Effect.annotateLogs({ scope, key_id, by }))
