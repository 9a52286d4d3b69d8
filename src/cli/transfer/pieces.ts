/**
 * Sends an export to a server on Durable Objects, scope by scope, in pieces. Requests that fail for a moment are tried
 * again.
 */
import { createHash } from "node:crypto"
import { setTimeout } from "node:timers/promises"
import { excerpt } from "../../domain/Excerpt.ts"
import { Failure, refused, unreachable } from "../ask/Failure.ts"
import { read } from "./check.ts"
import * as Dump from "./Dump.ts"
import { lines } from "./lines.ts"
import { refusalOf } from "./said.ts"

export interface Sending {
  /** Reads the file, once more with each call. */
  readonly bytes: () => AsyncIterable<Uint8Array>
  readonly url: string
  readonly key: string
  readonly fetch?: typeof globalThis.fetch
  readonly signal?: AbortSignal
  /** Is called with the number of records that were sent. */
  readonly progress?: (records: number) => void
}

export interface Restored {
  readonly scope: string
  /** How many records of each kind it has. */
  readonly counts: Readonly<Record<string, number>>
  /** Whether the file had been restored there before. */
  readonly before: boolean
}

const Attempts = 6

/** How much of a list of scopes a message shows, in characters. */
const MaxListed = 400

/** A piece is sent once it has so many characters, or all pieces together have ten times as many as that. */
const MaxPiece = 500_000

const post = async (
  { fetch = globalThis.fetch, key, signal, url }: Sending,
  path: string,
  body: string
): Promise<any> => {
  const address = `${url.replace(/\/+$/, "")}/api/v1/scopes/${path}`
  for (let attempt = 1;; attempt++) {
    const response = await fetch(address, {
      method: "POST",
      body,
      headers: { "content-type": "application/x-ndjson", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) },
      ...(signal === undefined ? {} : { signal })
    }).catch((error: unknown) => {
      if (signal?.aborted) throw error
      return undefined
    })
    const text = await response?.text().catch(() => undefined)
    if (response?.status === 200 && text !== undefined) {
      try {
        return JSON.parse(text)
      } catch {
        throw refusalOf(url, 200, text)
      }
    }
    const passes = response === undefined || text === undefined || response.status === 429 || response.status >= 500
    if (attempt < Attempts && passes) {
      await setTimeout(200 * 2 ** attempt)
      continue
    }
    if (response === undefined) throw unreachable(`Nothing answers at ${url}. Is the server started (--url)?`)
    // To the key of a scope the server says what the import needs, or that there is nothing at other scopes.
    if ((response.status === 403 || response.status === 404) && key.startsWith("oct_")) {
      throw refused("A restore needs the secret of the server (OCTOPOID_API_KEY). This is the key of a scope.")
    }
    const hint = response.status === 401
      ? " Give the server's secret in OCTOPOID_API_KEY."
      : response.status === 404
      ? " A server on D1 is restored by npm run restore (docs/operating.md)."
      : ""
    throw refusalOf(url, response.status, text ?? "", hint)
  }
}

/**
 * The scope of the record. That of an idempotency key is on the line in an export of objects. In an export of D1 its
 * answer may name it; otherwise the key may be of any.
 */
const scopeOf = ({ kind, record, scope: named }: Dump.Line): string | undefined => {
  if (kind !== "idempotency_keys") return String(record["scope"])
  if (named !== undefined) return named
  const answer: unknown = JSON.parse(String(record["answer"]))
  const scope: unknown = Array.isArray(answer) ? answer[0]?.scope : undefined
  return typeof scope === "string" ? scope : undefined
}

/** Reads the whole file: nothing is sent if it is incomplete or has a wrong line. */
const check = async (bytes: Sending["bytes"]) => {
  const hash = createHash("sha256")
  const scopes = new Set<string>()
  const hashed = async function*() {
    for await (const chunk of bytes()) {
      hash.update(chunk)
      yield chunk
    }
  }
  for await (const { header, line } of read(lines(hashed()))) {
    if (header !== undefined && header.scope !== null) scopes.add(header.scope)
    if (line === undefined) continue
    const named = line.kind === "idempotency_keys" ? line.scope : String(line.record["scope"])
    if (named !== undefined) scopes.add(named)
  }
  return { id: hash.digest("hex"), scopes: [...scopes].toSorted() }
}

/** Sends the pieces of all scopes, and then has one scope after the other write them. Notes each that did. */
const sendScopes = async (
  sending: Sending,
  id: string,
  scopes: ReadonlyArray<string>,
  restored: Array<Restored>
): Promise<void> => {
  const waiting = new Map(scopes.map((scope) => [scope, { texts: [] as Array<string>, length: 0, pieces: 0 }]))
  const path = (scope: string, rest: string) => `${encodeURIComponent(scope)}/restore?restore=${id}&${rest}`
  let [all, sent] = [0, 0]
  const send = async (scope: string) => {
    const own = waiting.get(scope)!
    if (own.length === 0) return
    await post(sending, path(scope, `piece=${own.pieces}`), own.texts.join(""))
    all -= own.length
    sending.progress?.(sent += own.texts.length)
    waiting.set(scope, { texts: [], length: 0, pieces: own.pieces + 1 })
  }
  for await (const { line } of Dump.read(lines(sending.bytes()))) {
    if (line === undefined) continue
    const text = `${JSON.stringify(line)}\n`
    const known = scopeOf(line)
    for (const scope of known !== undefined && waiting.has(known) ? [known] : scopes) {
      const own = waiting.get(scope)!
      own.texts.push(text)
      own.length += text.length
      all += text.length
      if (own.length >= MaxPiece) await send(scope)
    }
    if (all >= 10 * MaxPiece) { for (const scope of scopes) await send(scope) }
  }
  // A scope that has records refuses its first piece, before any scope is written.
  for (const scope of scopes) await send(scope)
  for (const scope of scopes) {
    restored.push(await post(sending, path(scope, `pieces=${waiting.get(scope)!.pieces}`), ""))
  }
}

const listed = (names: ReadonlyArray<string>) => excerpt(names.join(", "), MaxListed)

/** What became of the scopes of the file, for the message of a restore that was stopped. */
const stand = (scopes: ReadonlyArray<string>, restored: ReadonlyArray<Restored>): string => {
  const done = restored.map(({ scope }) => scope)
  return scopes.length < 2
    ? ""
    : done.length === 0
    ? ` No scope of the file was restored by this command: ${listed(scopes)}.`
    : ` Restored: ${listed(done)}. Not restored: ${listed(scopes.filter((scope) => !done.includes(scope)))}.`
}

/** Restores each scope of the file, one after the other. A failure says which ones are restored. */
export const sendAll = async (sending: Sending): Promise<ReadonlyArray<Restored>> => {
  const { id, scopes } = await check(sending.bytes)
  if (scopes.length === 0) throw new Dump.DumpUnreadable("The file holds no records.")
  const restored: Array<Restored> = []
  try {
    await sendScopes(sending, id, scopes, restored)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure({ code: error.code, message: `${error.message}${stand(scopes, restored)}` })
  }
  return restored
}
