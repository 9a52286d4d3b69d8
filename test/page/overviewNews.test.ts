/** What the page takes for news: not what time alone changes in an overview. */
import { assert, describe, it } from "vitest"
import type { Overview } from "../../src/app/api/Contract.ts"
import { isNews } from "../../src/app/api/overviewNews.ts"

const list = { total: 0, exact: true, items: [] }
const sum = (day: string, cost_usd: number): Overview["usage"][number] => ({
  day,
  input_tokens: 1,
  output_tokens: 1,
  cached_tokens: 0,
  cost_usd,
  wall_seconds: 1
})
const at = (since: string, given: Partial<Overview> = {}): Overview => ({
  scope: "red" as Overview["scope"],
  since,
  queues: { incoming: 2 },
  oldest_ready: null,
  projects: list,
  machines: list,
  held: list,
  reviews: list,
  questions: list,
  parks: list,
  failures: { ...list, by_event: {} },
  breakers: list,
  unclaimable: list,
  lives: { exact: true, hours: [{ hour: since, done: 3 }] },
  usage: [sum("2026-03-01", 1), sum("2026-03-02", 2)],
  ...given
})

describe("the overview of the next hour", () => {
  const before = at("2026-03-01T10:00:00.000Z")

  it("is no news if only its window is another", () => {
    assert.isFalse(isNews(before, at("2026-03-01T11:00:00.000Z")))
  })

  it("is no news if the window has left failures and days behind", () => {
    const failed = at("2026-03-01T10:00:00.000Z", {
      failures: { total: 1, exact: true, items: [], by_event: { failed: 1 } }
    })
    assert.isFalse(isNews(failed, at("2026-03-02T01:00:00.000Z", { usage: [sum("2026-03-02", 2)] })))
  })

  it("is news if something happened as well", () => {
    const machines = {
      total: 1,
      exact: true,
      items: [{ id: "m", status: "active", holds: 0 }]
    } as unknown as Overview["machines"]
    assert.isTrue(isNews(before, at("2026-03-01T11:00:00.000Z", { machines })))
    assert.isTrue(
      isNews(before, at("2026-03-01T11:00:00.000Z", { usage: [sum("2026-03-01", 1), sum("2026-03-02", 3)] }))
    )
  })
})
