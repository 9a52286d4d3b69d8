/**
 * The lists that show every scope: they go from scope to scope, by name, until the page is full. A list that fits on
 * one page is in the order that it has on D1; a longer one is in that order only within each scope.
 */
import { MaxLimit, MaxPageBytes } from "../domain/Page.ts"
import { Release } from "../domain/Release.ts"
import type { ExportPage } from "../domain/transfer/Export.ts"
import { isEncodedUtf8 } from "../domain/WellFormed.ts"
import { tagsOf } from "../http/request/Conditional.ts"
import type { ControlStub } from "./Control.ts"
import * as Exposition from "./Exposition.ts"
import type { List } from "./Route.ts"

interface Stub {
  readonly fetch: (request: Request) => Promise<Response>
}

interface Asking {
  readonly request: Request
  readonly path: string
  readonly query: URLSearchParams
  readonly objects: {
    readonly control: () => Pick<ControlStub, "scopes">
    readonly scope: (name: string) => Stub
    readonly nobody: () => Stub
  }
}

/** How many scopes a page looks at. Its cursor leads to the others. */
export const MaxVisited = 200

/** How many scopes are asked at a time for what is short. Pages are read one after the other: each may have 4 MB. */
const AtOnce = 20

const hex = (bytes: ArrayBuffer) =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("")
export const sha256 = async (text: string) => hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))

type Row = Readonly<Record<string, string>>

interface Place {
  readonly scope: string
  /** The cursor within the scope; null at its beginning. */
  readonly inner: string | null
  readonly total: number
  readonly offset: number
}

const encode = ({ inner, offset, scope, total }: Place): string =>
  btoa(encodeURIComponent(JSON.stringify(["every", scope, inner, total, offset])))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

/** The place that the cursor names; undefined if the cursor is none of these lists. */
const decode = (text: string): Place | undefined => {
  try {
    const value: unknown = JSON.parse(decodeURIComponent(atob(text.replaceAll("-", "+").replaceAll("_", "/"))))
    if (!Array.isArray(value) || value.length !== 5) return undefined
    const [every, scope, inner, total, offset] = value
    return every === "every" && typeof scope === "string" && (inner === null || typeof inner === "string")
        && Number.isSafeInteger(total) && Number.isSafeInteger(offset)
      ? { scope, inner, total, offset }
      : undefined
  } catch {
    return undefined
  }
}

const compare = (a: string, b: string) => a < b ? -1 : a > b ? 1 : 0

/** The order that a whole list has on D1. Instants have one length, so their texts are in their order. */
const newest = (a: Row, b: Row) => compare(b["created_at"]!, a["created_at"]!)
const orders: Readonly<Record<Exclude<List, "export" | "metrics">, (a: Row, b: Row) => number>> = {
  drafts: newest,
  keys: (a, b) => newest(a, b) || compare(a["id"]!, b["id"]!),
  orchestrators: (a, b) =>
    compare(b["last_heartbeat"]!, a["last_heartbeat"]!) || compare(a["id"]!, b["id"]!) ||
    compare(a["scope"]!, b["scope"]!),
  projects: (a, b) => newest(a, b) || compare(b["id"]!, a["id"]!),
  roles: (a, b) => compare(a["name"]!, b["name"]!) || compare(a["scope"]!, b["scope"]!)
}

const counted: ReadonlySet<List> = new Set(["drafts", "orchestrators", "projects"])

/** The request with other parameters; `undefined` leaves one out. */
const asking = (
  { path, query, request }: Asking,
  parameters: Readonly<Record<string, string | undefined>>
): Request => {
  const next = new URLSearchParams(query)
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) next.delete(name)
    else next.set(name, value)
  }
  // The answers of one scope have tags of their own.
  const headers = new Headers(request.headers)
  headers.delete("if-none-match")
  return new Request(new URL(`${path}?${next}`, request.url), { method: "GET", headers })
}

/**
 * The answer in the place of several: its headers are those of one of them, and its tag, where they have one, is its
 * own.
 */
const answered = async ({ request }: Asking, from: Response, body: string): Promise<Response> => {
  const headers = new Headers(from.headers)
  for (const name of ["content-length", "etag", "server-timing", "x-request-id"]) headers.delete(name)
  if (from.headers.has("etag")) {
    const tag = `${Release}.${(await sha256(body)).slice(0, 32)}`
    headers.set("etag", `W/"${tag}"`)
    const known = tagsOf(request.headers.get("if-none-match") ?? undefined)
    if (known.includes(tag) || known[0] === "*") {
      headers.delete("content-type")
      return new Response(null, { status: 304, headers })
    }
  }
  return new Response(request.method === "HEAD" ? null : body, { headers })
}

class Failed {
  readonly response: Response
  constructor(response: Response) {
    this.response = response
  }
}

const ask = async (asked: Asking, scope: string, parameters: Readonly<Record<string, string | undefined>>) => {
  const response = await asked.objects.scope(scope).fetch(asking(asked, parameters))
  if (response.status !== 200) throw new Failed(response)
  return response
}

/** Does the work for each item, a few at a time, and answers in their order. */
export const inChunks = async <A, B>(items: ReadonlyArray<A>, work: (item: A) => Promise<B>) => {
  const done: Array<B> = []
  for (let i = 0; i < items.length; i += AtOnce) done.push(...await Promise.all(items.slice(i, i + AtOnce).map(work)))
  return done
}

const numberOf = (text: string | null): number | undefined =>
  text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined

