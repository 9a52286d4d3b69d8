/** Usage: each report that an answer confirms is counted once, and the sums of tasks, days and models agree. */
import type { DatabaseSync } from "node:sqlite"
import type { Exchange } from "../Exchange.ts"
import type { Commit } from "../Ledger.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"

/** The tokens that a request reports for a task. */
const reportedIn = ({ asked, body }: Exchange, id: string): number | undefined =>
  asked.verb === "heartbeat"
    ? body?.leases?.findLast(({ task_id }: any) => task_id === id)?.usage?.input_tokens
    : asked.id === id
    ? body?.usage?.input_tokens
    : undefined

/** The same request is sent again under the same key. */
const requestOf = ({ name, scope, sent }: Exchange) => `${scope} ${sent?.headers["idempotency-key"] ?? name}`

export const make = ({ journal }: World, raw: DatabaseSync) => {
  const counted = new Set<string>()
  let total = 0
  const sums = raw.prepare(`
    SELECT coalesce(sum(input_tokens), 0) AS tokens,
      coalesce(sum((SELECT sum(value ->> 1) FROM json_each(models))), 0) AS models FROM usage`)

  return {
    committed: (exchange: Exchange | undefined, { after, before }: Commit) => {
      for (const [id, { input_tokens: now }] of after) {
        const added = now - (before.get(id)?.input_tokens ?? 0)
        if (added === 0) continue
        const reported = exchange && reportedIn(exchange, id)
        ensure(added === reported, () => `${id} used ${added} more by ${exchange?.name}, which reported ${reported}`)
        const report = `${requestOf(exchange!)} ${id}`
        ensure(!counted.has(report), () => `${exchange!.name} was counted twice for ${id}`)
        counted.add(report)
        total += added
        journal.saw(`usage by ${exchange!.asked.verb}`)
      }
    },
    answered: (exchange: Exchange, status: number) => {
      const { id } = exchange.asked
      if (status >= 300 || id === undefined || !reportedIn(exchange, id)) return
      ensure(
        counted.has(`${requestOf(exchange)} ${id}`),
        () => `${exchange.name} was answered ${status}, and its usage was not counted`
      )
    },
    end: () => {
      const { models, tokens } = sums.get() as { readonly models: number; readonly tokens: number }
      ensure(tokens === total, () => `the days have ${tokens} tokens, and ${total} were reported`)
      ensure(models === total, () => `the models have ${models} tokens, and ${total} were reported`)
    }
  }
}
