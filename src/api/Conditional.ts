/** Conditional reads: their answers have an `ETag`, so a client that has the answer does not get it again. */
import * as Context from "effect/Context"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"

/** Whether a read is conditional. */
export const Conditional = Context.Reference<boolean>("octopoid-server/api/Conditional", { defaultValue: () => false })

const etag = {
  etag: {
    schema: { type: "string" },
    required: true,
    description:
      "Identifies this answer: a different answer has a different tag. Opaque, and valid only for this request by this caller."
  }
}

const cacheable = {
  "cache-control": {
    schema: { type: "string" },
    required: true,
    description: "`private, no-cache`: a cache asks the server before it uses the answer again."
  },
  "vary": { schema: { type: "string" }, required: true, description: "`Authorization`." }
}

/** Headers and answers that no client of ours uses, so no schema has them. */
const described = (operation: Record<string, any>) => ({
  ...operation,
  parameters: [...operation.parameters, {
    name: "If-None-Match",
    in: "header",
    schema: { type: "string" },
    required: false,
    description:
      "The `ETag`s of the answers that the client has, or `*`. If one of them is current, the answer is 304, without a body."
  }],
  responses: {
    ...operation.responses,
    200: { ...operation.responses[200], headers: { ...operation.responses[200].headers, ...etag, ...cacheable } },
    304: { description: "The client has the answer.", headers: { ...etag, ...cacheable } }
  }
})

/** Makes a read conditional, and describes that in the OpenAPI document. */
export const conditional = <Endpoint extends HttpApiEndpoint.Constraint>(endpoint: Endpoint): Endpoint => {
  const top = endpoint as unknown as HttpApiEndpoint.Top
  const before = Context.getOrElse(
    top.annotations,
    OpenApi.Transform,
    () => (operation: Record<string, any>) => operation
  )
  return top.annotate(Conditional, true).annotateMerge(
    OpenApi.annotations({ transform: (operation) => described(before(operation)) })
  ) as unknown as Endpoint
}
