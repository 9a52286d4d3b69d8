/**
 * The keys that this isolate has seen, so that a check costs no round trip: what the database said less than half a minute ago
 * says whose key it is. Whether the key is still valid is a guard of each batch of the request: a key that another isolate has
 * revoked, or given an earlier end, neither changes nor reads anything.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ScopeName } from "../../domain/Identifier.ts"
import { Database, guarding, Guards, Riders, type Row } from "../../sql/Database.ts"
import { statement } from "../../sql/Statement.ts"

const MaxAge = 30_000
// From half of that age on, a request checks the key in its own batch, so that a key in use is never too old.
const RefreshAge = 15_000
const MaxKeys = 1000
// A use within an hour of the last one is not written.
const UseGrain = 3_600_000

const byHash = statement("SELECT id, scope, name, last_used_at, expires_at FROM api_keys WHERE hash = :hash")

const writeUse = statement(`
  UPDATE api_keys SET last_used_at = :now WHERE hash = :hash
    AND (last_used_at IS NULL OR last_used_at <= :hour_ago) AND (expires_at IS NULL OR expires_at > :now)`)

const isValid = guarding(`
  EXISTS (SELECT 1 FROM api_keys WHERE hash = :hash AND (expires_at IS NULL OR expires_at > :now))`)

/** The key of the request ended after this isolate had last checked it. The batch did nothing. */
export class KeyEnded extends Data.TaggedError("KeyEnded")<{ readonly hash: string }> {}

interface KnownKey {
  readonly hash: string
  readonly id: string
  readonly scope: ScopeName
  readonly name: string
  readonly lastUsedAt: number | null
  readonly expiresAt: number | null
  /** When the question was sent to the database: the answer is no older. */
  readonly checkedAt: number
}

export class KnownKeys extends Context.Service<KnownKeys, {
  /** Whether the key has been seen here, however long ago. */
  readonly seen: (hash: string) => boolean
  /** The key, if it is valid now. */
  readonly check: (hash: string) => Effect.Effect<KnownKey | undefined>
  /** Forgets a key of the scope, or all its keys: they may have changed in the database. */
  readonly forget: (scope: ScopeName, id?: string) => void
  /** Forgets a key after a batch found that it has ended. */
  readonly ended: (key: KeyEnded) => void
}>()("octopoid-server/services/KnownKeys") {
  static readonly layer = Layer.effect(
    KnownKeys,
    Effect.gen(function*() {
      const { batch } = yield* Database
      // In the order of their last checks.
      const keys = new Map<string, KnownKey>()
      // Counts changes: an answer that was on its way during one may say how the keys were before it.
      let changes = 0

      const useOf = (hash: string, now: number) => writeUse({ hash, now, hour_ago: now - UseGrain })

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
        const { found } = yield* batch({ used: useOf(hash, now), found: byHash({ hash }) })
        return learn(hash, found[0], now, since)
      })

      const refreshAlong = Effect.fnUntraced(function*(key: KnownKey, now: number) {
        const since = changes
        const { hash } = key
        const used = key.lastUsedAt !== null && now - key.lastUsedAt < UseGrain
        const riders = yield* Riders
        riders?.push({
          statements: used ? [byHash({ hash })] : [byHash({ hash }), useOf(hash, now)],
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
        // A clock that was set back makes an age negative.
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
