/** `GET /docs`: the API for people, rendered from the same definition as `/openapi.json`. */
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Api } from "../api/Api.ts"
import { render } from "./docs/Page.ts"

let page: string | undefined

export const DocsLayer = HttpRouter.add(
  "GET",
  "/docs",
  Effect.sync(() =>
    HttpServerResponse.text(page ??= render(OpenApi.fromApi(Api)), {
      contentType: "text/html; charset=utf-8",
      headers: {
        "cache-control": "public, max-age=300",
        // The page needs its own style and nothing else.
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
      }
    })
  )
)
