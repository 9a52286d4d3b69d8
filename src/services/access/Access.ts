/** Authentication: checks the bearer token of a request, and says who the caller is. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Caller, TooManyFailures, Unauthorized } from "../../domain/access/Caller.ts"
import { Settings } from "../Settings.ts"
import { FailureLimit } from "./FailureLimit.ts"
import { KeyEnded, KnownKeys } from "./KnownKeys.ts"

interface Credentials {
  readonly authorization: string | undefined
  /** The address that the request comes from. Failures are counted for each address. */
  readonly address: string
}

const BlockMillis = 60_000
const MaxBlocked = 1000
const MaxRefused = 1000

export class Access extends Context.Service<Access, {
  /** Whether requests without a key are answered. */
  readonly open: boolean
  /** The caller that sends the credentials. For a key in use this costs no round trip. */
  readonly authenticate: (
    credentials: Credentials
  ) => Effect.Effect<Caller["Service"], Unauthorized | TooManyFailures>
  /** Refuses a request whose key ended while it was served. Other defects pass through. */
  readonly refuseEnded: <A, E, R>(request: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Unauthorized, R>
}>()("octopoid-server/services/Access") {
  static readonly layerNoDeps = Layer.effect(
    Access,
    Effect.gen(function*() {
      const { apiSecretKey } = yield* Settings
      const keys = yield* KnownKeys
      const failures = yield* FailureLimit
      const digests = yield* Digest.Digest
      const encoder = new TextEncoder()
      const sha256 = (text: string) => digests.digest(Digest.sha256, encoder.encode(text))

      if (apiSecretKey === undefined) {
        yield* Effect.logWarning("API_SECRET_KEY is not set: the server is open, and answers requests without a key")
      }

      // Digests have one length, so the time of the comparison does not depend on the length of the secret.
      const isSecret = Effect.fnUntraced(function*(digest: Uint8Array) {
        return apiSecretKey !== undefined &&
          Mac.timingSafeEqual(digest, yield* sha256(Redacted.value(apiSecretKey)))
      })

      // Addresses with too many failures, and until when this isolate looks up no key for them.
      const blocked = new Map<string, number>()

      const remaining = Effect.fnUntraced(function*(address: string) {
        const millis = (blocked.get(address) ?? 0) - (yield* Clock.currentTimeMillis)
        if (millis <= 0) blocked.delete(address)
        return Math.ceil(Math.max(0, millis) / 1000)
      })

      // Refused tokens, and when they were refused. They are refused for another minute without a lookup, because an
      // invalid token does not become valid. A machine that repeats an old key must not get its neighbours at the same
      // address blocked.
      const refused = new Map<string, number>()

      const isRefused = Effect.fnUntraced(function*(hash: string) {
        const at = refused.get(hash)
        // If the clock is set back, the age is negative, and an expired key may be valid again.
        const age = at === undefined ? BlockMillis : (yield* Clock.currentTimeMillis) - at
        if (age >= 0 && age < BlockMillis) return true
        refused.delete(hash)
        return false
      })

      const refuse = Effect.fnUntraced(function*(address: string, hash: string, answer: Unauthorized) {
        refused.set(hash, yield* Clock.currentTimeMillis)
        if (refused.size > MaxRefused) refused.delete(refused.keys().next().value!)
        if (!(yield* failures.failed(address))) return yield* answer
        blocked.set(address, (yield* Clock.currentTimeMillis) + BlockMillis)
        if (blocked.size > MaxBlocked) blocked.delete(blocked.keys().next().value!)
        return yield* TooManyFailures.of(BlockMillis / 1000)
      })

      const authenticate = Effect.fn("Access.authenticate")(function*({ address, authorization }: Credentials) {
        if (!authorization) {
          if (apiSecretKey !== undefined) return yield* Unauthorized.missing()
          return Caller.of({ kind: "anonymous" })
        }
        const token = /^bearer +(\S.*)$/i.exec(authorization)?.[1]
        if (token === undefined) return yield* Unauthorized.notBearer()
        const digest = yield* sha256(token)
        const hash = Hex.encode(digest)
        // This check comes first, so that an address that guesses does not learn which guess is right.
        const seconds = keys.seen(hash) ? 0 : yield* remaining(address)
        if (seconds > 0) return yield* TooManyFailures.of(seconds)
        if (yield* isSecret(digest)) return Caller.of({ kind: "administrator" })
        const shaped = token.startsWith("oct_")
        const wrong = shaped ? Unauthorized.invalid() : Unauthorized.notKey()
        if (yield* isRefused(hash)) return yield* wrong
        const key = shaped ? yield* keys.check(hash) : undefined
        if (key === undefined) return yield* refuse(address, hash, wrong)
        return Caller.of({ kind: "key", scope: key.scope, id: key.id, name: key.name, rank: key.rank })
      })

      const refuseEnded = <A, E, R>(request: Effect.Effect<A, E, R>) =>
        Effect.catchDefect(request, (defect): Effect.Effect<never, Unauthorized> => {
          if (!(defect instanceof KeyEnded)) return Effect.die(defect)
          keys.ended(defect)
          return Effect.fail(Unauthorized.invalid())
        })

      return Access.of({ open: apiSecretKey === undefined, authenticate, refuseEnded })
    })
  )

  static readonly layer = this.layerNoDeps.pipe(Layer.provide([KnownKeys.layer, Digest.layerWebCrypto]))
}
