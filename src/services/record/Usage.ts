/** The sums of what agents used, and the caps on the days of a scope. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ProjectId, type ScopeName } from "../../domain/Identifier.ts"
import {
  capOf,
  type DayCaps,
  dayOf,
  dayText,
  InvalidDays,
  MaxDays,
  MaxProjects,
  MoneyColumn,
  type NewDayCaps,
  shownOf,
  sums,
  type UsageList,
  type UsageQuery,
  type UsageSum
} from "../../domain/record/Usage.ts"
import type { Row } from "../../sql/Batch.ts"
import { Database } from "../../sql/Database.ts"
import { statement } from "../../sql/Statement.ts"

// Without a first day, a list has this many days.
const UsualDays = 31

const columns = sums.join(", ")

/** The sums of a scope on each of the days. */
export const days = statement(`
  SELECT day, ${columns} FROM usage WHERE scope = :scope AND day BETWEEN :from_day AND :to_day ORDER BY day`)

const models = statement(`
  SELECT key AS model, ${
  sums.map((name, n) => `min(sum(value ->> ${n}), ${Number.MAX_SAFE_INTEGER}) AS ${name}`).join(", ")
}
  FROM usage CROSS JOIN json_each(models)
  WHERE scope = :scope AND day BETWEEN :from_day AND :to_day GROUP BY key ORDER BY key`)

const projects = statement(`
  SELECT id AS project_id, ${columns} FROM projects WHERE scope = :scope
  ORDER BY created_at DESC, id DESC LIMIT ${MaxProjects}`)

const capsOf = statement("SELECT max_cost_usd, max_tokens FROM usage_caps WHERE scope = :scope")

const setCaps = statement(`
  INSERT INTO usage_caps (scope, max_cost_usd, max_tokens)
  VALUES (:scope, CAST(:max_cost_usd AS INTEGER), CAST(:max_tokens AS INTEGER))
  ON CONFLICT (scope) DO UPDATE SET max_cost_usd = excluded.max_cost_usd, max_tokens = excluded.max_tokens`)

// The day that has begun has a row already, if anything was used.
const setToday = statement(`
  UPDATE usage SET max_cost_usd = CAST(:max_cost_usd AS INTEGER), max_tokens = CAST(:max_tokens AS INTEGER)
  WHERE scope = :scope AND day = :day`)

const decodeMoney = Schema.decodeUnknownSync(Schema.NullOr(MoneyColumn))

const shownCaps = (scope: ScopeName, row: Row | undefined): DayCaps => ({
  scope,
  max_cost_usd: decodeMoney(row?.max_cost_usd ?? null),
  max_tokens: row?.max_tokens == null ? null : Number(row.max_tokens)
})

/** A row of sums as answers show it. */
export const sumOf = (row: Row): UsageSum => ({
  ...(row.day === undefined ? {} : { day: dayText(Number(row.day)) }),
  ...(row.project_id === undefined ? {} : { project_id: ProjectId.make(String(row.project_id)) }),
  ...(row.model === undefined ? {} : { model: String(row.model) }),
  ...shownOf(sums.map((name) => Number(row[name])))
})

export class UsageSums extends Context.Service<UsageSums, {
  /** The sums of a scope by day, by model, or by project, and its caps. */
  readonly list: (scope: ScopeName, query: UsageQuery) => Effect.Effect<UsageList, InvalidDays>
  /** Sets the caps on each day of the scope, also on the present one. A cap that is left out is removed. */
  readonly cap: (scope: ScopeName, caps: NewDayCaps) => Effect.Effect<DayCaps>
}>()("octopoid-server/services/UsageSums") {
  static readonly layer = Layer.effect(
    UsageSums,
    Effect.gen(function*() {
      const { batch } = yield* Database

      const list = Effect.fn("UsageSums.list")(function*(scope: ScopeName, { by = "day", from, to }: UsageQuery) {
        const last = to === undefined ? dayOf(yield* Clock.currentTimeMillis) : dayOf(Date.parse(to))
        const first = from === undefined ? Math.max(0, last - UsualDays + 1) : dayOf(Date.parse(from))
        if (first > last || last - first >= MaxDays) return yield* InvalidDays.of()
        const values = { scope, from_day: first, to_day: last }
        const { caps, found } = yield* batch({
          found: (by === "day" ? days : by === "model" ? models : projects)(values),
          caps: capsOf(values)
        })
        return {
          scope,
          from: dayText(first),
          to: dayText(last),
          usage: found.map(sumOf),
          caps: shownCaps(scope, caps[0])
        }
      })

      const cap = Effect.fn("UsageSums.cap")(function*(scope: ScopeName, { max_cost_usd, max_tokens }: NewDayCaps) {
        const values = {
          scope,
          max_cost_usd: capOf(max_cost_usd),
          max_tokens: max_tokens ?? null,
          day: dayOf(yield* Clock.currentTimeMillis)
        }
        const { caps } = yield* batch({ set: setCaps(values), today: setToday(values), caps: capsOf(values) })
        return shownCaps(scope, caps[0])
      })

      return UsageSums.of({ list, cap })
    })
  )
}
