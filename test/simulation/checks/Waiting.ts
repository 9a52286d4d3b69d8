/**
 * Parked accounts and questions: no claim with an account before its time, no lease while a task waits for a reply, no attempt spent, and
 * the answer is in the next handoff.
 */
import type { Exchange } from "../Exchange.ts"
import type { Commit } from "../Ledger.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"

interface Answered {
  readonly question_id: string
  readonly message_id: string
}

const untried = new Set(["asked", "parked", "answered"])
const counters = ["attempt_count", "lease_losses", "rejection_count"] as const

const unparked = ({ asked, sent }: Exchange): string | undefined =>
  sent?.method === "DELETE" && sent.url.pathname.startsWith("/api/v1/parks/")
    ? decodeURIComponent(asked.verb)
    : undefined

export const make = ({ asking, journal, raw }: World) => {
  /** Until when each account is parked, as the requests that parked it said. */
  const parked = new Map<string, number>()
  /** The latest answer about each task, and that which each grant has to tell of. */
  const answers = new Map<string, Answered>()
  const handoffs = new Map<string, Answered>()
  const stored = raw.prepare(
    "SELECT scope || ' ' || account AS name, until FROM parked_accounts WHERE until > ? ORDER BY name"
  )
  const replies = raw.prepare("SELECT count(*) AS n FROM messages WHERE parent_message_id = ?")

  const committed = (exchange: Exchange | undefined, { after, before, entries, now }: Commit) => {
    if (!asking) return
    const free = exchange && unparked(exchange)
    if (free !== undefined) parked.delete(`${exchange!.scope} ${free}`)
    for (const [id, written] of entries) {
      const [was, is] = [before.get(id), after.get(id)]
      for (const { at, details, event, scope } of written) {
        if (event === "created" || event === "deleted") answers.delete(id)
        if (event === "answered") answers.set(id, JSON.parse(details!))
        if (event === "parked") {
          const { account, until } = JSON.parse(details!)
          const end = Date.parse(until)
          const name = `${scope} ${account}`
          if (end > at) parked.set(name, Math.max(parked.get(name) ?? 0, end))
        }
        if (untried.has(event)) {
          for (const counter of counters) {
            ensure(is?.[counter] === was?.[counter], () => `${id}: ${event} counted as ${counter}`)
          }
        }
        if (event !== "claimed" && event !== "review_claimed") continue
        ensure(was?.waiting_for_reply == null, () => `${id} was granted while it waited for ${was?.waiting_for_reply}`)
        const known = answers.get(id)
        if (known !== undefined && is !== undefined) handoffs.set(`${id} ${is.grants}`, known)
        const account = exchange?.body?.account
        if (account == null) continue
        const until = parked.get(`${scope} ${account}`) ?? 0
        ensure(until <= at, () => `${exchange!.name} got ${id}, and ${account} is parked for ${until - at} ms more`)
        if (until > 0) journal.saw("an account claimed after it had been parked")
      }
    }
    for (const { claimed_by, id, waiting_for_reply } of after.values()) {
      if (waiting_for_reply === null) continue
      ensure(claimed_by === null, () => `${claimed_by} holds ${id}, which waits for the reply to ${waiting_for_reply}`)
      const { n } = replies.get(waiting_for_reply) as { readonly n: number }
      ensure(n === 0, () => `${id} waits for the reply to ${waiting_for_reply}, which has ${n}`)
    }
    const expected = [...parked].filter(([, until]) => until > now).toSorted(([a], [b]) => a < b ? -1 : 1)
    const found = stored.all(now).map(({ name, until }) => [name, until])
    ensure(
      JSON.stringify(found) === JSON.stringify(expected),
      () => `${JSON.stringify(found)} are parked, and ${JSON.stringify(expected)} were`
    )
  }

  const answered = (exchange: Exchange, status: number, text: string) => {
    if (!asking || exchange.asked.verb !== "claim") return
    if (status === 404 && text.includes("account_parked")) journal.saw("claim account_parked")
    if (status === 404 && text.includes("\"waiting_for_reply\":1")) journal.saw("claim waiting_for_reply")
    if (status !== 200) return
    const { fencing_token, handoff, id } = JSON.parse(text)
    const known = handoffs.get(`${id} ${fencing_token}`)
    if (known === undefined) return
    journal.saw("a handoff had an answer")
    ensure(
      handoff.answers.some(({ question_id, reply_id }: any) =>
        question_id === known.question_id && reply_id === known.message_id
      ),
      () => `${exchange.name} got ${id} without the answer ${known.message_id} to ${known.question_id}`
    )
  }

  return { committed, answered }
}
