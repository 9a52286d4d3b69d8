/** The documentation as one page that needs nothing else. */
import type { OpenAPISpec, OpenApiSpecContent, OpenAPISpecOperation } from "effect/http-api/OpenApi"
import { type Html, html, prose } from "./Html.ts"
import { css } from "./Style.ts"
import { fieldsOf, type JsonSchema, nameOf, shapeOf, table, typeOf } from "./Types.ts"

interface Endpoint {
  readonly method: string
  readonly path: string
  readonly operation: OpenAPISpecOperation
}

const methods = ["get", "post", "put", "patch", "delete"] as const

const endpointsOf = ({ paths }: OpenAPISpec): ReadonlyArray<Endpoint> =>
  Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ method, path, operation }]
    })
  )

const badge = (method: string) => html`<span class="method ${method}">${method.toUpperCase()}</span>`

/** Every body of a request or response, with its media type where that is not JSON. */
const bodies = (content: OpenApiSpecContent | undefined, show: (schema: JsonSchema) => Html) =>
  Object.entries(content ?? {}).map(([type, { schema }]) =>
    html`${type === "application/json" ? "" : html`<p class="dim">${type}</p>`}${show(schema as JsonSchema)}`
  )

/** Errors are short, so their bodies are shown in place, each below what it means. */
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

const success = (schema: JsonSchema) =>
  schema.properties === undefined ? html`<p><code>${typeOf(schema)}</code></p>` : fieldsOf(schema)

const endpoint = ({ method, operation, path }: Endpoint, components: Record<string, JsonSchema>) =>
  html`<details><summary>${badge(method)}<code>${path}</code><span>${prose(operation.summary)}</span></summary>
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
  }${operation.requestBody === undefined ? "" : html`<h4>Body</h4>${bodies(operation.requestBody.content, fieldsOf)}`}
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
</div></details>
`

export const render = (spec: OpenAPISpec): string => {
  const components = spec.components.schemas as Record<string, JsonSchema>
  const endpoints = endpointsOf(spec)
  const groups = spec.tags.map((tag) => ({
    ...tag,
    endpoints: endpoints.filter(({ operation }) => operation.tags.includes(tag.name))
  }))
  const schemas = Object.keys(components).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)))
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${spec.info.title} ${spec.info.version}</title>
<style>${css}</style>
</head>
<body>
<header>
<h1>${spec.info.title} <small>${spec.info.version}</small></h1>
<p>${prose(spec.info.description)}</p>
<p>For programs: <a href="/openapi.json">OpenAPI ${spec.openapi}</a>. A body is sent as <code>application/json</code>.</p>
</header>
<nav>
${
    groups.map((group) =>
      html`<strong>${group.name}</strong>
<ul>${
        group.endpoints.map(({ method, operation }) =>
          html`<li>${badge(method)} <a href="#${operation.operationId}">${
            operation.summary ?? operation.operationId
          }</a></li>`
        )
      }</ul>
`
    )
  }<a href="#schemas"><strong>Schemas</strong></a>
</nav>
<main>
${
    groups.map((group) =>
      html`<section><h2>${group.name}</h2><p>${prose(group.description)}</p>
${group.endpoints.map((one) => endpoint(one, components))}</section>
`
    )
  }<section><h2 id="schemas">Schemas</h2>
${
    schemas.map((component) =>
      html`<details><summary><code>${nameOf(component)}</code></summary><div id="schema-${nameOf(component)}">
<p>${prose(components[component]?.description)}</p>
${fieldsOf(components[component] ?? {})}
</div></details>
`
    )
  }</section>
</main>
</body>
</html>
`.text
}
