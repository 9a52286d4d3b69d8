/** The requirements of every answer: it arrives, it is declared, and it reveals nothing of others. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js"
import { foreignOrigins } from "../support/origins.ts"
import type { Document, Operation, Schema } from "./Document.ts"
import * as Kept from "./Kept.ts"
import type { Answer, Request } from "./Request.ts"
import { Closed } from "./Transport.ts"

/** In every text of the victim's records, and in nothing that anybody else sends. */
export const Canary = "c4nary-that-must-not-be-heard"

// What no route answers: the library's answer to a preflight, and pages that are no part of the API.
const preflight = ({ method }: Request, { status, text }: Answer) =>
  method === "OPTIONS" && status === 204 && text === ""
const pages = new Map([
  ["/docs", "text/html"],
  ["/docs/", "text/html"],
  ["/favicon.ico", "image/x-icon"],
  ["/openapi.json", "application/json"]
])

/** Whether the answer is of a type besides JSON that the operation declares. */
const isText = (declared: Operation["responses"][number] | undefined, { headers }: Answer): boolean => {
  const type = headers.get("content-type")
  return type !== null && !type.startsWith("application/json") && declared?.content?.[type] !== undefined
}

/**
 * What workerd answers by itself, so that no Worker ever sees the request: methods that its parser does not know, and
 * heads that are larger than it reads.
 */
const refusedByPlatform = ({ headers: sent, method, target }: Request, { headers, status }: Answer) =>
  headers.get("content-type")?.startsWith("text/plain") === true &&
  ((status === 501 && ["M-SEARCH", "X"].includes(method)) ||
    ([414, 431].includes(status) && target.length + JSON.stringify(sent).length > 8000))

/** Words that clients take for a server they cannot reach, and what only the inside of the server says. */
const offline = /network|timeout|fetch failed|econnrefused|enotfound|etimedout/i
const inside = /SQLITE|D1_|constraint failed|\bat \S+ \(|node_modules|\.ts:\d+|RangeError|TypeError|SyntaxError/

const parsed = (text: string): any => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const undeclared = new Set([400, 401, 403, 404, 405, 415, 429])

const foreign = new Set<string>(foreignOrigins)

/** Whether a page of another origin sends it, which an open server refuses. */
export const isOfForeignPage = ({ headers }: Pick<Request, "headers">): boolean => {
  const origins = headers.flatMap(([name, value]) => name === "origin" ? [value] : [])
  const site = headers.some(([name, value]) => name === "sec-fetch-site" && /^(cross|same)-site$/.test(value))
  return origins.length === 0 ? site : origins.length > 1 || foreign.has(origins[0]!)
}

/** The `$ref`s of a schema are of the document. */
const absolute = (schema: Schema): Schema =>
  JSON.parse(JSON.stringify(schema).replaceAll("#/components/schemas/", "openapi#/$defs/"))

/** Longer than any error has reason to be: what a request says is repeated in part. */
const LongestError = 20_000

const ofError = (body: any, problems: Array<string>) => {
  if (typeof body?._tag !== "string") problems.push("the error has no _tag")
  if (typeof body?.error !== "string" || body.error.trim() === "") problems.push("the error has no sentence")
  else {
    if (offline.test(body.error)) problems.push(`the sentence sounds as if the server were away: ${body.error}`)
    if (inside.test(body.error)) problems.push(`the sentence tells of the inside: ${body.error}`)
  }
}

export const make = (
  document: Document,
  spec: { readonly components: { readonly schemas: object } },
  open: boolean
) => {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: false, validateSchema: false })
  ajv.addSchema(absolute({ $id: "openapi", $defs: spec.components.schemas }))
  const validators = new Map<Schema, ValidateFunction>()

  const validator = (schema: Schema) => {
    const known = validators.get(schema) ?? ajv.compile(absolute(schema))
    validators.set(schema, known)
    return known
  }

  const ofOperation = (operation: Operation, request: Request, answer: Answer, problems: Array<string>) => {
    const declared = operation.responses[answer.status]
    if (declared === undefined) {
      problems.push(`${operation.name} declares no ${answer.status}`)
      return
    }
    for (const [name, { required, schema }] of Object.entries(declared.headers ?? {})) {
      const value = answer.headers.get(name)
      const typed = schema.type === "integer" ? Number(value) : value
      if (value === null ? required : !validator(schema)(typed)) problems.push(`the header ${name} is ${value}`)
    }
    if (request.method === "HEAD") return
    const schema = declared.content?.["application/json"]?.schema
    if (isText(declared, answer)) return
    if (schema === undefined) {
      if (answer.text !== "") problems.push("a body is not declared")
      return
    }
    const body = parsed(answer.text)
    if (body === undefined) {
      problems.push("the body is no JSON")
      return
    }
    const validate = validator(schema)
    if (!validate(body)) problems.push(`${operation.name} ${answer.status}: ${ajv.errorsText(validate.errors)}`)
  }

  /** The problem with an answer. `limited` says whether its caller may learn nothing of the victim. */
  return (request: Request, answer: Answer, limited: boolean): ReadonlyArray<string> => {
    const problems: Array<string> = []
    if (answer.status === Closed || refusedByPlatform(request, answer)) return problems
    const { headers, status, text } = answer
    // Slashes that are doubled count once.
    const pathname = new URL(`http://server${request.target}`).pathname.replace(/\/{2,}/g, "/")
    if (status >= 500) problems.push(`status ${status}`)
    if (limited && [text, ...headers.values()].some((part) => part.includes(Canary))) {
      problems.push("the answer has a text of the victim")
    }
    if (open && isOfForeignPage(request)) {
      if (status !== 403) problems.push(`a page of another origin is answered ${status}`)
      if (headers.has("access-control-allow-origin")) problems.push("a page of another origin may read the answer")
    }
    if (preflight(request, answer)) return problems
    problems.push(...Kept.problems(request, answer))
    if (status === 200 && pages.has(pathname)) {
      if (!headers.get("content-type")?.startsWith(pages.get(pathname)!)) problems.push("a page of another type")
      return problems
    }
    // A browser is answered with a page where a program is answered with JSON.
    if (pathname === "/" && status === 200 && headers.get("content-type")?.startsWith("text/html")) {
      if (!request.headers.some(([name, value]) => name === "accept" && /text\/html/i.test(value))) {
        problems.push("a page that was not asked for")
      }
      return problems
    }
    const operation = document.match(request.method, pathname)
    if (operation !== undefined) ofOperation(operation, request, answer, problems)
    else if (!undeclared.has(status)) problems.push(`no operation, and status ${status}`)
    if (isText(operation?.responses[status], answer)) return problems
    if (request.method === "HEAD") {
      if (text !== "") problems.push("HEAD is answered with a body")
      return problems
    }
    if (status !== 204 && headers.get("content-type")?.startsWith("application/json") !== true) {
      problems.push(`the content type is ${headers.get("content-type")}`)
    }
    if (status >= 400) {
      if (text.length > LongestError) problems.push(`the error is ${text.length} characters long`)
      ofError(parsed(text), problems)
    }
    return problems
  }
}
