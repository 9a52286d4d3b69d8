/** Receives the webhook of a scope. In bad weather it hangs, fails, or accepts a message and its answer is lost. */
import type { Process } from "../Timeline.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"

export const urlOf = (scope: string): string => `https://receiver.example/${scope}`

/** What an isolate sends its messages with. An isolate that has ended gets no answer. */
export const fetchFor = (world: World, process: Process) => (input: string | URL | Request, init?: RequestInit) => {
  const scope = new URL(input instanceof Request ? input.url : input).pathname.slice(1)
  const { data } = JSON.parse(String(init?.body))
  const { chance, delay, timeline, weather } = world
  return new Promise<Response>((resolve, reject) => {
    timeline.after(delay(1, 200), `${scope} receives ${data.seq}`, undefined, () => {
      const fate = weather.slow === 0
        ? "accepts"
        : chance.pick(["accepts", "accepts", "accepts", "fails", "hangs", "forgets"])
      world.journal.saw(`a receiver that ${fate}`)
      if (fate === "hangs") return
      if (fate !== "fails") {
        world.received.set(scope, [...world.received.get(scope) ?? [], data.seq])
      }
      timeline.after(delay(1, 200), `${process.name} is answered by ${scope}`, process, () => {
        if (fate === "forgets") reject(new TypeError("fetch failed"))
        else resolve(new Response(null, { status: fate === "fails" ? 503 : 204 }))
      })
    })
  })
}

/** Whether the webhook of each scope has come to the end of its feed. */
export const isDone = ({ raw }: World): boolean =>
  raw.prepare(`
    SELECT 1 FROM webhooks JOIN queue_counts ON queue_counts.scope = webhooks.scope
    WHERE position < seq OR disabled_at IS NOT NULL`).get() === undefined

/** The receiver of a scope got every event of the feed at least once. Without repetitions they are in order. */
export const check = ({ raw, received }: World, scope: string): void => {
  const got = received.get(scope) ?? []
  const first = got.filter((seq, at) => got.indexOf(seq) === at)
  const rows = raw.prepare("SELECT seq FROM history WHERE scope = ? AND seq IS NOT NULL ORDER BY seq").all(scope)
  ensure(
    first.join() === rows.map(({ seq }) => seq).join(),
    () => `the receiver of ${scope} got ${first.join()} of ${rows.length} events`
  )
}
