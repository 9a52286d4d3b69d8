/**
 * Makes keys: the text, which its owner gets once, and the row, which does not contain it.
 *
 * A repeated request gets the same key, although the database must not hold it. So the text is computed from the
 * idempotency key, which the database does not hold either, and a random salt, which is kept as long as the idempotency
 * key.
 */
import * as Clock from "effect/Clock"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import type { ScopeName } from "../../domain/Identifier.ts"
import { CurrentIdempotency } from "../../sql/Idempotency.ts"

export interface Minted {
  readonly api_key: string
  /** The row that makes the key valid. */
  readonly columns: {
    readonly hash: string
    readonly id: string
    readonly scope: ScopeName
    readonly name: string
    readonly starts_with: string
    readonly created_by: string
    readonly created_at: number
  }
  readonly salt: string
}

export const make = Effect.gen(function*() {
  const random = yield* SecureRandom.SecureRandom
  const { digestHex } = yield* Digest.Digest

  /** The key that was made with this salt for an earlier request under the same idempotency key. */
  const again = Effect.fnUntraced(function*(salt: string) {
    const key = (yield* CurrentIdempotency)?.key ?? ""
    return `oct_${yield* digestHex(Digest.sha256, new TextEncoder().encode(`${salt} ${key}`))}`
  })

  /** Makes a key, its row, and the salt from which `again` computes the key again. */
  const mint = Effect.fnUntraced(function*(scope: ScopeName, created_by: string, name?: string) {
    const salt = Hex.encode(yield* random.randomBytes(32))
    const api_key = (yield* CurrentIdempotency) === undefined ? `oct_${salt}` : yield* again(salt)
    const id = `key-${Hex.encode(yield* random.randomBytes(8))}`
    const columns = {
      hash: yield* digestHex(Digest.sha256, new TextEncoder().encode(api_key)),
      id,
      scope,
      name: name ?? id,
      starts_with: api_key.slice(0, 12),
      created_by,
      created_at: yield* Clock.currentTimeMillis
    }
    const minted: Minted = { api_key, columns, salt }
    return minted
  })

  return { again, mint }
})
