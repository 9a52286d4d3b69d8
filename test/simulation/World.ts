/** The state that the parts of a run share. */
import type { DatabaseSync } from "node:sqlite"
import type { Engine } from "../support/Bundle.ts"
import type { Chance } from "../support/Chance.ts"
import type { Exchange } from "./Exchange.ts"
import type { Journal } from "./Journal.ts"
import type { Row } from "./Ledger.ts"
import type { Timeline } from "./Timeline.ts"
import { Violation } from "./Violation.ts"
import type { Weather } from "./Weather.ts"

export interface World {
  readonly seed: number
  readonly chance: Chance
  readonly timeline: Timeline
  readonly journal: Journal
  /** The database; on objects, those of all objects as one, which can only be read. */
  readonly raw: DatabaseSync
  /** The databases that `raw` shows. */
  readonly databases: ReadonlyArray<DatabaseSync>
  readonly engine: Engine
  /** The configuration of the server. */
  readonly config: Record<string, string>
  /** Whether agents ask questions that hold tasks, and park accounts. */
  readonly asking: boolean
  /** Whether breakers are set, and agents fail alike. */
  readonly breaking: boolean
  weather: Weather
  /** The request that the server works on. One event belongs to one request. */
  current: Exchange | undefined
  /** Whose key is whose: the scope of each; undefined for the administrator's secret. */
  readonly scopes: Map<string, string | undefined>
  /** What machines keep on disk, by their names. A kill leaves it. */
  readonly disks: Map<string, Map<string, string>>
  /** What the receivers of webhooks accepted, by scope: the numbers of the events. */
  readonly received: Map<string, ReadonlyArray<number>>
  violation: unknown
  /** When the present leases expire. */
  leaseEnds: () => ReadonlyArray<number>
  /** Whether an open breaker keeps the task from being claimed. */
  isStopped: (row: Row, at: number) => boolean
  /** Runs a check: what does not hold ends the run. */
  readonly check: (holds: () => void) => void
  /** A time on the way, of at least so many milliseconds, and mostly not many more. */
  readonly delay: (least: number, most: number) => number
}

export const make = (
  parts: Pick<
    World,
    | "seed"
    | "chance"
    | "timeline"
    | "journal"
    | "raw"
    | "databases"
    | "engine"
    | "config"
    | "asking"
    | "breaking"
    | "weather"
  >
): World => {
  const world: World = {
    ...parts,
    current: undefined,
    scopes: new Map(),
    disks: new Map(),
    received: new Map(),
    violation: undefined,
    leaseEnds: () => [],
    isStopped: () => false,
    check: (holds) => {
      if (world.violation !== undefined) return
      try {
        holds()
      } catch (error) {
        world.violation = error
      }
    },
    delay: (least, most) => {
      const { chance, journal, weather } = world
      const slow = chance.happens(weather.slow)
      if (slow) journal.fault("delayed by seconds")
      const millis = slow ? chance.between(1000, 25_000) : chance.between(least, most)
      return Math.ceil(millis / weather.grain) * weather.grain
    }
  }
  return world
}

export const isViolation = (error: unknown): error is Violation => error instanceof Violation
