/** Which web pages may call the server. */
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import { Settings } from "../services/Settings.ts"

export const CorsLayer = Layer.unwrap(Effect.gen(function*() {
  const { corsOrigins } = yield* Settings
  const origins = new Set(corsOrigins.split(",").map((origin) => origin.trim()).filter((origin) => origin !== ""))
  const cors = HttpMiddleware.cors({
    // The library reads an empty list as every origin.
    ...(origins.has("*") ? {} : { allowedOrigins: (origin: string) => origins.has(origin) }),
    exposedHeaders: ["Server-Timing", "Retry-After", "ETag", "X-Request-Id", "X-Reason", "Idempotent-Replayed"],
    maxAge: 86_400
  })
  return HttpRouter.middleware((httpEffect) => cors(httpEffect), { global: true })
}))
