/** The answers that no endpoint gives: to a request that does not fit, to an unknown route, and to a defect. */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { HostNotAllowed, OriginNotAllowed } from "../api/access/Origin.ts"
import { InvalidRequest, RequestErrors, Required } from "../api/InvalidRequest.ts"
import { Unauthorized } from "../domain/access/Caller.ts"
import { DatabaseUnavailable } from "../domain/DatabaseUnavailable.ts"
import { ErrorText } from "../domain/Encoding.ts"
import { excerpt, MaxRepeated } from "../domain/Excerpt.ts"
import { excessOf, TooLarge } from "../domain/Size.ts"
import { isDecodable } from "../domain/WellFormed.ts"
import { Access } from "../services/access/Access.ts"
import { isTooBig, TransientFailure } from "../sql/Database.ts"
import { NeededMigration, Unmigrated } from "../sql/upkeep/SchemaVersion.ts"
import { identify } from "./access/Authorization.ts"
import { methodsOf } from "./Endpoints.ts"
import { Garbled } from "./request/Body.ts"

// The answer lists the first wrong fields only, and shortens each message.
const MaxIssues = 50
const MaxIssue = 300

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const segment = (part: PropertyKey | { readonly key: PropertyKey }): string | number => {
  const key = typeof part === "object" ? part.key : part
  return typeof key === "number" ? key : excerpt(String(key), MaxIssue)
}

const places: Record<string, string> = { Payload: "body", Query: "query", Params: "path", Headers: "headers" }

/** The sentence that clients expect for missing or empty fields, with the names of these fields. */
const missing = (
  required: Context.Service.Shape<typeof Required>,
  issues: InvalidRequest["issues"]
): string | undefined => {
  const inBody = issues.filter(({ path }) => path[0] === "body")
  const noObject = inBody.some(({ message, path }) => path.length === 1 && !message.includes("valid JSON"))
  const absent = new Set(
    inBody.filter(({ message }) => /^Missing key|at least 1\b|got (null|0|false|"")$/.test(message)).map(({ path }) =>
      path[1]
    )
  )
  for (const { error, fields } of required) {
    const names = fields.filter((field) => noObject || absent.has(field))
    if (names.length > 0) return fields.length === 1 ? error : error.replace(/: .*/, `: ${names.join(", ")}`)
  }
  return undefined
}

const sentence = (issues: InvalidRequest["issues"]) =>
  issues.map(({ message, path }) => `${path.join(".")}: ${message}`).join("; ")

export const RequestErrorsLayer = HttpApiMiddleware.layerSchemaErrorTransform(RequestErrors, (error, { endpoint }) => {
  // If the answer cannot be encoded, the server is at fault: a defect, and a 500.
  if (error.kind === "Body" || error.kind === "ResponseHeaders") return Effect.fail(error)
  // A name in a path or a query that is too long is wrong, like any other that does not fit.
  const excess = error.kind === "Payload" ? excessOf(error.cause.issue) : undefined
  if (excess !== undefined) return Effect.fail(excess)
  const issues = format(error.cause.issue).issues.slice(0, MaxIssues).map((issue) => ({
    path: [places[error.kind] ?? error.kind, ...(issue.path ?? []).map(segment)],
    message: excerpt(issue.message, MaxIssue)
  }))
  const fields = sentence(issues)
  const known = missing(Context.get(endpoint.annotations, Required), issues)
  return Effect.fail(
    new InvalidRequest({ error: known === undefined ? fields : `${known} (${fields})`, issues })
  )
})

const answer = (status: number, tag: string, error: string, extra: Record<string, unknown> = {}) =>
  HttpServerResponse.jsonUnsafe({ _tag: tag, error: Schema.encodeSync(ErrorText)(error), ...extra }, { status })

/** The answer to a request that is refused because of its origin or host. A cache must not give it to another page. */
export const refuse = ({ _tag, error }: HostNotAllowed | OriginNotAllowed) =>
  HttpServerResponse.setHeader(answer(403, _tag, error), "vary", "Origin")

/** The answer to an unreadable part of a request, in the form of an `InvalidRequest`. */
const unreadable = (error: string, issues: InvalidRequest["issues"] = [{ path: ["body"], message: error }]) =>
  answer(400, "InvalidRequest", error, { issues })

const pathMessage = "The path is not valid percent-encoded UTF-8."

/** The answer to a compressed body: the server does not read those. */
export const encoded = (method: string, encoding: string | undefined) =>
  ["POST", "PUT", "PATCH"].includes(method) &&
    !(encoding ?? "").split(",").every((coding) => ["", "identity"].includes(coding.trim().toLowerCase()))
    ? answer(
      415,
      "EncodingNotSupported",
      "The server reads no compressed bodies: send the body as it is, without Content-Encoding."
    )
    : undefined

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])

/**
 * The answer to a request that the router cannot match. The router fails here before it tries any route, also the
 * fallback.
 */
