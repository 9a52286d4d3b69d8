/** The documentation as one page that loads nothing else. */
import type { OpenAPISecurityScheme, OpenAPISpec } from "effect/http-api/OpenApi"
import { badge, type Endpoint, endpoint } from "./Endpoint.ts"
import { html, prose } from "./Html.ts"
import { searchScript } from "./Search.ts"
import { css } from "./Style.ts"
import { fieldsOf, type JsonSchema, nameOf } from "./Types.ts"

const methods = ["get", "post", "put", "patch", "delete"] as const

const endpointsOf = ({ paths }: OpenAPISpec): ReadonlyArray<Endpoint> =>
  Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method]
      return operation === undefined ? [] : [{ method, path, operation }]
    })
  )

/** The section about authentication. */
const authentication = (schemes: Record<string, OpenAPISecurityScheme>) =>
  Object.values(schemes).map((scheme) =>
    html`<section><h2 id="authentication">Authentication</h2>
<p>${scheme.type === "http" ? html`<code>Authorization: ${scheme.scheme} &lt;key&gt;</code>` : ""}</p><p>${
      prose(scheme.description)
    }</p>
<p>Without a key, a server with a secret answers only the endpoints that are marked <small>public</small>.</p></section>
`
  )

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
<p>For programs: <a href="openapi.json">OpenAPI ${spec.openapi}</a>. A body is sent as <code>application/json</code>. <a href="app/">The page for people</a></p>
<form role="search" hidden><label>Search <input id="search" type="search" autocomplete="off" placeholder="claim, 409, lease_expires_at …"></label>
<span id="found" role="status"></span></form>
</header>
<nav aria-label="Endpoints">
<p><a href="#authentication"><strong>Authentication</strong></a></p>
${
    groups.map((group) =>
      html`<p><strong>${group.name}</strong></p>
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
${authentication(spec.components.securitySchemes)}${
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
${searchScript}
</body>
</html>
`.text
}
