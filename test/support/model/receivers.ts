/**
 * Webhooks of the scope red: what each receiver accepts is the feed that the model predicts, filtered, in order, with each gap
 * that retention left. The receivers fail now and then.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { TaskEvent } from "../../../src/domain/feed/Event.ts"
import { ScopeName } from "../../../src/domain/Identifier.ts"
import { Fetch } from "../../../src/services/feed/send.ts"
import { noCost } from "../../../src/sql/Database.ts"
import type { Bench } from "./Bench.ts"

const scope = ScopeName.make("red")
const by = { kind: "anonymous" } as const

/** An accepted message: an event, or the numbers of a gap. */
interface Accepted {
  readonly id: string
  readonly type: string
  readonly data: { readonly seq: number; readonly after: number; readonly next: number; readonly event: string }
}

const filters: Readonly<Record<string, ReadonlyArray<string>>> = {
  all: [],
  some: ["claimed", "failed", "lease_expired", "deleted"]
}

/** Without the repetitions that follow a lost answer: the message that was sent last is sent again. */
const distinct = (messages: ReadonlyArray<Accepted>) => messages.filter(({ id }, n) => id !== messages[n - 1]?.id)

export const make = Effect.fnUntraced(function*(
  { deliveries, pass, webhooks }: Bench,
  got: ReadonlyMap<string, ReadonlyArray<TaskEvent>>
) {
  const accepted = new Map(Object.keys(filters).map((name) => [name, [] as Array<Accepted>]))
  let sent = 0
  const answer: typeof globalThis.fetch = async (input, init) => {
    // Every fifth message is not accepted, and of every seventh the answer is lost.
    sent++
    const message = { id: new Headers(init?.headers).get("webhook-id")!, ...JSON.parse(String(init?.body)) } as Accepted
    if (sent % 5 === 0) return new Response("no", { status: 500 })
    accepted.get(new URL(String(input)).pathname.slice(1))!.push(message)
    if (sent % 7 === 0) throw new TypeError("the connection was lost")
    return new Response("ok")
  }
  for (const [name, types] of Object.entries(filters)) {
    yield* Effect.orDie(webhooks.register(scope, { url: `https://hooks.example.com/${name}`, types: [...types] }, by))
  }
  let commands = 0

  const receiving = <A, E>(sending: Effect.Effect<A, E>) => Effect.provideService(sending, Fetch, answer)

  const deliver = receiving(
    // Each is the work after a request of its own, which may send so many statements.
    Effect.repeat(Effect.suspend(() => deliveries.afterCommit(new Set([scope]), noCost())), { times: 2 })
  )

  const check = (complete: boolean) => {
    const feed = got.get(scope)!
    for (const [name, types] of Object.entries(filters)) {
      const missing = new Set<number>()
      let place = 0
      const events: Array<number> = []
      for (const { data, type } of distinct(accepted.get(name)!)) {
        if (type === "gap") {
          // If its answer was lost, it comes again, and retention may have widened it.
          assert.isAtLeast(data.next, place, `a gap of ${name} comes in order`)
          for (let seq = data.after + 1; seq <= data.next; seq++) missing.add(seq)
          place = data.next
        } else {
          assert.isAbove(data.seq, place, `an event of ${name} comes in order`)
          assert.strictEqual(data.event, feed[data.seq - 1]?.event)
          events.push(data.seq)
          place = data.seq
        }
      }
      const expected = feed.filter(({ event, seq }) =>
        (complete || seq <= place) && (!missing.has(seq) || events.includes(seq)) &&
        (types.length === 0 || types.includes(event))
      )
      assert.deepStrictEqual(events, expected.map(({ seq }) => seq), `what the receiver ${name} got`)
    }
  }

  return {
    /** Lets the receivers get what is sent meanwhile. */
    receiving,
    /** Sends now and then, so that retention overtakes the receivers. */
    follow: Effect.gen(function*() {
      if (++commands % 6 !== 0) return
      yield* deliver
      check(false)
    }),
    /** In the end each receiver has everything. */
    whole: Effect.gen(function*() {
      for (let n = 0; n < 100; n++) {
        const positions = (yield* webhooks.list(scope)).map(({ position }) => position)
        if (positions.every((position) => position === got.get(scope)!.length)) break
        yield* deliver
        yield* pass(3_600_000 / 8)
      }
      check(true)
    })
  }
})
