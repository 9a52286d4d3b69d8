import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Authorization, Caller } from "../api/Authorization.ts"

export const AuthorizationLayer = Layer.succeed(Authorization)({
  bearer: (httpEffect) => Effect.provideService(httpEffect, Caller, { kind: "anonymous" })
})
