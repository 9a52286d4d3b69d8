/**
 * Makes keys: the text that is told once, and the row without it.
 *
 * Whoever repeats a request under its idempotency key is to be told the same key again, and the database must not hold it.
 * So the text is then made of that idempotency key, which the database does not know either, and of a random salt, which is
 * kept as long as the answer may be asked for again.
 */
import * as Clock from "effect/Clock"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import type { ScopeName } from "../../domain/Identifier.ts"
import { CurrentIdempotency } from "../../sql/Idempotency.ts"

export const make = Effect.gen(function*() {
  const random = yield* SecureRandom.SecureRandom
  const { digestHex } = yield* Digest.Digest

  /** The key that was made with this salt for the request of which this is a repetition. */
  const again = Effect.fnUntraced(function*(salt: string) {
    const key = (yield* CurrentIdempotency)?.key ?? ""
    return `oct_${yield* digestHex(Digest.sha256, new TextEncoder().encode(`${salt} ${key}`))}`
  })

  /** A key, and the columns of its row. It is valid once the row is there. */
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
    return { api_key, columns, salt }
  })

  return { again, mint }
})
