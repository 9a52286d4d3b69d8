/** What an attacker has found out: which records there are in its own scope, and which it has heard of elsewhere. */
import type { Chance } from "../support/Chance.ts"
import type { Operation } from "./Document.ts"

export type Record_ = { readonly [field: string]: any }

const MaxRecords = 40

/** What a record is found by. */
export const idOf = (record: Record_): string | undefined => {
  const id = record.id ?? record.name ?? record.orchestrator_id
  return id === undefined ? undefined : String(id)
}

export class Known {
  /** The attacker's scope. */
  readonly scope: string
  /** By collection, the ids of records of the victim. */
  readonly foreign: ReadonlyMap<string, ReadonlyArray<string>>
  /** Operations that only an administrator may call, as far as a refusal has said so. */
  readonly restricted = new Set<string>()
  private readonly own = new Map<string, Map<string, Record_>>()
  private readonly collections: ReadonlySet<string>

  constructor(
    scope: string,
    foreign: ReadonlyMap<string, ReadonlyArray<string>>,
    operations: ReadonlyArray<Operation>
  ) {
    this.scope = scope
    this.foreign = foreign
    this.collections = new Set(operations.map(({ collection }) => collection))
  }

  /** A record of the attacker's scope, if possible one with these fields. */
  record(random: Chance, collection: string, fields: ReadonlyArray<string> = []): Record_ | undefined {
    const records = [...(this.own.get(collection)?.values() ?? [])]
    const fitting = records.filter((record) => fields.every((field) => record[field] != null))
    return records.length === 0 ? undefined : random.pick(fitting.length === 0 ? records : fitting)
  }

  id(random: Chance, collection: string): string {
    const record = this.record(random, collection)
    return record === undefined ? this.nowhere(random) : idOf(record)!
  }

  /** The id of a record of the victim. */
  foreignId(random: Chance, collection: string): string {
    const ids = this.foreign.get(collection) ?? []
    return ids.length === 0 ? this.nowhere(random) : random.pick(ids)
  }

  /** The id of nothing. */
  nowhere(random: Chance): string {
    return String(random.between(800_000, 900_000))
  }

  knows(collection: string): boolean {
    return this.collections.has(collection)
  }

  /** Learns from what a request about the record with this id, if it was about one, was answered with. */
  learn(operation: Operation, subject: string | undefined, status: number, body: any) {
    if (status === 403 && body?._tag === "AdministratorRequired") this.restricted.add(operation.name)
    const about = operation.subject === undefined ? "" : operation.named[operation.subject]!
    const missing = `${about.slice(0, -1)}notfound` === String(body?._tag).toLowerCase()
    const deleted = status === 200 && operation.method === "DELETE" && operation.collection === about
    if (subject !== undefined && (missing || deleted)) {
      this.own.get(about)?.delete(subject)
      return
    }
    if (status >= 300 || typeof body !== "object" || body === null) return
    this.keep(operation.collection, body)
    for (const [name, items] of Object.entries<any>(body)) {
      if (this.collections.has(name) && Array.isArray(items)) { for (const item of items) this.keep(name, item) }
    }
  }

  private keep(collection: string, record: any) {
    if (typeof record !== "object" || record === null || (record.scope ?? this.scope) !== this.scope) return
    const id = idOf(record)
    if (id === undefined) return
    const records = this.own.get(collection) ?? new Map<string, Record_>()
    this.own.set(collection, records)
    // What was heard of last is at the end.
    records.delete(id)
    records.set(id, record)
    if (records.size > MaxRecords) records.delete(records.keys().next().value!)
  }
}
