/** Whether something happened between two overviews of a scope. */
import type { Overview } from "./Contract.ts"

/**
 * What the overview says, without what time alone changes: at each full hour its last 24 hours are others, and old
 * failures and days leave it. Failures and tasks that became done are in the feed.
 */
const lasting = (overview: Overview, day: string) =>
  JSON.stringify({
    ...overview,
    since: undefined,
    failures: undefined,
    lives: undefined,
    usage: overview.usage.filter((sum) => (sum.day ?? "") >= day)
  })

/** Whether there is something new in the second overview. If not, only time has passed. */
export const isNews = (before: Overview, found: Overview): boolean => {
  // Usage is that of two days. The later window begins with the later of the days that both may have.
  const day = found.since.slice(0, 10)
  return lasting(before, day) !== lasting(found, day)
}
