/** A request taken apart where it is bytes: bodies that are no JSON, URLs that are no paths, methods and headers nobody expects. */
import type { Chance } from "../support/Chance.ts"
import { spoiled } from "./Bodies.ts"
import * as OddHeaders from "./OddHeaders.ts"
import type { Request } from "./Request.ts"
import * as Values from "./Values.ts"

type Part = (request: Request, random: Chance) => Partial<Request>

const targets: ReadonlyArray<(path: string, query: string, random: Chance) => string> = [
  (path, query) => `${path}/${query}`,
  (path, query) => `/${path}${query}`,
  (path, query) => `${path.replaceAll("/", "//")}${query}`,
  (path, query) => `${path.toUpperCase()}${query}`,
  (path, query, random) => `${path}/${encodeURIComponent(random.pick(["x", "..", "messages", "💥"]))}${query}`,
  (path, query) => `${path.slice(0, path.lastIndexOf("/"))}${query}`,
  (path, query) => `${path}/../..${query}`,
  (path, query) => `${path}/%2e%2e/.${query}`,
  (path, query) => `${path};a=b${query}`,
  (path, query, random) =>
    `${path}${random.pick(["%", "%zz", "%ff%fe", "%00", "%c0%af", "%ed%a0%80", "%2f", "%5c", "\\", "%0d%0a"])}${query}`,
  (path, query, random) => `${path.replace(/[^/]+$/, "")}${"a".repeat(random.pick([999, 1000, 1001, 8000]))}${query}`,
  (path, _, random) =>
    `${path}?${
      random.pick([
        "&&==&",
        "?",
        "=",
        "%",
        "a=%ff",
        "limit=1&scope=%ed%a0%80",
        "claimed_by=%f0%9f%90&limit=1",
        "%c0%af=1",
        "__proto__[x]=1",
        "constructor=1",
        "scope",
        "limit=%00",
        "+=+",
        "a;b"
      ])
    }`,
  (path, _, random) => `${path}?${"limit=1&".repeat(random.pick([2, 1000]))}`,
  (path, _, random) => `${path}?${random.pick(["scope", "queue", "x"])}=${"a".repeat(random.pick([201, 4000, 7000]))}`,
  (_, __, random) =>
    random.pick([
      "/",
      "//",
      "///",
      "//[",
      "//a:b/",
      "/\\",
      "/*",
      "/api",
      "/api/v1",
      "/api/v1/",
      "/openapi.json",
      "/docs",
      "/favicon.ico",
      "/.env",
      "/api/v2/tasks"
    ])
]

const methods = [
  "PUT",
  "PATCH",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "GET",
  "POST",
  "PROPFIND",
  "PURGE",
  "M-SEARCH",
  "LOCK",
  "X"
]

const withBody: Part = ({ body, headers, method }, random) => {
  const text = body === undefined ? "{\"id\":\"g\",\"file_path\":\"g\"}" : Buffer.from(body).toString()
  return {
    method: method === "GET" ? "POST" : method,
    headers: body === undefined ? [...headers, ["content-type", "application/json"]] : headers,
    body: spoiled(text, random)
  }
}

const withTarget: Part = ({ target }, random) => {
  const [path = "", ...query] = target.split("?")
  return { target: random.pick(targets)(path, query.length === 0 ? "" : `?${query.join("?")}`, random) }
}

const withMethod: Part = (_, random) => ({ method: random.pick(methods) })

const withHeaders: Part = ({ headers }, random) => ({
  headers: [...headers, ...random.pick(OddHeaders.headers)(random)]
})

/**
 * An invalid token, or two tokens, make an unknown caller. Each comes from its own address, so that few are
 * rate-limited.
 */
const withAuthorization: Part = ({ caller, headers }, random) => ({
  caller: random.happens(0.2) ? caller : "nobody",
  headers: [
    ...headers,
    [
      "authorization",
      random.happens(0.3)
        ? Values.string(random).replace(/[^\u0020-\u007e]/g, "")
        : random.pick(OddHeaders.authorizations)
    ],
    ["cf-connecting-ip", `10.${random.between(0, 255)}.${random.between(0, 255)}.${random.between(0, 255)}`]
  ]
})

const parts = [
  withBody,
  withBody,
  withBody,
  withTarget,
  withTarget,
  withMethod,
  withHeaders,
  withAuthorization
] as const

export const spoil = (request: Request, random: Chance): Request => {
  const once = { ...request, ...random.pick(parts)(request, random) }
  return random.happens(0.25) ? { ...once, ...random.pick(parts)(once, random) } : once
}
