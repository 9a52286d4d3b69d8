/** Limits how often an address may send invalid keys: 20 times a minute. Only failures count. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"

/** `wrangler.toml` has the same limit for the Worker. */
const MaxFailures = 20

export class FailureLimit extends Context.Service<FailureLimit, {
  /** Counts a failure of the address, and answers whether it has had too many. */
  readonly failed: (address: string) => Effect.Effect<boolean>
}>()("octopoid-server/services/FailureLimit") {
  /**
   * Uses the counters of the platform, which the isolates of a location share. If they do not answer, no address is
   * limited.
   */
  static readonly layerBinding = (binding: {
    readonly limit: (options: { readonly key: string }) => Promise<{ readonly success: boolean }>
  }) =>
    Layer.succeed(FailureLimit, {
      failed: (key) =>
        Effect.tryPromise(() => binding.limit({ key })).pipe(
          Effect.map(({ success }) => !success),
          Effect.catch((error) => Effect.as(Effect.logWarning("the rate limiter does not answer", error), false))
        )
    })

  /** Counts in memory, for platforms without counters. */
  static readonly layerMemory = Layer.effect(
    FailureLimit,
    Effect.gen(function*() {
      const limiter = yield* RateLimiter.RateLimiter
      return FailureLimit.of({
        failed: (key) =>
          limiter.consume({ key, limit: MaxFailures, window: "1 minute" }).pipe(
            Effect.as(false),
            Effect.catchTag("RateLimiterError", ({ reason }) => Effect.succeed(reason._tag === "RateLimitExceeded"))
          )
      })
    })
  ).pipe(Layer.provide(RateLimiter.layer), Layer.provide(RateLimiter.layerStoreMemory))
}
