/** The typed client, for commands. Only `Server.ts` imports this module, and only when a command needs it. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as client from "../../client.ts"
import type { Server } from "./Server.ts"

/** `fetch failed` says nothing. Its cause does. */
const causeOf = (error: unknown): string => {
  const { cause, message } = error as {
    readonly message?: string
    readonly cause?: { readonly code?: string; readonly message?: string }
  }
  const why = cause?.message || cause?.code
  return why === undefined || why === "" ? String(message) : `${String(message)}: ${why}`
}

const explaining: typeof globalThis.fetch = (input, init) =>
  globalThis.fetch(input, init).catch((error: unknown) => {
    throw error instanceof Error && error.name === "AbortError" ? error : new Error(causeOf(error), { cause: error })
  })

export const open = ({ key, scope, url }: Server) =>
  client.make({ baseUrl: url, token: key, scope, retries: 2, timeout: "60 seconds" }).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.provideService(FetchHttpClient.Fetch, explaining)
  )
