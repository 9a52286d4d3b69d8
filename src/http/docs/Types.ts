/** JSON Schemas for readers: in one line, and as a table of fields. */
import { type Html, html, join, prose } from "./Html.ts"

/** The parts of a JSON Schema that the documentation shows. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | ReadonlyArray<string>
  readonly description?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly oneOf?: ReadonlyArray<JsonSchema>
  readonly allOf?: ReadonlyArray<JsonSchema>
  readonly items?: JsonSchema | false
  readonly properties?: Record<string, JsonSchema>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: JsonSchema | boolean
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
}

/** The name of a component. Effect names the wire form of a class `TaskNotFoundEncoded`. */
export const nameOf = (component: string) => component.replace(/^.*\//, "").replace(/Encoded$/, "")

const alternatives = (schema: JsonSchema): ReadonlyArray<JsonSchema> =>
  (schema.anyOf ?? schema.oneOf)?.flatMap(alternatives) ?? [schema]

const single = (schema: JsonSchema): Html => {
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref)
    return html`<a href="#schema-${name}">${name}</a>`
  }
  if (schema.enum !== undefined) return join(schema.enum.map((value) => html`${JSON.stringify(value)}`), " | ")
  if (schema.properties !== undefined) return shapeOf(schema)
  if (typeof schema.additionalProperties === "object") return html`{ [name]: ${typeOf(schema.additionalProperties)} }`
  if (schema.type === "array") {
    const items = schema.items || {}
    return alternatives(items).length > 1 ? html`(${typeOf(items)})[]` : html`${typeOf(items)}[]`
  }
  return html`${[schema.type ?? "any"].flat().join(" | ")}`
}

/** The type in one line: `string | null`, `Task[]`, `{ path: string[], message: string }`. */
export const typeOf = (schema: JsonSchema): Html => {
  const lines = new Map(alternatives(schema).map(single).map((line) => [line.text, line]))
  return join([...lines.values()], " | ")
}

/** An object in one line. */
export const shapeOf = ({ properties = {}, required = [] }: JsonSchema): Html => {
  const fields = Object.entries(properties).map(([name, field]) =>
    html`${name}${required.includes(name) ? "" : "?"}: ${typeOf(field)}`
  )
  return html`{ ${join(fields, ", ")} }`
}

const shown = (limit: number | undefined) =>
  limit === undefined || Math.abs(limit) >= 999_999_999_999_999 ? undefined : limit

const limitsOf = (schema: JsonSchema): string =>
  [schema, ...schema.allOf ?? []].flatMap((part) => {
    const [least, most] = [shown(part.minimum), shown(part.maximum)]
    return [
      part.format,
      part.minLength === 1 && part.maxLength === undefined ? "not empty" : undefined,
      part.maxLength === undefined ? undefined : `${part.minLength ?? 0} to ${part.maxLength} characters`,
      part.exclusiveMinimum === undefined ? undefined : `more than ${part.exclusiveMinimum}`,
      least === undefined ? undefined : `at least ${least}`,
      most === undefined ? undefined : `at most ${most}`
    ]
  }).filter((limit) => limit !== undefined).join(", ")

/** The limits of a field, from all its alternatives. */
const limits = (schema: JsonSchema) => {
  const all = new Set(alternatives(schema).map(limitsOf).filter((limit) => limit !== ""))
  return all.size === 0 ? undefined : html` <small>${[...all].join("; ")}</small>`
}

const described = (schema: JsonSchema): string | undefined =>
  schema.description ?? alternatives(schema).find(({ description }) => description !== undefined)?.description

export interface Field {
  readonly name: string
  readonly schema: JsonSchema
  readonly required: boolean
  readonly place?: string
}

/** A row for each field. */
export const table = (fields: ReadonlyArray<Field>): Html =>
  html`<div class="scroll"><table>${
    fields.map(({ name, place, required, schema }) =>
      html`<tr><th scope="row"><code>${name}</code>${required ? html` <em>required</em>` : ""}${
        place === undefined ? "" : html` <small>${place}</small>`
      }</th><td><code>${typeOf(schema)}</code>${limits(schema)}</td><td>${prose(described(schema))}</td></tr>`
    )
  }</table></div>`

/** The fields of an object, or of each object that the schema allows, and the other types it allows. */
export const fieldsOf = (schema: JsonSchema): Html =>
  html`${
    alternatives(schema).map((option) =>
      option.properties === undefined
        ? html`<p><code>${typeOf(option)}</code></p>`
        : table(
          Object.entries(option.properties).map(([name, field]) => ({
            name,
            schema: field,
            required: option.required?.includes(name) === true
          }))
        )
    )
  }`
