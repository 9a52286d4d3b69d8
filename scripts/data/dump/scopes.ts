/**
 * Several scopes of an export in one D1 database. Durable Objects keep each scope in a database of its own, so what is unique there
 * may not be unique on D1: ids of records, numbers of drafts, and idempotency keys of the administrator.
 */
import type { Line } from "../../../src/cli/transfer/Dump.ts"

/** The kinds whose ids are unique on D1. Numbers of drafts are given anew. */
const unique = new Set(["actions", "messages", "projects", "tasks"])

const MaxNamed = 5

/** A file that D1 cannot hold as it is. */
export class Clash extends Error {}

export interface Merged {
  /** How much greater the numbers of the drafts become, for each scope that has some. */
  readonly draftsMoved: ReadonlyMap<string, number>
  /** Whether the record goes into the database: of several idempotency keys with one id, only the youngest does. */
  readonly isKept: (line: Line) => boolean
}

/**
 * Reads all records, and finds out how they go into one database. `lastDraft` is the greatest number that a draft of the database
 * ever had, if drafts are to get other numbers: they go on from there, one scope after the other. Fails with `Clash`.
 */
export const merge = async (lines: AsyncIterable<Line>, lastDraft: number | undefined): Promise<Merged> => {
  const owners = new Map<string, string>()
  const clashes = new Map<string, ReadonlyArray<string>>()
  const youngest = new Map<unknown, number>()
  const greatest = new Map<string, number>()
  const drafts = new Map<unknown, string>()
  let shared = false
  for await (const { kind, record } of lines) {
    const scope = String(record["scope"])
    if (unique.has(kind)) {
      const name = JSON.stringify([kind, record["id"]])
      const owner = owners.get(name) ?? scope
      if (owner !== scope) clashes.set(`${kind} ${String(record["id"])}`, [owner, scope])
      owners.set(name, owner)
    } else if (kind === "idempotency_keys") {
      youngest.set(record["id"], Math.max(youngest.get(record["id"]) ?? 0, Number(record["at"])))
    } else if (kind === "drafts") {
      const owner = drafts.get(record["id"]) ?? scope
      shared ||= owner !== scope
      drafts.set(record["id"], owner)
      greatest.set(scope, Math.max(greatest.get(scope) ?? 0, Number(record["id"])))
    }
  }
  if (clashes.size > 0) {
    const named = [...clashes].slice(0, MaxNamed).map(([name, scopes]) => `${name} in ${scopes.join(" and ")}`)
    throw new Clash(
      `Nothing was written: two scopes of the file have records of the same ids, which are unique on D1: ${
        named.join("; ")
      }${
        clashes.size > MaxNamed ? `; and ${clashes.size - MaxNamed} more` : ""
      }. Delete one of each and export again, or leave one of the scopes on Durable Objects.`
    )
  }
  if (shared && lastDraft === undefined) {
    throw new Clash(
      "Nothing was written: two scopes of the file have drafts of the same numbers. With --renumber-drafts they get others."
    )
  }
  const draftsMoved = new Map<string, number>()
  let last = lastDraft ?? 0
  if (lastDraft !== undefined) {
    for (const [scope, most] of greatest) {
      draftsMoved.set(scope, last)
      last += most
    }
  }
  const written = new Set<unknown>()
  return {
    draftsMoved,
    isKept: ({ kind, record: { at, id } }) => {
      if (kind !== "idempotency_keys") return true
      if (written.has(id) || Number(at) < youngest.get(id)!) return false
      written.add(id)
      return true
    }
  }
}
