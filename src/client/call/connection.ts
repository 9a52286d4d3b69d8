/**
 * How a client reaches its server: what `HttpApiClient` makes its methods with, and what each of them is wrapped in.
 */
import type * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { Options } from "../../client.ts"
import * as Call from "./Call.ts"

export type Method = (request: unknown) => Effect.Effect<unknown, unknown>

export const connection = (
  { baseUrl, idempotencyKeys = true, retries = 3, scope, timeout = "2 minutes", token }: Options
) => {
  // The address comes first, because the later steps need a whole URL.
  const addressed = flow(
    HttpClientRequest.prependUrl(baseUrl.replace(/\/+$/, "")),
    (request: HttpClientRequest.HttpClientRequest) =>
      token === undefined ? request : HttpClientRequest.bearerToken(request, token),
    (request: HttpClientRequest.HttpClientRequest) =>
      scope === undefined || request.urlParams.params.some(([name]) => name === "scope")
        ? request
        : HttpClientRequest.setUrlParam(request, "scope", scope)
  )
  return {
    transformClient: (client: HttpClient.HttpClient) => HttpClient.mapRequest(Call.sending(client), addressed),
    transformResponse: Call.decoding,
    /** A repetition includes reading and decoding the answer, so whole methods are repeated. */
    method: (method: Method): Method => Call.settled(method, { retries, timeout, randomKeys: idempotencyKeys })
  }
}
