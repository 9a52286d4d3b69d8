/** Makes keys: the text that is told once, and the row without it. */
import * as Clock from "effect/Clock"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import type { ScopeName } from "../../domain/Identifier.ts"

export const make = Effect.gen(function*() {
  const random = yield* SecureRandom.SecureRandom
  const { digestHex } = yield* Digest.Digest

  /** A key, and the columns of its row. It is valid once the row is there. */
  return Effect.fnUntraced(function*(scope: ScopeName, created_by: string, name?: string) {
    const api_key = `oct_${Hex.encode(yield* random.randomBytes(32))}`
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
    return { api_key, columns }
  })
})
