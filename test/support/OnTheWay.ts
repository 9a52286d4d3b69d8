/** Answers that something between client and server gives in place of the server's. None of them settles anything. */

/** What comes in place of an answer, which is given as the server made it. */
export type Page = (answer: { readonly status: number; readonly text: string }) => Response

const html = "<!doctype html><title>Sign in</title><p>You are offline."

const page =
  (status: number, type: string | undefined, body: string | null, headers: Record<string, string> = {}): Page => () => {
    const answer = new Response(body, { status, headers })
    if (type === undefined) answer.headers.delete("content-type")
    else answer.headers.set("content-type", type)
    return answer
  }

const json = "application/json"

export const pages: Readonly<Record<string, Page>> = {
  "a captive portal's page": page(200, "text/html; charset=utf-8", html),
  "a page that says 201": page(201, "text/html", html),
  "an empty page": page(200, undefined, null),
  "an empty body that is called JSON": page(200, json, ""),
  "no content": page(204, undefined, null),
  "JSON of another service": page(200, json, JSON.stringify({ ok: true, data: [] })),
  "JSON null": page(200, json, "null"),
  "a list": page(200, json, "[]"),
  "JSON that is cut": ({ status, text }) =>
    new Response(text.slice(0, Math.floor(text.length / 2)), { status, headers: { "content-type": json } }),
  "the answer, called a page": ({ status, text }) =>
    new Response(text, { status, headers: { "content-type": "text/html" } }),
  "a firewall's 403": page(403, "text/html", html),
  "a gateway's 403 in JSON": page(403, json, JSON.stringify({ message: "Forbidden" })),
  "a gateway's 401": page(401, "text/html", html, { "www-authenticate": "Basic" }),
  "a 400 without a tag": page(400, json, JSON.stringify({ error: "Bad Request" })),
  "a 409 without a tag": page(409, json, JSON.stringify({ error: "Conflict" })),
  "one of our tags under another status": page(403, json, JSON.stringify({ _tag: "LeaseLost", error: "It is over." })),
  "a 404 page": page(404, "text/html", html),
  "a 413 page": page(413, "text/html", html),
  "a 429 that says when": page(429, "text/html", html, { "retry-after": "2" }),
  "a bad gateway": page(502, "text/html", html),
  "maintenance that says when": page(503, "text/html", html, { "retry-after": "1" }),
  "maintenance that names an instant": page(503, "text/plain", "soon", {
    "date": "Thu, 01 Jan 2026 00:00:00 GMT",
    "retry-after": "Thu, 01 Jan 2026 00:00:01 GMT"
  }),
  "a 500 without a tag": page(500, json, "{}"),
  "a status of its own": page(520, "text/html", html)
}

export const names: ReadonlyArray<string> = Object.keys(pages)
