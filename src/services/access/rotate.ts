/** Rotates a key: one batch inserts its successor and sets its own end. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { KeyAmbiguous, KeyId, KeyNotFound, MaxToldKeys, type Rotation } from "../../domain/access/ApiKey.ts"
import { type Caller, callerName, Unauthorized } from "../../domain/access/Caller.ts"
import { TimeColumn } from "../../domain/Encoding.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { statement } from "../../sql/Statement.ts"
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

const isValid = "(expires_at IS NULL OR expires_at > :now)"

/** The id of the key that is replaced: the key that is named, or else the only valid one of the scope, but for the successor. */
const replaced = `coalesce(:asked, (
  SELECT max(id) FROM api_keys WHERE scope = :scope AND id <> :id AND ${isValid} HAVING count(*) = 1))`

// A key that was issued with an end is not made to last by rotation.
const insertSuccessor = statement(`
  INSERT INTO api_keys (hash, id, scope, name, starts_with, created_by, created_at, expires_at, issued_until)
  SELECT :hash, :id, scope, name, :starts_with, :created_by, :created_at, issued_until, issued_until
  FROM api_keys WHERE scope = :scope AND id = ${replaced} AND ${isValid}
  RETURNING ${visible}`)

/** When the key that is replaced ends: after the overlap, unless it ends before. */
const earlierEnd = "min(coalesce(expires_at, :overlap_end), :overlap_end)"

const setEnd = statement(`
  UPDATE api_keys SET expires_at = ${earlierEnd}
  WHERE scope = :scope AND id = ${replaced} AND ${isValid} RETURNING expires_at`)

const rotated = Idempotency.keeping({
  row: {
    id: "id",
    name: "name",
    salt: ":salt",
    until: `(SELECT ${earlierEnd} FROM api_keys WHERE scope = :scope AND id = ${replaced} AND ${isValid})`
  },
  from: "api_keys",
  where: "hash = :hash"
})

const validKeys = statement(`
  SELECT id, (SELECT count(*) FROM api_keys WHERE scope = :scope AND ${isValid}) AS total
  FROM api_keys WHERE scope = :scope AND ${isValid} ORDER BY id LIMIT ${MaxToldKeys}`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const { keyOverlapSeconds } = yield* Settings
  const known = yield* KnownKeys
  const { again, mint } = yield* Mint.make
  const once = yield* Idempotency.make

  return Effect.fn("Keys.rotate")(function*(scope: ScopeName, rotation: Rotation, by: Actor) {
    const now = yield* Clock.currentTimeMillis
    const overlap_end = now + (rotation.overlap_seconds ?? keyOverlapSeconds) * 1000
    const { api_key, columns, salt } = yield* mint(scope, callerName(by))
    const { id } = columns
    const asked = by.kind === "key" ? by.id : rotation.key_id || undefined
    const values = { ...columns, salt, overlap_end, asked: asked ?? null, now }
    const { answers: { ended, inserted }, replay } = yield* once.batch(
      { inserted: insertSuccessor(values), ended: setEnd(values) },
      { keep: "inserted", answer: rotated, values }
    ).pipe(Effect.ensuring(Effect.sync(() => known.forget(scope, asked))))
    if (replay !== undefined) {
      const [kept] = yield* Effect.orDie(decodeKept(replay.rows))
      const { id, name, salt, until } = kept!
      return { api_key: yield* again(salt), scope, id, name, previous_expires_at: until }
    }
    const [key] = yield* decode(inserted)
    if (key === undefined) {
      if (by.kind === "key") return yield* Unauthorized.invalid()
      if (asked !== undefined) return yield* KeyNotFound.of(asked)
      const { others } = yield* batch({ others: validKeys({ scope, now }) })
      return yield* others.length > 1
        ? KeyAmbiguous.of(others.map(({ id }) => String(id)), Number(others[0]?.total))
        : KeyNotFound.none()
    }
    yield* log("key rotated", scope, id, callerName(by))
    const last = Math.max(...ended.map(({ expires_at }) => Number(expires_at)))
    return { api_key, scope, id, name: key.name, previous_expires_at: DateTime.makeUnsafe(last) }
  })
})
