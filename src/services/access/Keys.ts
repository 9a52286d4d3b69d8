/** The keys of scopes: issued, listed, replaced and revoked. Only their hashes are kept. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Fragment, Statement } from "effect/sql/Statement"
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
import { beyond } from "../../sql/Keyset.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import * as PageBytes from "../../sql/PageBytes.ts"
import { type Reach, within } from "../../sql/Reach.ts"
import { KnownKeys } from "./KnownKeys.ts"
import * as Mint from "./mint.ts"
import * as Rotate from "./rotate.ts"
import { decode, log, visible } from "./rows.ts"

type Actor = Caller["Service"]

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
  /** A page of the keys of the scope, or of all, by their ids; the newest first when it is all there are. */
  readonly page: (scope: Reach, page: Page) => Effect.Effect<Part<ApiKey>>
  /** The keys of the scope, or of all, the newest first, as many as fit on one page. */
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
      const known = yield* KnownKeys
      const { again, mint } = yield* Mint.make
      const once = yield* Idempotency.make
      const row = columnsOf(sql, ApiKeyRow)
      const bounded = yield* PageBytes.make

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
        const [rows = []] = yield* Effect.ensuring(
          batch([sql`DELETE FROM api_keys WHERE scope = ${scope} AND id = ${id} RETURNING id`]),
          Effect.sync(() => known.forget(scope, id))
        )
        if (rows.length === 0) return yield* KeyNotFound.of(id)
        yield* log("key revoked", scope, id, callerName(by))
      })

      return Keys.of({ issue, first, again, page, list, revoke, rotate: yield* Rotate.make })
    })
  ).pipe(Layer.provide([KnownKeys.layer, SecureRandom.layerWebCrypto, Digest.layerWebCrypto]))
}
