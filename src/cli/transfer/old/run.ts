/** Runs an import over the network. Loaded only when it is asked for, because it brings the client. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { copy, format, type Options } from "./copy.ts"

export const run = (options: Options) =>
  copy(options).pipe(
    Effect.map((report) => ({ report, text: format(report, options) })),
    Effect.provide(FetchHttpClient.layer)
  )
