/**
 * The keys that this isolate has seen, so that checking a key costs no round trip. An answer of the database about a
 * key is used for less than half a minute. Each batch of a request also has a guard that the key is valid: so a key
 * that another isolate revoked changes and reads nothing.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Rank } from "../../domain/access/Rank.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { Database, guarding, Guards, Riders, type Row } from "../../sql/Database.ts"
import { statement } from "../../sql/Statement.ts"

const MaxAge = 30_000
// From this age on, a request checks the key in its own batch. So a key in use never gets too old.
const RefreshAge = 15_000
const MaxKeys = 1000
// A use within an hour of the last recorded one is not recorded.
const UseGrain = 3_600_000

const byHash = statement("SELECT id, scope, name, rank, last_used_at, expires_at FROM api_keys WHERE hash = :hash")

const writeUse = statement(`
  UPDATE api_keys SET last_used_at = :now WHERE hash = :hash
    AND (last_used_at IS NULL OR last_used_at <= :now - ${UseGrain}) AND (expires_at IS NULL OR expires_at > :now)`)

const isValid = guarding(`
  EXISTS (SELECT 1 FROM api_keys WHERE hash = :hash AND (expires_at IS NULL OR expires_at > :now))`)

/** The key ended after this isolate last checked it. The batch had no effect. */
export class KeyEnded extends Data.TaggedError("KeyEnded")<{ readonly hash: string }> {}

interface KnownKey {
  readonly hash: string
  readonly id: string
  readonly scope: ScopeName
  readonly name: string
  // A key keeps its rank for life.
  readonly rank: Rank
  readonly lastUsedAt: number | null
  readonly expiresAt: number | null
  /** When the database was asked. Its answer is no older than this. */
  readonly checkedAt: number
}

export class KnownKeys extends Context.Service<KnownKeys, {
  /** Whether this isolate has ever seen the key. */
  readonly seen: (hash: string) => boolean
  /** The key, if it is valid now. */
  readonly check: (hash: string) => Effect.Effect<KnownKey | undefined>
  /** Forgets a key of the scope, or all its keys, because they may have changed in the database. */
  readonly forget: (scope: ScopeName, id?: string) => void
  /** Forgets a key after a guard found that it has ended. */
  readonly ended: (key: KeyEnded) => void
}>()("octopoid-server/services/KnownKeys") {
  static readonly layer = Layer.effect(
    KnownKeys,
    Effect.gen(function*() {
      const { batch } = yield* Database
      // Ordered by the time of the last check.
      const keys = new Map<string, KnownKey>()
      // Counts changes. An answer that was on its way during a change may be older than the change.
      let changes = 0

      const learn = (hash: string, row: Row | undefined, checkedAt: number, since: number): KnownKey | undefined => {
        keys.delete(hash)
        if (row === undefined) return undefined
        const key: KnownKey = {
          hash,
          id: String(row.id),
          scope: String(row.scope),
          name: String(row.name),
          rank: row.rank as Rank,
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
        const { found } = yield* batch({ used: writeUse({ hash, now }), found: byHash({ hash }) })
        return learn(hash, found[0], now, since)
      })

      const refreshAlong = Effect.fnUntraced(function*(key: KnownKey, now: number) {
        const since = changes
        const { hash } = key
        const used = key.lastUsedAt !== null && now - key.lastUsedAt < UseGrain
        const riders = yield* Riders
        riders?.push({
          statements: used ? [byHash({ hash })] : [byHash({ hash }), writeUse({ hash, now })],
          done: ([rows], sentAt) => {
            const row = rows?.[0]
            learn(hash, row === undefined || used ? row : { ...row, last_used_at: now }, sentAt, since)
          }
        })
      })

      const check = Effect.fnUntraced(function*(hash: string) {
        const now = yield* Clock.currentTimeMillis
        const known = keys.get(hash)
        const age = known === undefined ? MaxAge : now - known.checkedAt
        // If the clock is set back, the age is negative.
        const key = known === undefined || age < 0 || age >= MaxAge ? yield* ask(hash, now) : known
        if (key === undefined || (key.expiresAt !== null && key.expiresAt <= now)) return undefined
        if (key === known && age >= RefreshAge) yield* refreshAlong(key, now)
        const guards = yield* Guards
        guards?.push({ holds: isValid, values: { hash }, refused: new KeyEnded({ hash }) })
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
