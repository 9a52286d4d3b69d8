/** What a request of an endpoint looks like: for a shell, and in TypeScript. */
import type { Endpoint } from "./Endpoint.ts"
import type { JsonSchema } from "./Types.ts"

type Components = Record<string, JsonSchema>

/** How deep an example goes. A field that is deeper is an empty object. */
const MaxDepth = 4

const text = (schema: JsonSchema, name: string): string =>
  schema.format === "date-time" || name === "until" || name.endsWith("_at")
    ? "2026-12-24T18:00:00Z"
    : schema.format === "date"
    ? "2026-12-24"
    : name === "url"
    ? "https://example.com/hook"
    : name === "id"
    ? "my-id"
    : `my-${name.replaceAll("_", "-")}`

/** An example of a value: of an object, the fields that are required. */
export const exampleOf = (schema: JsonSchema, components: Components, name = "value", depth = 0): unknown => {
  if (schema.$ref !== undefined) {
    return exampleOf(components[schema.$ref.replace(/^.*\//, "")] ?? {}, components, name, depth)
  }
  if (schema.enum !== undefined) return schema.enum[0]
  const options = schema.anyOf ?? schema.oneOf
  if (options !== undefined) {
    const option = options.find((one) => one.$ref !== undefined || one.properties !== undefined) ??
      options.find(({ type }) => type !== "null") ?? {}
    return exampleOf(option, components, name, depth)
  }
  const [type] = [schema.type ?? (schema.properties === undefined ? "string" : "object")].flat()
  switch (type) {
    case "object":
      return depth > MaxDepth ? {} : Object.fromEntries(
        (schema.required ?? []).map((field) => [
          field,
          exampleOf(schema.properties?.[field] ?? {}, components, field, depth + 1)
        ])
      )
    case "array":
      return depth > MaxDepth || !schema.items ? [] : [exampleOf(schema.items, components, name, depth + 1)]
    case "integer":
    case "number":
      return Math.max(1, ...[schema, ...schema.allOf ?? []].map(({ minimum = 1 }) => minimum))
    case "boolean":
      return true
    default:
      return text(schema, name)
  }
}

export interface Sample {
  readonly method: string
  readonly path: string
  /** The body; undefined if the endpoint takes none. */
  readonly body: unknown
}

/** A request to the endpoint with the required fields only. */
export const sampleOf = ({ method, operation, path }: Endpoint, components: Components): Sample => {
  const example = (place: string) =>
    operation.parameters.filter((parameter) => parameter.in === place).map(({ name, required, schema }) => ({
      name,
      required,
      value: String(exampleOf(schema as JsonSchema, components, name))
    }))
  const filled = example("path").reduce((all, { name, value }) => all.replace(`{${name}}`, value), path)
  const query = new URLSearchParams(
    example("query").filter(({ required }) => required).map(({ name, value }): [string, string] => [name, value])
  )
  const schema = operation.requestBody?.content["application/json"]?.schema
  return {
    method: method.toUpperCase(),
    path: query.size === 0 ? filled : `${filled}?${query}`,
    body: schema === undefined ? undefined : exampleOf(schema as JsonSchema, components)
  }
}

/** An argument of a shell. */
const quoted = (argument: string) => `'${argument.replaceAll("'", String.raw`'\''`)}'`

export const curlOf = ({ body, method, path }: Sample, isPublic: boolean): string =>
  [
    `curl${method === "GET" ? "" : ` -X ${method}`} "$OCTOPOID_URL${path}"`,
    ...(isPublic ? [] : [`-H "Authorization: Bearer $OCTOPOID_API_KEY"`]),
    ...(body === undefined ? [] : [`-H "Content-Type: application/json"`, `-d ${quoted(JSON.stringify(body))}`])
  ].join(" \\\n  ")

export const typeScriptOf = ({ body, method, path }: Sample, isPublic: boolean): string => {
  const headers = [
    ...(isPublic ? [] : ["    authorization: `Bearer ${process.env.OCTOPOID_API_KEY}`"]),
    ...(body === undefined ? [] : [`    "content-type": "application/json"`])
  ]
  return [
    `const response = await fetch(\`\${process.env.OCTOPOID_URL}${path}\`, {`,
    [
      `  method: "${method}"`,
      ...(headers.length === 0 ? [] : [`  headers: {\n${headers.join(",\n")}\n  }`]),
      ...(body === undefined
        ? []
        : [`  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll("\n", "\n  ")})`])
    ].join(",\n"),
    "})",
    "if (!response.ok) throw new Error(await response.text())",
    "console.log(await response.text())"
  ].join("\n")
}
