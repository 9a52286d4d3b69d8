/** The keys of scopes: issued, listed, replaced and revoked. Only their hashes are kept. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { Fragment, Statement } from "effect/sql/Statement"
import {
  type ApiKey,
  ApiKeyRow,
  type IssuedKey,
  KeyAmbiguous,
  KeyExpired,
  KeyId,
  KeyNotFound,
  type NewKey,
  type Rotated,
  type Rotation
} from "../domain/ApiKey.ts"
import { type Caller, callerName, Unauthorized } from "../domain/Caller.ts"
import { TimeColumn } from "../domain/Encoding.ts"
import type { ScopeName } from "../domain/Identifier.ts"
import { Database } from "../sql/Database.ts"
import * as Idempotency from "../sql/Idempotency.ts"
import { columnsOf } from "../sql/JsonRow.ts"
import { type Reach, within } from "../sql/Reach.ts"
import * as Mint from "./Keys/mint.ts"
import { KnownKeys } from "./KnownKeys.ts"
import { Settings } from "./Settings.ts"

type Actor = Caller["Service"]

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(ApiKeyRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

const decodeRotated = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  id: KeyId,
  name: Schema.String,
  salt: Schema.String,
  until: TimeColumn
})))

const visible = "id, name, scope, starts_with, created_by, created_at, last_used_at, expires_at"

const log = (event: string, scope: ScopeName, key_id: string, by: string) =>
  Effect.logInfo(event).pipe(Effect.annotateLogs({ scope, key_id, by }))

export class Keys extends Context.Service<Keys, {
  readonly issue: (scope: ScopeName, key: NewKey, by: Actor) => Effect.Effect<IssuedKey, KeyExpired>
  /** A key for a scope that has none, and the statement that makes it valid in the batch of whoever asks, if `condition` holds. */
  readonly first: (
    scope: ScopeName,
    name: string,
    by: string,
    condition: Fragment
  ) => Effect.Effect<{ readonly api_key: string; readonly insert: Statement<any>; readonly salt: string }>
  /** The key that the request of which this is a repetition was told. */
  readonly again: (salt: string) => Effect.Effect<string>
  /** The keys of the scope, or of all, the newest first. */
  readonly list: (scope: Reach) => Effect.Effect<ReadonlyArray<ApiKey>>
  readonly revoke: (scope: ScopeName, id: string, by: Actor) => Effect.Effect<void, KeyNotFound>
  /**
   * Issues the successor of the caller's key, which goes on working for a while. Whoever has none says which key it is,
   * unless the scope has only one.
   */
  readonly rotate: (
    scope: ScopeName,
    rotation: Rotation,
    by: Actor
  ) => Effect.Effect<Rotated, KeyAmbiguous | KeyNotFound | Unauthorized>
}>()("octopoid-server/services/Keys") {
  static readonly layer = Layer.effect(
    Keys,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const { keyOverlapSeconds } = yield* Settings
      const known = yield* KnownKeys
      const { again, mint } = yield* Mint.make
      const once = yield* Idempotency.make
      const row = columnsOf(sql, ApiKeyRow)

      const issue = Effect.fn("Keys.issue")(function*(scope: ScopeName, key: NewKey, by: Actor) {
        const now = yield* Clock.currentTimeMillis
        const until = key.expires_at ? DateTime.toEpochMillis(key.expires_at) : null
        if (key.expires_at && until !== null && until <= now) return yield* KeyExpired.of(key.expires_at)
        const { api_key, columns, salt } = yield* mint(scope, callerName(by), key.name || undefined)
        const { answers: [rows], replay } = yield* once.batch([
          sql`INSERT INTO api_keys ${sql.insert({ ...columns, expires_at: until, issued_until: until })}
            RETURNING ${sql.literal(visible)}`
        ], { after: 0, row: { ...row, salt: sql`${salt}` }, from: sql`api_keys WHERE id = ${columns.id}` })
        if (replay !== undefined) {
          return { ...(yield* decode(replay.rows))[0]!, api_key: yield* again(String(replay.rows[0]!.salt)) }
        }
        yield* log("key issued", scope, columns.id, callerName(by))
        return { ...(yield* decode(rows))[0]!, api_key }
      })

      const first = Effect.fnUntraced(function*(scope: ScopeName, name: string, by: string, condition: Fragment) {
        const { api_key, columns, salt } = yield* mint(scope, by, name)
        const insert = sql`
          INSERT INTO api_keys (${sql.csv(Object.keys(columns).map((column) => sql`${sql(column)}`))})
          SELECT ${sql.csv(Object.values(columns).map((value) => sql`${value}`))}
          WHERE ${condition} AND NOT EXISTS (SELECT 1 FROM api_keys WHERE scope = ${scope})
          RETURNING id`
        return { api_key, insert, salt }
      })

      const list = Effect.fn("Keys.list")(function*(scope: Reach) {
        const [rows] = yield* batch([sql`
          SELECT ${sql.literal(visible)} FROM api_keys WHERE ${within(sql, scope)}
          ORDER BY created_at DESC, id`])
        return yield* decode(rows)
      })

      const revoke = Effect.fn("Keys.revoke")(function*(scope: ScopeName, id: string, by: Actor) {
        const [rows = []] = yield* batch([sql`DELETE FROM api_keys WHERE scope = ${scope} AND id = ${id} RETURNING id`])
        known.forget(scope, id)
        if (rows.length === 0) return yield* KeyNotFound.of(id)
        yield* log("key revoked", scope, id, callerName(by))
      })

      const rotate = Effect.fn("Keys.rotate")(function*(scope: ScopeName, rotation: Rotation, by: Actor) {
        const now = yield* Clock.currentTimeMillis
        const end = now + (rotation.overlap_seconds ?? keyOverlapSeconds) * 1000
        const { api_key, columns, salt } = yield* mint(scope, callerName(by))
        const { created_at, created_by, hash, id, starts_with } = columns
        const asked = by.kind === "key" ? by.id : rotation.key_id || undefined
        const valid = sql`(expires_at IS NULL OR expires_at > ${now})`
        const replaced = sql.and([
          sql`scope = ${scope}`,
          valid,
          asked === undefined
            ? sql`(SELECT count(*) FROM api_keys WHERE scope = ${scope} AND id <> ${id} AND ${valid}) = 1`
            : sql`id = ${asked}`
        ])
        const { answers: [successor, before = []], replay } = yield* once.batch([
          // A key that was to end some day is not made to last by rotating it.
          sql`
            INSERT INTO api_keys (hash, id, scope, name, starts_with, created_by, created_at, expires_at, issued_until)
            SELECT ${hash}, ${id}, scope, name, ${starts_with}, ${created_by}, ${created_at}, issued_until, issued_until
            FROM api_keys WHERE ${replaced} ORDER BY created_at DESC, id LIMIT 1
            RETURNING ${sql.literal(visible)}`,
          sql`
            UPDATE api_keys SET expires_at = min(coalesce(expires_at, ${end}), ${end})
            WHERE ${replaced} AND id <> ${id} RETURNING expires_at`
        ], {
          after: 0,
          row: {
            id: sql`id`,
            name: sql`name`,
            salt: sql`${salt}`,
            until: sql`(
              SELECT max(min(coalesce(expires_at, ${end}), ${end})) FROM api_keys WHERE ${replaced} AND id <> ${id})`
          },
          from: sql`api_keys WHERE id = ${id}`
        })
        if (replay !== undefined) {
          const [kept] = yield* Effect.orDie(decodeRotated(replay.rows))
          const { id, name, salt, until } = kept!
          return { api_key: yield* again(salt), scope, id, name, previous_expires_at: until }
        }
        known.forget(scope, asked)
        const [key] = yield* decode(successor)
        if (key === undefined) {
          if (by.kind === "key") return yield* Unauthorized.invalid()
          if (asked !== undefined) return yield* KeyNotFound.of(asked)
          const [others = []] = yield* batch([
            sql`SELECT id FROM api_keys WHERE scope = ${scope} AND ${valid} ORDER BY id`
          ])
          return yield* others.length > 1 ? KeyAmbiguous.of(others.map(({ id }) => String(id))) : KeyNotFound.none()
        }
        yield* log("key rotated", scope, id, callerName(by))
        const last = Math.max(...before.map(({ expires_at }) => Number(expires_at)))
        return { api_key, scope, id, name: key.name, previous_expires_at: DateTime.makeUnsafe(last) }
      })

      return Keys.of({ issue, first, again, list, revoke, rotate })
    })
  ).pipe(Layer.provide([KnownKeys.layer, SecureRandom.layerWebCrypto, Digest.layerWebCrypto]))
}
