/** `/api/v1/scopes/:scope/keys`, and the keys of all scopes at `/api/v1/keys`. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { ApiKey, IssuedKey, KeyExpired, KeyId, KeyNotFound, NewKey } from "../../domain/access/ApiKey.ts"
import { describe } from "../../domain/Encoding.ts"
import { ScopeName } from "../../domain/Identifier.ts"
import { InvalidCursor, nextCursor, wholeParameters } from "../../domain/Page.ts"
import { conditional } from "../Conditional.ts"
import { Authorization } from "./Authorization.ts"

const params = { scope: ScopeName }
const keys = (description: string) =>
  Schema.Struct({ keys: Schema.Array(ApiKey).pipe(describe(description)), ...nextCursor })

export class KeysApi extends HttpApiGroup.make("keys")
  .add(
    conditional(
      HttpApiEndpoint.get("listAll", "/keys", {
        query: wholeParameters,
        success: keys("Every key there is, the newest first; with `limit`, a page of them, by their ids."),
        error: InvalidCursor
      }).annotateMerge(OpenApi.annotations({
        summary: "List the keys of all scopes",
        description:
          "The keys of all scopes, without the keys themselves, for example to find those that were issued while the server was open. For the administrator."
      }))
    ),
    HttpApiEndpoint.post("issue", "/scopes/:scope/keys", {
      params,
      payload: [Schema.Null, NewKey],
      success: IssuedKey.pipe(HttpApiSchema.status(201)),
      error: KeyExpired
    }).annotateMerge(OpenApi.annotations({
      summary: "Issue a key",
      description:
        "Issues one more key for the scope, and shows it this once. For the administrator. The body may be empty."
    })),
    conditional(
      HttpApiEndpoint.get("list", "/scopes/:scope/keys", {
        params,
        query: wholeParameters,
        success: keys("The scope's keys, the newest first; with `limit`, a page of them, by their ids."),
        error: InvalidCursor
      }).annotateMerge(OpenApi.annotations({
        summary: "List keys",
        description: "The keys of the scope, with expired ones, without the keys themselves. For the administrator."
      }))
    ),
    HttpApiEndpoint.delete("revoke", "/scopes/:scope/keys/:id", {
      params: { ...params, id: KeyId },
      success: Schema.Struct({
        message: Schema.Literal("Key revoked").pipe(describe("That it is no longer valid.")),
        id: KeyId,
        scope: ScopeName
      }),
      error: KeyNotFound
    }).annotateMerge(OpenApi.annotations({
      summary: "Revoke a key",
      description: "Ends the key for good, at once and everywhere. For the administrator."
    }))
  )
  .prefix("/api/v1")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Keys", description: "The keys that open a scope." }))
{}
