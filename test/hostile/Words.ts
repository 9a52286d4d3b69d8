/** What a field's name says about its values, where the document does not. */
import type { Chance } from "../support/Chance.ts"

const queues = ["incoming", "incoming", "provisional", "provisional", "needs_continuation"]
const count = (random: Chance) => random.between(0, 5)
/** A boolean in a query, in every spelling that clients write. The document only says that it is one. */
export const flag = (random: Chance) => random.pick(["true", "True", "TRUE", "1", "false", "False", "FALSE", "0"])
export const instant = (random: Chance) => new Date(random.between(0, 4_000_000) * 1_000_000).toISOString()

/** What a field of this name holds, where any text or any JSON would fit the schema. */
export const words: { readonly [name: string]: (random: Chance) => unknown } = {
  queue: (random) => random.pick(queues),
  claims_from: (random) => random.pick(queues),
  priority: (random) => random.pick(["P0", "P1", "P2", "P3"]),
  status: (random) => random.pick(["active", "pending", "done", "failed", "completed"]),
  name: (random) => random.pick(["alpha", "beta", "gamma", "delta"]),
  type: (random) => random.pick(["comment", "question", "bug"]),
  limit: (random) => String(random.between(1, 100)),
  offset: count,
  depth: count,
  pr_number: count,
  max_claimed: (random) => random.between(3, 50),
  // A claim that waits does so in real time.
  wait_seconds: (random) => random.happens(0.9) ? 0 : 1,
  lease_duration_seconds: (random) => random.between(1, 3600),
  hooks: () => [{ name: "tests", point: "before_submit", type: "script", status: "pending" }],
  hookName: () => "tests",
  states: () => ["incoming", "claimed", "provisional", "done", "checking"],
  transitions: () => [{ from: "claimed", to: "checking" }, { from: "checking", to: "done" }],
  child_flow: () => ({ transitions: [{ from: "claimed", to: "provisional" }] }),
  cluster: (random) => random.pick(["north", "south"]),
  machine_id: (random) => `m${random.between(1, 8)}`,
  Prefer: () => "return=minimal",
  url: () => "https://hooks.example.com/octopoid",
  session_url: () => "https://agents.example.com/session/1",
  types: () => ["created", "accepted"],
  template: () => ({ text: "{{title}}" }),
  kind: () => "test",
  commit: (random) => random.pick(["0a1b2c3", "4d5e6f7"]),
  head_commit: (random) => random.pick(["0a1b2c3", "4d5e6f7"]),
  // At a cap, no claim would get a task, and later requests about held tasks would all be refused.
  max_tokens: () => 1_000_000_000,
  max_cost_usd: () => 1_000_000,
  // A breaker that opens stops claims too.
  threshold: () => 100,
  // A time of long ago parks nothing for long.
  until: (random) => new Date(random.between(0, 1000) * 1_000_000).toISOString(),
  timestamp: instant,
  expires_at: instant
}

// Fields that the document lets a request leave out, and a sentence in it does not.
export const needed = new Set(["branch", "status"])

export const sentences = ["plain", "Grüße, 世界 🐙", "two\nlines", "a longer sentence, with \"quotes\" and 'more'", "x"]
