/** An endpoint for readers: its input and all its answers. */
import type { OpenApiSpecContent, OpenAPISpecOperation } from "effect/http-api/OpenApi"
import { DefaultRank } from "../../domain/access/Rank.ts"
import { type Html, html, prose } from "./Html.ts"
import { curlOf, sampleOf, typeScriptOf } from "./Samples.ts"
import { fieldsOf, type JsonSchema, shapeOf, table, typeOf } from "./Types.ts"

export interface Endpoint {
  readonly method: string
  readonly path: string
  readonly operation: OpenAPISpecOperation
}

export const badge = (method: string) => html`<span class="method ${method}">${method.toUpperCase()}</span>`

/** Every body of a request or response, with its media type if that is not JSON. */
const bodies = (content: OpenApiSpecContent | undefined, show: (schema: JsonSchema) => Html) =>
  Object.entries(content ?? {}).map(([type, { schema }]) =>
    html`${type === "application/json" ? "" : html`<p class="dim">${type}</p>`}${show(schema as JsonSchema)}`
  )

/** Bodies of errors are short. Each is shown below its meaning. */
const error = (components: Record<string, JsonSchema>, description: string) => (schema: JsonSchema) => {
  const options = schema.anyOf ?? [schema]
  // Effect joins the descriptions of the errors that share a status.
  const meanings = description.split(" | ")
  return html`${meanings.length === options.length ? "" : html`<p>${prose(description)}</p>`}${
    options.map((option, i) => {
      const component = components[option.$ref?.replace(/^.*\//, "") ?? ""]
      return html`<p>${meanings.length === options.length ? html`${prose(meanings[i])}<br>` : ""}<code>${
        typeOf(option)
      }${component === undefined ? "" : html` <span class="dim">${shapeOf(component)}</span>`}</code></p>`
    })
  }`
}

/** The fields of a body. The body may be a component. */
const fields = (components: Record<string, JsonSchema>) => (schema: JsonSchema) => {
  const component = schema.$ref === undefined ? undefined : components[schema.$ref.replace(/^.*\//, "")]
  return component === undefined
    ? fieldsOf(schema)
    : html`<p><code>${typeOf(schema)}</code></p>${fieldsOf(component)}`
}

const success = (schema: JsonSchema) =>
  schema.properties === undefined ? html`<p><code>${typeOf(schema)}</code></p>` : fieldsOf(schema)

/** The rank that a key needs, if it is not the default rank of a key. */
const rankOf = ({ "x-rank": rank }: OpenAPISpecOperation & { readonly "x-rank"?: string }) =>
  rank === undefined || rank === DefaultRank ? "" : html`<small>rank ${rank}</small>`

const samples = (endpoint: Endpoint, components: Record<string, JsonSchema>) => {
  const sample = sampleOf(endpoint, components)
  const isPublic = endpoint.operation.security.length === 0
  return html`<h4>Samples</h4>
<pre tabindex="0"><code class="curl">${curlOf(sample, isPublic)}</code></pre>
<pre tabindex="0"><code class="typescript">${typeScriptOf(sample, isPublic)}</code></pre>`
}

/** One endpoint, folded. */
export const endpoint = ({ method, operation, path }: Endpoint, components: Record<string, JsonSchema>) =>
  html`<details><summary>${badge(method)}<code>${path}</code><span>${prose(operation.summary)}</span>${
    operation.security.length === 0 ? html`<small>public</small>` : ""
  }${rankOf(operation)}</summary>
<div id="${operation.operationId}">
<p>${prose(operation.description)}</p>
${
    operation.parameters.length === 0 ?
      "" :
      html`<h4>Parameters</h4>${
        table(operation.parameters.map(({ description, in: place, name, required, schema }) => ({
          name,
          place,
          required,
          schema: description === undefined ? schema as JsonSchema : { ...schema as JsonSchema, description }
        })))
      }`
  }${
    operation.requestBody === undefined ?
      "" :
      html`<h4>Body${operation.requestBody.required ? "" : html` <small>may be left out</small>`}</h4>${
        bodies(operation.requestBody.content, fields(components))
      }`
  }
<h4>Responses</h4>
<dl>${
    Object.entries(operation.responses).map(([status, response]) =>
      html`<dt><strong>${status}</strong></dt><dd>${
        bodies(
          response.content,
          Number(status) < 400 ? success : error(components, response.description)
        )
      }${response.content === undefined ? prose(response.description) : ""}</dd>`
    )
  }</dl>
${samples({ method, operation, path }, components)}
</div></details>
`
