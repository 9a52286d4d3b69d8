/** Reads whose answers have names (`ETag`), so that a client that has the answer is not sent it again. */
import * as Context from "effect/Context"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"

/** Whether a read is one. */
export const Conditional = Context.Reference<boolean>("octopoid-server/api/Conditional", { defaultValue: () => false })

const etag = {
  etag: {
    schema: { type: "string" },
    required: true,
    description: "Names this answer: another one has another name. Opaque; good for this request by this caller only."
  }
}

const cacheable = {
  "cache-control": {
    schema: { type: "string" },
    required: true,
    description: "`private, no-cache`: whoever keeps the answer asks before using it again."
  },
  "vary": { schema: { type: "string" }, required: true, description: "`Authorization`." }
}

/** What no client of ours sends or gets, so that no schema has it. */
const described = (operation: Record<string, any>) => ({
  ...operation,
  parameters: [...operation.parameters, {
    name: "If-None-Match",
    in: "header",
    schema: { type: "string" },
    required: false,
    description:
      "The `ETag`s of the answers that the client has, or `*`. When the answer is one of them it is 304, without a body."
  }],
  responses: {
    ...operation.responses,
    200: { ...operation.responses[200], headers: { ...operation.responses[200].headers, ...etag, ...cacheable } },
    304: { description: "The client has the answer.", headers: { ...etag, ...cacheable } }
  }
})

/** Makes a read conditional, and has the document say so. */
export const conditional = <Endpoint extends HttpApiEndpoint.Constraint>(endpoint: Endpoint): Endpoint =>
  (endpoint as unknown as HttpApiEndpoint.Top).annotate(Conditional, true).annotateMerge(
    OpenApi.annotations({ transform: described })
  ) as unknown as Endpoint
