/** What a run amounted to: how many requests of each kind were answered how, and whether everything was reached. */
import type { Operation } from "./Document.ts"
import { type Kind, kinds } from "./Request.ts"

type Counts = Map<number, number>

const add = (counts: Counts, status: number) => counts.set(status, (counts.get(status) ?? 0) + 1)

const asText = (counts: Counts) =>
  `{${[...counts].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`).join(", ")}}`

export class Tally {
  requests = 0
  private readonly statuses: Counts = new Map()
  private readonly byKind = new Map<Kind, Counts>(kinds.map((kind) => [kind, new Map()]))
  private readonly unreached: Set<string>
  private readonly operations: number
  private readonly valid = new Map<string, { ok: number; all: number }>()

  constructor(operations: ReadonlyArray<Operation>) {
    this.operations = operations.length
    this.unreached = new Set(operations.map(({ name }) => name))
  }

  count(kind: Kind, operation: Operation, status: number) {
    this.requests++
    add(this.statuses, status)
    add(this.byKind.get(kind)!, status)
    if (kind !== "valid") return
    const { all, ok } = this.valid.get(operation.name) ?? { ok: 0, all: 0 }
    const fits = status < 300 || status === 409
    this.valid.set(operation.name, { ok: ok + (fits ? 1 : 0), all: all + 1 })
    if (status < 300) this.unreached.delete(operation.name)
  }

  /** The operations that no valid request has got a 2xx from. */
  get neverSucceeded(): ReadonlyArray<string> {
    return [...this.unreached]
  }

  /** The share of valid requests that got a 2xx, or a 409 with the reason. */
  get validShare(): number {
    const sums = [...this.valid.values()].reduce((sum, { all, ok }) => ({ ok: sum.ok + ok, all: sum.all + all }), {
      ok: 0,
      all: 0
    })
    return sums.all === 0 ? 0 : sums.ok / sums.all
  }

  /** A line for each kind. */
  get distribution(): ReadonlyArray<string> {
    return [
      ...[...this.byKind].map(([kind, counts]) => `${kind}: ${asText(counts)}`),
      `valid requests that got 2xx or 409: ${Math.round(this.validShare * 100)} %`,
      `operations without a 2xx: ${this.neverSucceeded.join(", ") || "none"}`
    ]
  }

  /** The valid requests that got neither a 2xx nor a 409, by operation, the worst first. */
  get refused(): ReadonlyArray<string> {
    return [...this.valid].toSorted(([, a], [, b]) => a.ok / a.all - b.ok / b.all)
      .map(([name, { all, ok }]) => `${name}: ${ok} of ${all}`)
  }

  summary(violations: number): string {
    return `requests: ${this.requests}, operations: ${this.operations}, statuses: ${
      asText(this.statuses)
    }, violations: ${violations}`
  }
}
