/** Rotating a key: its successor is there, and its own end set, in one batch. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { KeyAmbiguous, KeyId, KeyNotFound, MaxToldKeys, type Rotation } from "../../domain/access/ApiKey.ts"
import { type Caller, callerName, Unauthorized } from "../../domain/access/Caller.ts"
import { TimeColumn } from "../../domain/Encoding.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { Settings } from "../Settings.ts"
import { KnownKeys } from "./KnownKeys.ts"
import * as Mint from "./mint.ts"
import { decode, log, visible } from "./rows.ts"

type Actor = Caller["Service"]

const decodeKept = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  id: KeyId,
  name: Schema.String,
  salt: Schema.String,
  until: TimeColumn
})))

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const { keyOverlapSeconds } = yield* Settings
  const known = yield* KnownKeys
  const { again, mint } = yield* Mint.make
  const once = yield* Idempotency.make

  return Effect.fn("Keys.rotate")(function*(scope: ScopeName, rotation: Rotation, by: Actor) {
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
    }).pipe(Effect.ensuring(Effect.sync(() => known.forget(scope, asked))))
    if (replay !== undefined) {
      const [kept] = yield* Effect.orDie(decodeKept(replay.rows))
      const { id, name, salt, until } = kept!
      return { api_key: yield* again(salt), scope, id, name, previous_expires_at: until }
    }
    const [key] = yield* decode(successor)
    if (key === undefined) {
      if (by.kind === "key") return yield* Unauthorized.invalid()
      if (asked !== undefined) return yield* KeyNotFound.of(asked)
      const [others = []] = yield* batch([
        sql`SELECT id, (SELECT count(*) FROM api_keys WHERE scope = ${scope} AND ${valid}) AS total
          FROM api_keys WHERE scope = ${scope} AND ${valid} ORDER BY id LIMIT ${MaxToldKeys}`
      ])
      return yield* others.length > 1
        ? KeyAmbiguous.of(others.map(({ id }) => String(id)), Number(others[0]?.total))
        : KeyNotFound.none()
    }
    yield* log("key rotated", scope, id, callerName(by))
    const last = Math.max(...before.map(({ expires_at }) => Number(expires_at)))
    return { api_key, scope, id, name: key.name, previous_expires_at: DateTime.makeUnsafe(last) }
  })
})
