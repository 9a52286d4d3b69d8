/** `GET /openapi.json` and `GET /docs`: the API for programs and for people, each made by its first request. */
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { Api } from "../api/Api.ts"
import { render } from "./docs/Page.ts"

let document: HttpServerResponse.HttpServerResponse | undefined
let page: string | undefined

const DocumentLayer = HttpRouter.add(
  "GET",
  "/openapi.json",
  Effect.sync(() => document ??= HttpServerResponse.jsonUnsafe(OpenApi.fromApi(Api)))
)

const PageLayer = HttpRouter.add(
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

export const DocsLayer = Layer.mergeAll(DocumentLayer, PageLayer)
