/**
 * Completes the OpenAPI document: types of parameters, names of bodies, optional bodies, ranks of keys, the license.
 */
import type { Rank } from "../domain/access/Rank.ts"

type Schema = Record<string, unknown>

/** The schema without `null`, if `null` is one of its alternatives. */
const withoutNull = (schema: Schema): Schema | undefined => {
  const options = (schema.anyOf ?? []) as ReadonlyArray<Schema>
  const rest = options.filter(({ type }) => type !== "null")
  return rest.length === options.length ? undefined : rest.length === 1 ? rest[0] : { ...schema, anyOf: rest }
}

const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[ -~]*$" },
  required: false,
  description:
    "Names this request, so that it may be repeated if its answer is lost: for 24 hours the same request under the same key has one effect and gets the same answer. Another request under the key is refused with 422. Use a random UUID. An answer without an effect, such as an error or an empty claim, is not kept: the repetition is tried again."
}

const replayed = {
  "idempotent-replayed": {
    schema: { type: "string", enum: ["true"] },
    required: false,
    description: "Set if this is the answer that an earlier request got under the same `Idempotency-Key`."
  }
}

/** Every POST takes an idempotency key, and no other method does. The header is optional, so no schema has it. */
const repeatable = (method: string, one: Record<string, any>) => {
  const { 415: compressed, 422: reused, ...rest } = one.responses
  // The server reads bodies of these methods only, so only they can be compressed.
  const responses = ["post", "put", "patch"].includes(method) ? { ...rest, 415: compressed } : rest
  return method !== "post" ? { ...one, responses } : {
    ...one,
    parameters: [...one.parameters, idempotencyKey],
    responses: {
      ...Object.fromEntries(
        Object.entries<Record<string, any>>(responses).map(([status, response]) => [
          status,
          status.startsWith("2") && status !== "204"
            ? { ...response, headers: { ...response.headers, ...replayed } }
            : response
        ])
      ),
      422: reused
    }
  }
}

/** The server takes a missing body for `null`. If the schema allows `null`, the body is optional. */
const operation = (one: Record<string, any>) => {
  // A request without a body never gets the answer that its body is too large.
  const { 413: _, ...responses } = one.responses
  if (one.requestBody === undefined) return { ...one, responses }
  const media = one.requestBody.content["application/json"]
  const schema = withoutNull(media.schema)
  return schema === undefined
    ? one
    : { ...one, requestBody: { content: { "application/json": { ...media, schema } }, required: false } }
}

/**
 * A parameter is text in a request. The document names the number or boolean that the text stands for, as generators of
 * clients expect. Other text with a `contentSchema` is a cursor, which clients do not read.
 */
const parameter = ({ schema, ...one }: Record<string, any>) => {
  const { contentMediaType: _, contentSchema, ...text } = schema
  return {
    ...one,
    schema: contentSchema?.type === "integer" || contentSchema?.type === "boolean"
      ? { ...contentSchema, ...(text.description === undefined ? {} : { description: text.description }) }
      : text
  }
}

/** The name of a request body among the components: `TasksCreateRequest` for `tasks.create`. */
const requestName = (operationId: string) =>
  `${operationId.split(".").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("")}Request`

/** Names the schema of a request body, so that generated clients have a type for it. */
const named = (one: Record<string, any>, schemas: Record<string, Schema>) => {
  if (one.requestBody === undefined) return one
  const media = one.requestBody.content["application/json"]
  if (media.schema.$ref !== undefined) return one
  const name = requestName(one.operationId)
  schemas[name] = media.schema
  const schema = { $ref: `#/components/schemas/${name}` }
  return { ...one, requestBody: { ...one.requestBody, content: { "application/json": { ...media, schema } } } }
}

/** Effect omits `items` for a list of any values. Generators and linters expect it in every list. */
const withItems = (part: any): any =>
  Array.isArray(part)
    ? part.map(withItems)
    : typeof part !== "object" || part === null
    ? part
    : {
      ...Object.fromEntries(Object.entries(part).map(([key, value]) => [key, withItems(value)])),
      ...(part.type === "array" && part.items === undefined ? { items: { description: "Any JSON value." } } : {})
    }

/** The rank that an operation needs, by its id. */
type RankOf = (operationId: string) => Rank | undefined

/**
 * Names the lowest rank of the keys that may call the operation. It is an extension: Spectral takes the roles of
 * OpenAPI 3.1 for scopes of OAuth.
 */
const ranked = (one: Record<string, any>, rankOf: RankOf) =>
  one.security.length === 0 ? one : { ...one, "x-rank": rankOf(one.operationId) }

/** The document as the server publishes it. */
export const complete = (
  { components, info, paths, ...document }: Record<string, any>,
  rankOf: RankOf
): Record<string, any> => {
  const requests: Record<string, Schema> = {}
  const published = (method: string, one: Record<string, any>) =>
    named(
      repeatable(method, operation({ ...ranked(one, rankOf), parameters: one.parameters.map(parameter) })),
      requests
    )
  const all = Object.fromEntries(
    Object.entries<Record<string, object>>(paths).map(([path, operations]) => [
      path,
      Object.fromEntries(Object.entries(operations).map(([method, one]) => [method, published(method, one)]))
    ])
  )
  return {
    ...document,
    info: { ...info, contact: { name: "Octopoid Server contributors" }, license: { name: "MIT", identifier: "MIT" } },
    components: { ...components, schemas: withItems({ ...components.schemas, ...requests }) },
    paths: all
  }
}

/**
 * The claim's answer without content, and the header that asks for it. Our client does not send the header, so no
 * schema has it.
 */
export const preferringMinimal = (claim: Record<string, any>) => ({
  ...claim,
  parameters: [...claim.parameters, {
    name: "Prefer",
    in: "header",
    schema: { type: "string" },
    required: false,
    description: "`return=minimal`: answer 204 instead of 404 when there is no task."
  }],
  responses: {
    ...claim.responses,
    204: {
      description:
        "There is no task for this claim now, and the request prefers `return=minimal`. `Retry-After` says when to repeat it, and `X-Reason` has the `reason` of the 404.",
      headers: {
        "retry-after": {
          schema: { type: "integer" },
          required: true,
          description: "The seconds to wait before the next claim."
        },
        "x-reason": { schema: { type: "string" }, required: true, description: "Why there is no task." }
      }
    }
  }
})
