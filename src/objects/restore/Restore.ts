/**
 * Brings what an export holds of a scope into its object: `POST /api/v1/scopes/<scope>/restore`, which
 * `octopoid-server restore` sends. The lines come in pieces, which are kept beside the records. The last request writes
 * all of them in one transaction, into a scope without records, or none.
 */
import type { DurableObjectStorage } from "@cloudflare/workers-types"
import { exportKinds } from "../../domain/transfer/Export.ts"
import { problemOf, type StoredRecord } from "../../domain/transfer/StoredRecord.ts"
import { decodeUtf8, flawsOf } from "../../domain/WellFormed.ts"
import { isTooBig } from "../../sql/Database.ts"
import type { Store } from "../../sql/engine/ObjectStorage.ts"
import { exclusions, occupied, settle } from "../../sql/transfer/Settle.ts"
import { MaxRow } from "../Schema.ts"

/** The largest piece. A row has 2,000,000 bytes at most, and JSON may take six for one. */
export const MaxPiece = 16 * 1024 * 1024

/**
 * All pieces of a restore. They and the records that are made of them share the object until the restore is finished.
 */
export const MaxPieces = 2 * 1024 ** 3

/** How long pieces are kept after the last one came. */
export const MaxAge = 86_400_000

/** A piece is kept in parts, because a row is smaller. */
const MaxPart = 1_000_000

const kinds = new Set<string>([...exportKinds, "dependencies", "history"])

class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const refusal = ({ message, status }: Refused) => Response.json({ _tag: "RestoreRefused", error: message }, { status })

const numberOf = (text: string | null): number | undefined =>
  text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined

