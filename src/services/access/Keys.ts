/** The keys of scopes: issued, listed, rotated and revoked. Only their hashes are kept. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import {
  type ApiKey,
  ApiKeyRow,
  type IssuedKey,
  KeyAmbiguous,
  KeyExpired,
  KeyId,
  KeyNotFound,
  MaxNamedKeys,
  type NewKey,
  type Rotated,
  type Rotation
} from "../../domain/access/ApiKey.ts"
import { type Caller, callerName, Unauthorized } from "../../domain/access/Caller.ts"
import { DefaultRank } from "../../domain/access/Rank.ts"
import { TimeColumn } from "../../domain/Encoding.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { type Page, type Part, wholeList } from "../../domain/Page.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { afterCursor, cursorValues } from "../../sql/page/Keyset.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import type { Reach } from "../../sql/Reach.ts"
import { statement, variants } from "../../sql/Statement.ts"
import { Settings } from "../Settings.ts"
import { KnownKeys } from "./KnownKeys.ts"
import * as Mint from "./mint.ts"

type Actor = Caller["Service"]

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(ApiKeyRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

/** The columns of a key without its hash. */
const visible = "id, name, scope, rank, starts_with, created_by, created_at, last_used_at, expires_at"

const decodeKept = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({
  id: KeyId,
  name: Schema.String,
  salt: Schema.String,
  until: TimeColumn
})))

const log = (event: string, scope: ScopeName, key_id: string, by: string) =>
  Effect.logInfo(event).pipe(Effect.annotateLogs({ scope, key_id, by }))

const insert = statement(`
  INSERT INTO api_keys (hash, id, scope, name, rank, starts_with, created_by, created_at, expires_at, issued_until)
  VALUES (:hash, :id, :scope, :name, :rank, :starts_with, :created_by, :created_at, :until, :until)
  RETURNING ${visible}`)

const issued = Idempotency.keeping({
  row: { ...columnsOf(ApiKeyRow), salt: ":salt" },
  from: "api_keys",
  where: "hash = :hash"
})

const pages = variants((every: boolean, order: "by id" | "newest first", next: boolean) =>
  PageBytes.pagesOf(
    { columns: Object.keys(ApiKeyRow.fields), long: ["name", "created_by"] },
    `
    SELECT ${visible} FROM api_keys
    WHERE ${every ? "true" : "scope = :scope"} ${next ? `AND ${afterCursor(["id"], "ascending")}` : ""}
    ORDER BY ${order === "by id" ? "id" : "created_at DESC, id"} LIMIT :take`
  )
)

const deleteById = statement("DELETE FROM api_keys WHERE scope = :scope AND id = :id RETURNING id")

const isValid = "(expires_at IS NULL OR expires_at > :now)"

/** The id of the replaced key: the named one, or else the only valid key of the scope, apart from the successor. */
const replaced = `coalesce(:asked, (
  SELECT max(id) FROM api_keys WHERE scope = :scope AND id <> :id AND ${isValid} HAVING count(*) = 1))`

// The successor has the rank of the key. If the key was issued with an end, the successor has the same end.
const insertSuccessor = statement(`
  INSERT INTO api_keys (hash, id, scope, name, rank, starts_with, created_by, created_at, expires_at, issued_until)
  SELECT :hash, :id, scope, name, rank, :starts_with, :created_by, :created_at, issued_until, issued_until
  FROM api_keys WHERE scope = :scope AND id = ${replaced} AND ${isValid}
  RETURNING ${visible}`)

