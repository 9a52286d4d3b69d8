/**
 * The keys this isolate has seen, so that checking one costs no round trip: what the database said less than half a minute ago
 * says whose key it is. Whether it is still valid is asked again by every batch of the request: a key that was revoked, or was
 * given an earlier end, by another isolate changes and reads nothing here either.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ScopeName } from "../../domain/Identifier.ts"
import { Database, Guards, Riders, type Row } from "../../sql/Database.ts"

const MaxAge = 30_000
// From half that age on, a request takes the check along in its own batch, so that a key in use is never too old.
const RefreshAge = 15_000
const MaxKeys = 1000
// A use within an hour of the last one is not written down.
const UseGrain = 3_600_000

/** The key of the request ended after this isolate had last asked for it. The batch did nothing. */
export class KeyEnded extends Data.TaggedError("KeyEnded")<{ readonly hash: string }> {}

interface KnownKey {
  readonly hash: string
  readonly id: string
  readonly scope: ScopeName
  readonly name: string
  readonly lastUsedAt: number | null
  readonly expiresAt: number | null
  /** When the database was asked: before it answered, so that the answer is no older than this. */
  readonly checkedAt: number
}

export class KnownKeys extends Context.Service<KnownKeys, {
  /** Whether the key has been seen here, however long ago. */
  readonly seen: (hash: string) => boolean
  /** The key, if it is valid now. */
  readonly check: (hash: string) => Effect.Effect<KnownKey | undefined>
  /** Forgets a key of the scope, or all of them: they may have changed in the database. */
  readonly forget: (scope: ScopeName, id?: string) => void
  /** Forgets the key that a batch found to be over. */
  readonly ended: (key: KeyEnded) => void
}>()("octopoid-server/services/KnownKeys") {
  static readonly layer = Layer.effect(
    KnownKeys,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      // In order of their last check.
      const keys = new Map<string, KnownKey>()
      // An answer that was on its way when keys changed may say how they were before.
      let changes = 0

      const select = (hash: string) =>
        sql`SELECT id, scope, name, last_used_at, expires_at FROM api_keys WHERE hash = ${hash}`
      const use = (hash: string, now: number) =>
        sql`UPDATE api_keys SET last_used_at = ${now} WHERE hash = ${hash}
          AND (last_used_at IS NULL OR last_used_at <= ${now - UseGrain})
          AND (expires_at IS NULL OR expires_at > ${now})`

      const learn = (hash: string, row: Row | undefined, checkedAt: number, since: number): KnownKey | undefined => {
        keys.delete(hash)
        if (row === undefined) return undefined
        const key: KnownKey = {
          hash,
          id: String(row.id),
          scope: String(row.scope),
          name: String(row.name),
          lastUsedAt: row.last_used_at as number | null,
          expiresAt: row.expires_at as number | null,
          checkedAt
        }
        if (since === changes) {
          keys.set(hash, key)
          if (keys.size > MaxKeys) keys.delete(keys.keys().next().value!)
        }
        return key
      }

      const ask = Effect.fnUntraced(function*(hash: string, now: number) {
        const since = changes
        const [, rows] = yield* batch([use(hash, now), select(hash)])
        return learn(hash, rows?.[0], now, since)
      })

      const refreshAlong = Effect.fnUntraced(function*(key: KnownKey, now: number) {
        const since = changes
        const used = key.lastUsedAt !== null && now - key.lastUsedAt < UseGrain
        const riders = yield* Riders
        riders?.push({
          statements: used ? [select(key.hash)] : [select(key.hash), use(key.hash, now)],
          done: ([rows], sentAt) => {
            const row = rows?.[0]
            learn(key.hash, row === undefined || used ? row : { ...row, last_used_at: now }, sentAt, since)
          }
        })
      })

      const check = Effect.fnUntraced(function*(hash: string) {
        const now = yield* Clock.currentTimeMillis
        const known = keys.get(hash)
        const age = known === undefined ? MaxAge : now - known.checkedAt
        // A clock that was set back makes an age negative.
        const key = known === undefined || age < 0 || age >= MaxAge ? yield* ask(hash, now) : known
        if (key === undefined || (key.expiresAt !== null && key.expiresAt <= now)) return undefined
        if (key === known && age >= RefreshAge) yield* refreshAlong(key, now)
        const guards = yield* Guards
        guards?.push({
          holds: (at) =>
            sql`EXISTS (SELECT 1 FROM api_keys WHERE hash = ${hash} AND (expires_at IS NULL OR expires_at > ${at}))`,
          refused: new KeyEnded({ hash })
        })
        return key
      })

      return KnownKeys.of({
        check,
        seen: (hash) => keys.has(hash),
        ended: ({ hash }) => {
          changes++
          keys.delete(hash)
        },
        forget: (scope, id) => {
          changes++
          for (const key of keys.values()) {
            if (key.scope === scope && (id === undefined || key.id === id)) keys.delete(key.hash)
          }
        }
      })
    })
  )
}
