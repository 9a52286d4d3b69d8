/** The counters, against counting; and now and then all that is said of the whole database in SQL. */
import type { DatabaseSync } from "node:sqlite"
import { integrity } from "../../../scripts/data/doctor/Integrity.ts"
import type { Commit } from "../Ledger.ts"
import { ensure } from "../Violation.ts"

// Queries of the whole database get slower during the run, and what they find does not disappear. So they run rarely.
const Every = 40

export const make = (raw: DatabaseSync, databases: ReadonlyArray<DatabaseSync>) => {
  const counters = raw.prepare("SELECT scope, counts FROM queue_counts")
  const questions = integrity.map(({ sql }) => databases.map((database) => database.prepare(sql)))
  let commits = 0

  const whole = () => {
    for (const [i, { name }] of integrity.entries()) {
      const found = questions[i]!.flatMap((question) => question.all())
      ensure(found.length === 0, () => `does not hold: ${name}: ${JSON.stringify(found)}`)
    }
  }

  const check = ({ after }: Commit): void => {
    const counted = new Map<string, number>()
    for (const { project_id, queue, scope } of after.values()) {
      for (const owner of [scope, ...(project_id === null ? [] : [`\u001f${project_id}`])]) {
        const place = `${owner} ${queue}`
        counted.set(place, (counted.get(place) ?? 0) + 1)
      }
    }
    for (const { counts, scope } of counters.all()) {
      for (const [queue, n] of Object.entries(JSON.parse(String(counts)) as Record<string, number>)) {
        const place = `${scope} ${queue}`
        ensure(n !== 0, () => `there is a counter of ${place}, which is empty`)
        ensure(
          n === (counted.get(place) ?? 0),
          () => `the counter of ${place} is ${n}, and there are ${counted.get(place) ?? 0}`
        )
        counted.delete(place)
      }
    }
    ensure(counted.size === 0, () => `nothing counts ${[...counted.keys()]}`)
    if (++commits % Every === 0) whole()
  }

  return { check, whole }
}