export const unroutable = (method: string, path: string): HttpServerResponse.HttpServerResponse | undefined =>
  !methods.has(method)
    ? answer(405, "MethodNotAllowed", "The server knows no such method.")
    : isDecodable(path)
    ? undefined
    : unreadable(pathMessage, [{ path: ["path"], message: pathMessage }])

/** The answer to a path or method that no endpoint has. */
const unmatched = Effect.gen(function*() {
  const { method, url } = yield* HttpServerRequest.HttpServerRequest
  const path = new URL(url, "http://server").pathname
  const allowed = methodsOf(path)
  if (allowed.length > 0) {
    return HttpServerResponse.setHeader(
      answer(405, "MethodNotAllowed", `${method} is not allowed here. Allowed: ${allowed.join(", ")}.`, { allowed }),
      "allow",
      allowed.join(", ")
    )
  }
  return answer(404, "RouteNotFound", "Not Found", {
    message: `Endpoint ${method} ${
      excerpt(path, MaxRepeated)
    } not found. GET / lists the endpoints, and /docs describes them.`,
    timestamp: DateTime.formatIso(yield* DateTime.now)
  })
})

const tryLater = ({ error, retry_after_seconds }: DatabaseUnavailable) =>
  HttpServerResponse.setHeader(
    answer(503, "DatabaseUnavailable", error, { retry_after_seconds }),
    "retry-after",
    String(retry_after_seconds)
  )

/** The answer to a request that needs a migration which the database lacks. */
const unmigrated = ({ migration }: Unmigrated) =>
  Effect.logError("the database lacks a migration").pipe(
    Effect.annotateLogs({ migration, needed_migration: NeededMigration }),
    Effect.as(tryLater(DatabaseUnavailable.unmigrated()))
  )

/** The answer if D1 fails. It depends on what the request was to do whether the client may repeat it. */
const unavailable = Effect.fnUntraced(function*({ cause, retryAfterSeconds }: TransientFailure) {
  const { headers, method } = yield* HttpServerRequest.HttpServerRequest
  const problem = DatabaseUnavailable.of(
    method === "GET" || method === "HEAD"
      ? "reads"
      : method === "POST" && headers["idempotency-key"] !== undefined
      ? "under a key"
      : "changes",
    retryAfterSeconds
  )
  yield* Effect.logWarning("the database is unavailable", cause)
  return tryLater(problem)
})

const tooLarge = ({ error, field, limit, size }: TooLarge) => answer(413, "TooLarge", error, { field, limit, size })

/** The answer to a defect: an unreadable body, a failure of D1, or a mistake of the server. */
export const answerDefect = (defect: unknown) => {
  if (HttpServerError.isHttpServerError(defect) && defect.reason._tag === "RequestParseError") {
    return Effect.succeed(
      defect.reason.reason === "BodyTooLarge"
        ? answer(413, "BodyTooLarge", "The body is larger than 1 MiB.")
        : unreadable("The body cannot be read.")
    )
  }
  if (defect instanceof Garbled) return Effect.succeed(unreadable(sentence(defect.issues), defect.issues))
  if (defect instanceof TransientFailure) return unavailable(defect)
  if (defect instanceof Unmigrated) return unmigrated(defect)
  if (defect instanceof TooLarge) return Effect.succeed(tooLarge(defect))
  // The batch had no effect. Only a request with a body can make a record larger.
  if (isTooBig(defect)) {
    return Effect.as(Effect.logWarning("a record would be too large", defect), tooLarge(TooLarge.record()))
  }
  // JSON that nests tens of thousands of levels deep exhausts the stack before any check runs.
  if (defect instanceof RangeError) return Effect.succeed(unreadable("The body nests too deeply."))
  return Effect.as(
    Effect.logError("request failed", defect),
    answer(500, "InternalError", "Internal Server Error: the server made a mistake, and has logged it.")
  )
}

/**
 * The answer where no endpoint matches. Below `/api/v1` a caller without a valid key is refused, so it does not learn
 * which paths exist.
 */
export const unanswered = Effect.map(Access, (access) =>
  Effect.gen(function*() {
    const { url } = yield* HttpServerRequest.HttpServerRequest
    if (new URL(url, "http://server").pathname.startsWith("/api/v1/")) yield* identify(access, Unauthorized.missing)
    return yield* unmatched
  }).pipe(Effect.catchTags({
    Unauthorized: ({ error }) => Effect.succeed(answer(401, "Unauthorized", error)),
    TooManyFailures: ({ error, retry_after_seconds }) =>
      Effect.succeed(answer(429, "TooManyFailures", error, { retry_after_seconds }))
  })))

export const FallbackLayer = Layer.unwrap(Effect.map(unanswered, (fallback) =>
  // HEAD is not listed: the router answers it as GET if nothing else matches.
  HttpRouter.addAll(
    (["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const).map((method) =>
      HttpRouter.route(method, "/*", fallback)
    )
  )))
