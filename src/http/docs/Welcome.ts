/** The page that a browser gets at `/`: what the server is, and where to go next. */
import { html } from "./Html.ts"
import { css } from "./Style.ts"

export const welcome = (version: string, open: boolean): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Octopoid Server</title>
<style>${css}</style>
</head>
<body>
<h1>Octopoid Server <small>${version}</small></h1>
<p>Coordinates AI coding agents on many machines: they claim tasks here, hold them under a lease, and hand in results.</p>
<p>${
    open
      ? html`This server is <strong>open</strong>: it answers requests without a key. Set <code>API_SECRET_KEY</code> to close it.`
      : html`Requests below <code>/api/v1</code> need a key.`
  }</p>
<ul>
<li><a href="/docs">The API, for people</a></li>
<li><a href="/openapi.json">The API, for programs</a> (OpenAPI)</li>
<li><a href="/api/health">Whether the server and its database work</a></li>
</ul>
</body>
</html>
`.text

/** The weight of a media type in `Accept`, if the header names it. Browsers name `text/html`, programs do not. */
const weight = (accept: string, type: string): number => {
  for (const part of accept.toLowerCase().split(",")) {
    const [name, ...parameters] = part.split(";").map((text) => text.trim())
    if (name !== type) continue
    const q = parameters.find((parameter) => parameter.startsWith("q="))
    return q === undefined ? 1 : Number(q.slice(2)) || 0
  }
  return 0
}

/** Whether the client prefers a page to JSON. */
export const prefersPage = (accept: string | undefined): boolean => {
  const page = weight(accept ?? "", "text/html")
  return page > 0 && page >= weight(accept ?? "", "application/json")
}
