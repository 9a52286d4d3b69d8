/**
 * `GET /openapi.json` and `GET /docs`: the API for programs and for people. The first request builds each. Also the
 * icon.
 */
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { Api } from "../../api/Api.ts"
import { icon } from "./Icon.ts"
import { render } from "./Page.ts"
import { searchSource } from "./Search.ts"

let document: HttpServerResponse.HttpServerResponse | undefined
let text: string | undefined

/** A page of the server. It may load only its own style and the icon, and run the scripts that the sources name. */
export const page = (text: string, scripts?: string) =>
  HttpServerResponse.text(text, {
    contentType: "text/html; charset=utf-8",
    headers: {
      "content-security-policy": `default-src 'none';${
        scripts === undefined ? "" : ` script-src ${scripts};`
      } img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`
    }
  })

const DocumentLayer = HttpRouter.add(
  "GET",
  "/openapi.json",
  Effect.sync(() => document ??= HttpServerResponse.jsonUnsafe(OpenApi.fromApi(Api)))
)

const PageLayer = HttpRouter.add(
  "GET",
  "/docs",
  Effect.gen(function*() {
    const { url } = yield* HttpServerRequest.HttpServerRequest
    // Its links are relative, so it has one address only.
    if (url.split("?")[0]!.endsWith("/")) return HttpServerResponse.redirect("../docs")
    const answer = page(text ??= render(OpenApi.fromApi(Api)), yield* searchSource)
    return HttpServerResponse.setHeader(answer, "cache-control", "public, max-age=300")
  })
)

const IconLayer = HttpRouter.add(
  "GET",
  "/favicon.ico",
  Effect.sync(() =>
    HttpServerResponse.uint8Array(icon(), {
      contentType: "image/x-icon",
      headers: { "cache-control": "public, max-age=86400" }
    })
  )
)

export const DocsLayer = Layer.mergeAll(DocumentLayer, PageLayer, IconLayer)
