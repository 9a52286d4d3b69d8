/** Keys as rows, without what they are recognised by; and one log line for each change of one. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ApiKeyRow } from "../../domain/access/ApiKey.ts"
import type { ScopeName } from "../../domain/Identifier.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(ApiKeyRow))
export const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

export const visible = "id, name, scope, starts_with, created_by, created_at, last_used_at, expires_at"

export const log = (event: string, scope: ScopeName, key_id: string, by: string) =>
  Effect.logInfo(event).pipe(Effect.annotateLogs({ scope, key_id, by }))
