/** Who a request is from: the bearer token it carries, checked. */
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
  /** Where the request comes from. Failures are counted by it. */
  readonly address: string
}

const BlockMillis = 60_000
const MaxBlocked = 1000
const MaxRefused = 1000

export class Access extends Context.Service<Access, {
  /** Whether requests without a key are answered. */
  readonly open: boolean
  /** Who sends the credentials. Costs no round trip to the database for a key that is in use. */
  readonly authenticate: (
    credentials: Credentials
  ) => Effect.Effect<Caller["Service"], Unauthorized | TooManyFailures>
  /** Refuses a request whose key ended while it was served. Other defects stay what they are. */
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

      // Digests have one length, whatever the secret's is, so that the comparison does not tell it.
      const isSecret = Effect.fnUntraced(function*(digest: Uint8Array) {
        return apiSecretKey !== undefined &&
          Mac.timingSafeEqual(digest, yield* sha256(Redacted.value(apiSecretKey)))
      })

      // Addresses that have failed too often, and until when this isolate looks nothing up for them.
      const blocked = new Map<string, number>()

      const remaining = Effect.fnUntraced(function*(address: string) {
        const millis = (blocked.get(address) ?? 0) - (yield* Clock.currentTimeMillis)
        if (millis <= 0) blocked.delete(address)
        return Math.ceil(Math.max(0, millis) / 1000)
      })

      // Tokens that were refused, and when: for a minute they are refused again without a look: what was not valid does not become
      // so. A machine with a stale key sends the same one over and over, and is no guesser that its neighbours pay for.
      const refused = new Map<string, number>()

      const isRefused = Effect.fnUntraced(function*(hash: string) {
        const at = refused.get(hash)
        // A clock that was set back makes an age negative, and may make a key valid that had expired.
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
        // Before anything is compared, so that an address that guesses is not told which guess is right.
        const seconds = keys.seen(hash) ? 0 : yield* remaining(address)
        if (seconds > 0) return yield* TooManyFailures.of(seconds)
        if (yield* isSecret(digest)) return Caller.of({ kind: "administrator" })
        const shaped = token.startsWith("oct_")
        const wrong = shaped ? Unauthorized.invalid() : Unauthorized.notKey()
        if (yield* isRefused(hash)) return yield* wrong
        const key = shaped ? yield* keys.check(hash) : undefined
        if (key === undefined) return yield* refuse(address, hash, wrong)
        return Caller.of({ kind: "key", scope: key.scope, id: key.id, name: key.name })
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
