/** The keys of scopes: issued, listed, rotated and revoked. Only their hashes are kept. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type ApiKey,
  ApiKeyRow,
  type IssuedKey,
  type KeyAmbiguous,
  KeyExpired,
  KeyNotFound,
  type NewKey,
  type Rotated,
  type Rotation
} from "../../domain/access/ApiKey.ts"
import { type Caller, callerName, type Unauthorized } from "../../domain/access/Caller.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { type Page, type Part, wholeList } from "../../domain/Page.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { beyond } from "../../sql/Keyset.ts"
import * as PageBytes from "../../sql/PageBytes.ts"
import { type Reach, within } from "../../sql/Reach.ts"
import { statement } from "../../sql/Statement.ts"
import { KnownKeys } from "./KnownKeys.ts"
import * as Mint from "./mint.ts"
import * as Rotate from "./rotate.ts"
import { decode, log, visible } from "./rows.ts"

type Actor = Caller["Service"]

const insert = statement(`
  INSERT INTO api_keys (hash, id, scope, name, starts_with, created_by, created_at, expires_at, issued_until)
  VALUES (:hash, :id, :scope, :name, :starts_with, :created_by, :created_at, :until, :until)
  RETURNING ${visible}`)

const issued = Idempotency.keeping({
  row: { ...columnsOf(ApiKeyRow), salt: ":salt" },
  from: "api_keys",
  where: "hash = :hash"
})

const deleteById = statement("DELETE FROM api_keys WHERE scope = :scope AND id = :id RETURNING id")

export class Keys extends Context.Service<Keys, {
  readonly issue: (scope: ScopeName, key: NewKey, by: Actor) => Effect.Effect<IssuedKey, KeyExpired>
  /** A key for a scope that has none. It becomes valid when the caller inserts its row. */
  readonly first: (scope: ScopeName, name: string, by: string) => Effect.Effect<Mint.Minted>
  /** The key that an earlier request under the same idempotency key was answered with. */
  readonly again: (salt: string) => Effect.Effect<string>
  /** A page of the keys of the scope, or of all scopes, by id. If the page has all of them, the newest comes first. */
  readonly page: (scope: Reach, page: Page) => Effect.Effect<Part<ApiKey>>
  /** The keys of the scope, or of all scopes, the newest first, as many as fit on one page. */
  readonly list: (scope: Reach) => Effect.Effect<ReadonlyArray<ApiKey>>
  readonly revoke: (scope: ScopeName, id: string, by: Actor) => Effect.Effect<void, KeyNotFound>
  /**
   * Issues the successor of the caller's key, which remains valid for a while. A caller without a key names the key, unless
   * the scope has only one.
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
      const known = yield* KnownKeys
      const { again, mint } = yield* Mint.make
      const once = yield* Idempotency.make
      const bounded = yield* PageBytes.make

      const issue = Effect.fn("Keys.issue")(function*(scope: ScopeName, key: NewKey, by: Actor) {
        const now = yield* Clock.currentTimeMillis
        const until = key.expires_at ? DateTime.toEpochMillis(key.expires_at) : null
        if (key.expires_at && until !== null && until <= now) return yield* KeyExpired.of(key.expires_at)
        const { api_key, columns, salt } = yield* mint(scope, callerName(by), key.name || undefined)
        const values = { ...columns, until, salt }
        const { answers: { inserted }, replay } = yield* once.batch(
          { inserted: insert(values) },
          { keep: "inserted", answer: issued, values }
        )
        if (replay !== undefined) {
          return { ...(yield* decode(replay.rows))[0]!, api_key: yield* again(String(replay.rows[0]!.salt)) }
        }
        yield* log("key issued", scope, columns.id, callerName(by))
        return { ...(yield* decode(inserted))[0]!, api_key }
      })

      const first = (scope: ScopeName, name: string, by: string) => mint(scope, by, name)

      const page = Effect.fn("Keys.page")(function*(scope: Reach, page: Page) {
        const first = page.after === undefined
        const { found } = yield* bounded({
          page,
          columns: Object.keys(ApiKeyRow.fields),
          long: ["name", "created_by"],
          reordered: true,
          rows: (take, whole) =>
            sql`
          SELECT ${sql.literal(visible)} FROM api_keys
          WHERE ${sql.and([within(sql, scope), ...beyond(sql, page, "ascending")])}
          ORDER BY ${whole && first ? sql`created_at DESC, id` : sql`id`} LIMIT ${take}`
        }, (rows) => batch([rows]))
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

      return Keys.of({ issue, first, again, page, list, revoke, rotate: yield* Rotate.make })
    })
  ).pipe(Layer.provide([KnownKeys.layer, SecureRandom.layerWebCrypto, Digest.layerWebCrypto]))
}
