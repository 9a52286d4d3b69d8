/** The server that records are copied from: reads every record of a scope over its API. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { decodeUtf8, flawsOf } from "../../../domain/WellFormed.ts"

export type Item = Record<string, unknown>

/** The import cannot go on. The message says why, what to do, and what happened to records that were read before. */
export class ImportStopped extends Schema.TaggedError<ImportStopped>()("ImportStopped", {
  message: Schema.String,
  /** Whether a server refused, or gave no usable answer. */
  why: Schema.Literals(["refused", "unreachable"])
}) {}

export interface Source {
  /** The records of a list that is not paged; none when the server knows no such list. */
  readonly list: (name: string, query: Query) => Effect.Effect<ReadonlyArray<Item>, ImportStopped>
  /** A value in a record that would be changed by copying. The record is not copied. */
  readonly flaw: (record: Item) => string | undefined
  /** All records of a paged list, and how many there are said to be. */
  readonly pages: (name: string, orders: ReadonlyArray<Query>) => Effect.Effect<Pages, ImportStopped>
}

export interface Pages {
  readonly records: ReadonlyArray<Item>
  readonly total: number
}

type Query = Record<string, string>

// The old server caps tasks at this many a page, and takes any number elsewhere.
const PageSize = 500

const isRecord = Schema.is(Schema.Record(Schema.String, Schema.Unknown))

const recordsOf = (body: Item | undefined, name: string): ReadonlyArray<Item> => {
  const records = body?.[name]
  return Array.isArray(records) ? records.filter(isRecord) : []
}

export const make = Effect.fnUntraced(function*(baseUrl: string, key: string | undefined, retries = 4) {
  const client = HttpClient.retryTransient(yield* HttpClient.HttpClient, {
    times: retries,
    schedule: Schedule.jittered(Schedule.exponential("300 millis"))
  })

  const flaws = new WeakMap<object, string>()

  /** The body of an answer, if it is a JSON object; notes which of its records would not be copied as they are. */
  const bodyOf = (bytes: ArrayBuffer): Item | undefined => {
    const text = decodeUtf8(new Uint8Array(bytes))
    if (typeof text !== "string") return undefined
    let body: unknown
    try {
      body = JSON.parse(text)
    } catch {
      return undefined
    }
    if (!isRecord(body)) return undefined
    for (const { message, path: [name, index, ...field] } of flawsOf(text, Infinity)) {
      const records = body[String(name)]
      const record = Array.isArray(records) ? records[Number(index)] : undefined
      if (isRecord(record) && !flaws.has(record)) flaws.set(record, `${field.join(".")}: ${message}.`)
    }
    return body
  }

  /** One answer; undefined when the server has no such list. */
  const get = Effect.fnUntraced(function*(name: string, query: Query) {
    const url = `${baseUrl.replace(/\/+$/, "")}/api/v1/${name}`
    const request = HttpClientRequest.get(url, { urlParams: query })
    const response = yield* client.execute(key ? HttpClientRequest.bearerToken(request, key) : request).pipe(
      Effect.mapError((error) =>
        new ImportStopped({
          why: "unreachable",
          message: error.reason._tag === "TransportError"
            ? `Nothing answers at ${baseUrl}. Is this the address of the old server (--from)?`
            : `${url} cannot be read: ${error.message}`
        })
      )
    )
    if (response.status === 404) return undefined
    const body = bodyOf(yield* Effect.orElseSucceed(response.arrayBuffer, () => new ArrayBuffer()))
    if (body === undefined) {
      return yield* new ImportStopped({
        why: "unreachable",
        message: `${url} answered ${response.status}, and not with a JSON object in UTF-8.`
      })
    }
    if (response.status === 200) return body
    const hint = response.status === 401 || response.status === 403
      ? "\n--from-key (or OCTOPOID_FROM_KEY) is a key that the old server has for this scope; most also answer without one."
      : ""
    return yield* new ImportStopped({
      why: response.status >= 500 ? "unreachable" : "refused",
      message: `${url} answered ${response.status}: ${String(body.error)}${hint}`
    })
  })

  const list: Source["list"] = (name, query) => Effect.map(get(name, query), (body) => recordsOf(body, name))

  // Pages shift while others write, and the old server breaks ties in no particular order: so the list is read again,
  // in another order if it has one, until as many different records were seen as it says there are.
  const pages: Source["pages"] = Effect.fnUntraced(function*(name, orders) {
    const found = new Map<unknown, Item>()
    let total = 0
    for (const order of orders) {
      for (let offset = 0;;) {
        const body = yield* get(name, { ...order, limit: String(PageSize), offset: String(offset) })
        const records = recordsOf(body, name)
        for (const record of records) found.set(record.id, record)
        total = typeof body?.total === "number" ? body.total : found.size
        offset += records.length
        if (records.length === 0 || offset >= total) break
      }
      if (found.size >= total) break
    }
    return { records: [...found.values()], total }
  })

  return { flaw: (record) => flaws.get(record), list, pages } satisfies Source
})