/** A page of the list, from the place on. */
const page = async (list: keyof typeof orders, asked: Asking, place: Place | undefined): Promise<Response> => {
  const visited = await asked.objects.control().scopes(place?.scope ?? "", MaxVisited + 1)
  const scopes = visited.slice(0, MaxVisited)
  const limit = numberOf(asked.query.get("limit")) ?? (list === "drafts" || list === "projects" ? 50 : undefined)
  const offset = place?.offset ?? numberOf(asked.query.get("offset")) ?? 0
  let total = place?.total ?? 0
  let skip = place === undefined ? offset : 0
  let begin = 0
  if (place === undefined && counted.has(list)) {
    const totals = await inChunks(
      scopes,
      async (scope) =>
        Number(
          (await (await ask(asked, scope, { scope, limit: "0", offset: undefined, cursor: undefined })).json() as any)
            .total
        )
    )
    total = totals.reduce((sum, n) => sum + n, 0)
    while (begin < scopes.length && skip >= totals[begin]! && skip > 0) skip -= totals[begin++]!
  }
  const rows: Array<Row> = []
  let bytes = 0
  let last: Response | undefined
  let envelope: any
  let next: Omit<Place, "total" | "offset"> | undefined
  // A page that is not full goes on with the next scope. What was read of a scope and does not fit is read again.
  for (let i = begin; i < scopes.length && next === undefined; i++) {
    const scope = scopes[i]!
    if (limit !== undefined && rows.length >= limit && i > begin) {
      next = { scope, inner: null }
      break
    }
    const response = await ask(asked, scope, {
      // The object may have machines of other scopes.
      scope: list === "keys" ? undefined : scope,
      cursor: i === begin ? place?.inner ?? undefined : undefined,
      offset: i === begin && skip > 0 ? String(skip) : undefined,
      limit: limit === undefined ? undefined : String(limit - rows.length)
    })
    const text = await response.text()
    if (rows.length > 0 && bytes + text.length > MaxPageBytes) {
      next = { scope, inner: i === begin ? place?.inner ?? null : null }
      break
    }
    const body = JSON.parse(text)
    last = response
    envelope ??= body
    bytes += text.length
    rows.push(...body[list])
    if (body.next_cursor !== null) next = { scope, inner: body.next_cursor }
  }
  if (next === undefined && visited.length > MaxVisited) next = { scope: visited[MaxVisited]!, inner: null }
  if (last === undefined) return asked.objects.nobody().fetch(asked.request)
  if (place === undefined && next === undefined && skip === 0) rows.sort(orders[list])
  return answered(
    asked,
    last,
    JSON.stringify({
      ...envelope,
      [list]: rows,
      ...(counted.has(list) ? { total } : {}),
      ...("offset" in envelope ? { offset } : {}),
      ...("limit" in envelope && limit !== undefined ? { limit: Math.min(limit, MaxLimit) } : {}),
      next_cursor: next === undefined || limit === 0
        ? null
        : encode({ ...next, total, offset: offset + rows.length })
    })
  )
}

/**
 * A page of an export, which is of one scope. An export of every scope goes through the scopes one after the other.
 */
const exported = async (asked: Asking, place: Place | undefined): Promise<Response> => {
  const [scope, following] = await asked.objects.control().scopes(place?.scope ?? "", 2)
  if (scope === undefined) return asked.objects.nobody().fetch(asked.request)
  const response = await ask(asked, scope, { cursor: place?.inner ?? undefined })
  const body = await response.json() as ExportPage
  const next = body.next_cursor === null
    ? following === undefined ? undefined : { scope: following, inner: null }
    : { scope, inner: body.next_cursor }
  const next_cursor = next === undefined ? null : encode({ ...next, total: 0, offset: 0 })
  // A machine of another scope is exported with its own.
  const records = body.records
    .filter(({ record }) => record["scope"] === undefined || record["scope"] === scope)
    // An idempotency key has no column for its scope, and only here it is known.
    .map((one) => one.kind === "idempotency_keys" ? { kind: one.kind, scope, record: one.record } : one)
  return answered(asked, response, JSON.stringify({ ...body, records, next_cursor }))
}

const measured = async (asked: Asking): Promise<Response> => {
  const visited = await asked.objects.control().scopes("", Exposition.MaxScopes + 1)
  const responses = await inChunks(
    visited.slice(0, Exposition.MaxScopes),
    async (scope) => {
      const response = await ask(asked, scope, { scope })
      return { response, text: await response.text() }
    }
  )
  const [first] = responses
  return first === undefined
    ? asked.objects.nobody().fetch(asked.request)
    : answered(
      asked,
      first.response,
      Exposition.merge(responses.map(({ text }) => text), visited.length > Exposition.MaxScopes)
    )
}

/** The answer to a request for the list of every scope. */
export const answer = async (list: List, asked: Asking): Promise<Response> => {
  const cursor = asked.query.get("cursor")
  const place = cursor === null || cursor === "first" ? undefined : decode(cursor)
  try {
    // An empty object refuses what cannot be read: bytes that are not UTF-8, a cursor of another list, or one together
    // with an offset.
    if (
      !isEncodedUtf8(new URL(asked.request.url).search) ||
      (cursor !== null && cursor !== "first" && place === undefined) ||
      (place !== undefined && asked.query.has("offset"))
    ) {
      return await asked.objects.nobody().fetch(asked.request)
    }
    return list === "metrics"
      ? await measured(asked)
      : list === "export"
      ? await exported(asked, place)
      : await page(list, asked, place)
  } catch (error) {
    if (error instanceof Failed) return error.response
    throw error
  }
}