/** The end of the replaced key: after the overlap, or earlier if it has an earlier end. */
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
  FROM api_keys WHERE scope = :scope AND ${isValid} ORDER BY id LIMIT ${MaxNamedKeys}`)

export class Keys extends Context.Service<Keys, {
  readonly issue: (scope: ScopeName, key: NewKey, by: Actor) => Effect.Effect<IssuedKey, KeyExpired>
  /** A key for a scope that has none. It becomes valid when the caller inserts its row. */
  readonly first: (scope: ScopeName, name: string, by: string) => Effect.Effect<Mint.Minted>
  /** The key of the answer to an earlier request under the same idempotency key. */
  readonly again: (salt: string) => Effect.Effect<string>
  /** A page of the keys of the scope, or of all scopes, by id. If the page has all of them, the newest comes first. */
  readonly page: (scope: Reach, page: Page) => Effect.Effect<Part<ApiKey>>
  /** The keys of the scope, or of all scopes, the newest first, as many as fit on one page. */
  readonly list: (scope: Reach) => Effect.Effect<ReadonlyArray<ApiKey>>
  readonly revoke: (scope: ScopeName, id: string, by: Actor) => Effect.Effect<void, KeyNotFound>
  /**
   * Issues the successor of the caller's key. The old key stays valid for a while. A caller without a key names the
   * key, unless the scope has only one.
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
      const { batch } = yield* Database
      const known = yield* KnownKeys
      const { keyOverlapSeconds } = yield* Settings
      const { again, mint } = yield* Mint.make
      const once = yield* Idempotency.make
      const paged = yield* PageBytes.reader

      const issue = Effect.fn("Keys.issue")(function*(scope: ScopeName, key: NewKey, by: Actor) {
        const now = yield* Clock.currentTimeMillis
        const until = key.expires_at ? DateTime.toEpochMillis(key.expires_at) : null
        if (key.expires_at && until !== null && until <= now) return yield* KeyExpired.of(key.expires_at)
        const { api_key, columns, salt } = yield* mint(scope, callerName(by), key.name || undefined)
        const values = { ...columns, rank: key.rank ?? DefaultRank, until, salt }
        const { answers: { inserted }, replay } = yield* once.batch(
          { inserted: insert(values) },
          { keep: "inserted", answer: issued, values }
        )
        if (replay !== undefined) {
          // Release 2.0.0 kept answers without a rank.
          const [kept] = replay.rows.map((row) => ({ ...row, rank: row.rank ?? DefaultRank }))
          return { ...(yield* decode([kept]))[0]!, api_key: yield* again(String(replay.rows[0]!.salt)) }
        }
        yield* log("key issued", scope, columns.id, callerName(by))
        return { ...(yield* decode(inserted))[0]!, api_key }
      })

      const first = (scope: ScopeName, name: string, by: string) => mint(scope, by, name)

      const page = Effect.fn("Keys.page")(function*(scope: Reach, page: Page) {
        const next = page.after !== undefined
        const pagesIn = (order: "by id" | "newest first") => pages(scope === undefined, order, next)
        const { found } = yield* paged({
          page,
          pages: pagesIn(page.take < 0 && !next ? "newest first" : "by id"),
          inPages: pagesIn("by id"),
          values: { ...cursorValues(page), scope: scope ?? null }
        }, (rows) => batch({ rows }))
        const { envelope: { next_cursor }, rows } = page.end(found)
        return { rows: yield* decode(rows), next_cursor }
      })
      const list = (scope: Reach) => Effect.map(page(scope, wholeList), ({ rows }) => rows)

      const revoke = Effect.fn("Keys.revoke")(function*(scope: ScopeName, id: string, by: Actor) {
        const { deleted } = yield* Effect.ensuring(
          batch({ deleted: deleteById({ scope, id }) }),
          Effect.sync(() => known.forget(scope, id))
        )
        if (deleted.length === 0) return yield* KeyNotFound.of(id)
        yield* log("key revoked", scope, id, callerName(by))
      })

      const rotate = Effect.fn("Keys.rotate")(function*(scope: ScopeName, rotation: Rotation, by: Actor) {
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

      return Keys.of({ issue, first, again, page, list, revoke, rotate })
    })
  ).pipe(Layer.provide([KnownKeys.layer, SecureRandom.layerWebCrypto, Digest.layerWebCrypto]))
}