/** The scope that the request brings an export back into, if it is such a request. */
export const restoredScope = (method: string, path: string): string | undefined => {
  const [, segment] = /^\/api\/v1\/scopes\/([^/]+)\/restore$/.exec(path) ?? []
  if (method !== "POST" || segment === undefined) return undefined
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

const linesOf = (text: string) => text.split("\n").filter((line) => line !== "")

/** The records in the text of a piece. Fails if one of them is not of the scope, or could not be read back. */
const parse = (scope: string, text: string): ReadonlyArray<StoredRecord> =>
  linesOf(text).map((line, number) => {
    const refuse = (problem: string) => new Refused(400, `Record ${number + 1} of this piece ${problem}`)
    const [flaw] = flawsOf(line)
    if (flaw !== undefined) throw refuse(`cannot be kept: ${flaw.path.join(".")}: ${flaw.message}.`)
    let value: any
    try {
      value = JSON.parse(line)
    } catch {
      throw refuse("is no JSON.")
    }
    const { kind, record, scope: named } = value ?? {}
    if (!kinds.has(kind) || typeof record !== "object" || record === null) {
      throw refuse("is of no kind that an export has.")
    }
    if ((kind === "idempotency_keys" ? named ?? scope : record.scope) !== scope) throw refuse("is of another scope.")
    const problem = problemOf({ kind, record })
    if (problem !== undefined) throw refuse(problem)
    return { kind, record }
  })

const forget = ({ sql }: DurableObjectStorage) => {
  sql.exec("DELETE FROM _restore")
  sql.exec("DELETE FROM _restoring")
}

/**
 * Removes the pieces of a restore that nobody goes on with. If there are younger ones, answers when they are to be
 * removed.
 */
export const tidy = (storage: DurableObjectStorage, now: number): number | undefined => {
  const [last] = storage.sql.exec("SELECT at FROM _restoring").toArray()
  if (last === undefined) return undefined
  const until = Number(last["at"]) + MaxAge
  if (until > now) return until
  storage.transactionSync(() => forget(storage))
  return undefined
}

export interface Options {
  readonly scope: string
  /** Has the object wake at that time, and tidy up. */
  readonly wake: (time: number) => void
  /** `MaxPieces`, unless given. */
  readonly most?: number
}

export const make = ({ changed, storage, written }: Store, { most = MaxPieces, scope, wake }: Options) => {
  const { sql } = storage

  const answerOf = (id: string) =>
    sql.exec("SELECT answer FROM _restored WHERE id = ?", id).toArray()[0]?.["answer"] as string | undefined

  const refuseOccupied = () => {
    const full = String(sql.exec(occupied(scope)).one()["occupied"]).trim()
    if (full === "") return
    throw new Refused(
      409,
      `The scope ${scope} has records already, in ${
        full.split(" ").join(", ")
      }. An export goes where there are none, such as a server on a new folder (serve --data DIR) or a new deployment.`
    )
  }

  const keep = (id: string, piece: number, bytes: Uint8Array) => {
    const text = decodeUtf8(bytes)
    if (typeof text !== "string") throw new Refused(400, "The piece is not UTF-8.")
    if (parse(scope, text).length === 0) throw new Refused(400, "The piece holds no record.")
    refuseOccupied()
    const now = Date.now()
    storage.transactionSync(() => {
      const [last] = sql.exec("SELECT bytes FROM _restoring WHERE id = ?", id).toArray()
      // Another file has taken the place of the one before.
      if (last === undefined) forget(storage)
      const before = sql.exec(
        "SELECT coalesce(sum(octet_length(bytes)), 0) AS n FROM _restore WHERE id = ? AND piece = ?",
        id,
        piece
      ).one()["n"]
      const all = Number(last?.["bytes"] ?? 0) - Number(before) + bytes.length
      if (all > most) {
        throw new Refused(
          413,
          `The pieces of a restore have ${most} bytes at most together, and with this one they have ${all}. Nothing was written.`
        )
      }
      sql.exec("DELETE FROM _restore WHERE id = ? AND piece = ?", id, piece)
      sql.exec(
        `INSERT INTO _restoring (one, id, bytes, at) VALUES (1, ?1, ?2, ?3)
          ON CONFLICT (one) DO UPDATE SET id = ?1, bytes = ?2, at = ?3`,
        id,
        all,
        now
      )
      for (let part = 0; part === 0 || part * MaxPart < bytes.length; part++) {
        sql.exec(
          "INSERT INTO _restore (id, piece, part, bytes) VALUES (?, ?, ?, ?)",
          id,
          piece,
          part,
          bytes.slice(part * MaxPart, (part + 1) * MaxPart).buffer
        )
      }
    })
    wake(now + MaxAge)
  }

  /** The records that were kept. Each was checked when it was. */
  const records = function*(id: string, pieces: number): Generator<StoredRecord> {
    for (let piece = 0; piece < pieces; piece++) {
      const parts = sql.exec("SELECT bytes FROM _restore WHERE id = ? AND piece = ? ORDER BY part", id, piece).toArray()
      if (parts.length === 0) throw new Refused(409, `The piece ${piece} is missing. Send all of them again.`)
      const decoder = new TextDecoder()
      const text = parts.map(({ bytes }) => decoder.decode(bytes as ArrayBuffer, { stream: true })).join("")
      for (const line of linesOf(text)) yield JSON.parse(line)
    }
  }

  const insert = ({ kind, record }: StoredRecord) => {
    const names = Object.keys(record)
    // Exports of earlier versions have an idempotency key once for each scope. The youngest counts, as on D1.
    const twice = kind === "idempotency_keys"
      ? ` ON CONFLICT (id) DO UPDATE SET ${
        names.map((name) => `${name} = excluded.${name}`).join(", ")
      } WHERE excluded.at > at`
      : ""
    sql.exec(
      `INSERT INTO ${kind} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})${twice}`,
      ...names.map((name) => record[name] as string | number | null)
    )
  }

  /** Writes what was kept. Part of a transaction. */
  const write = (id: string, pieces: number): string => {
    refuseOccupied()
    const projects = new Set<unknown>()
    for (const one of records(id, pieces)) {
      if (one.kind !== "projects") continue
      insert(one)
      projects.add(one.record["id"])
    }
    const counts: Record<string, number> = projects.size > 0 ? { projects: projects.size } : {}
    const excluded = exclusions()
    let gone = 0
    for (const { kind, record } of records(id, pieces)) {
      if (kind === "projects") continue
      counts[kind] = (counts[kind] ?? 0) + 1
      if (kind !== "tasks") {
        insert({ kind, record })
        continue
      }
      for (const other of excluded(record)) {
        gone += sql.exec("DELETE FROM tasks WHERE id = ?", other).rowsWritten > 0
          ? 1
          : 0
      }
      // A project that was deleted during the export had no tasks left.
      insert({ kind, record: projects.has(record["project_id"]) ? record : { ...record, project_id: null } })
    }
    if (gone > 0) counts["tasks"]! -= gone
    if ("idempotency_keys" in counts) {
      counts["idempotency_keys"] = Number(sql.exec("SELECT count(*) AS n FROM idempotency_keys").one()["n"])
    }
    for (const statement of settle(scope, Date.now())) sql.exec(statement)
    written()
    const answer = JSON.stringify({ scope, counts })
    sql.exec("INSERT INTO _restored (id, answer) VALUES (?, ?)", id, answer)
    forget(storage)
    return answer
  }

  const finish = async (id: string, pieces: number): Promise<string> => {
    try {
      const answer = storage.transactionSync(() => write(id, pieces))
      await changed()
      return answer
    } catch (error) {
      if (error instanceof Refused || !/SQLITE_|constraint failed/.test(String(error))) throw error
      throw isTooBig(error)
        ? new Refused(413, `Nothing was written: a record is longer than the ${MaxRow} bytes that a row may have.`)
        : new Refused(409, `Nothing was written: ${String(error)}`)
    }
  }

  return {
    /** Answers a request of the administrator. The same request again has no other effect, and the same answer. */
    answer: async (request: Request, bytes: Uint8Array): Promise<Response> => {
      const { searchParams } = new URL(request.url)
      const id = searchParams.get("restore") ?? ""
      const piece = numberOf(searchParams.get("piece"))
      const pieces = numberOf(searchParams.get("pieces"))
      try {
        if (!/^[\w-]{16,100}$/.test(id) || (piece === undefined) === (pieces === undefined)) {
          throw new Refused(
            400,
            "Say which restore it is (restore), and either which piece this is (piece) or how many there were (pieces)."
          )
        }
        const before = answerOf(id)
        if (bytes.length > MaxPiece) throw new Refused(413, `A piece has ${MaxPiece} bytes at most.`)
        if (before !== undefined) return Response.json({ ...JSON.parse(before), before: true })
        if (piece !== undefined) {
          keep(id, piece, bytes)
          return Response.json({ scope, piece })
        }
        return Response.json({ ...JSON.parse(await finish(id, pieces!)), before: false })
      } catch (error) {
        if (error instanceof Refused) return refusal(error)
        throw error
      }
    }
  }
}
