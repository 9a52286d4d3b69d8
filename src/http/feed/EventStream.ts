/**
 * The feed as Server-Sent Events: looks at the feed every two seconds, and every ten if nothing happens. It ends when
 * the request has sent as many statements as D1 allows on the free plan. The client then connects again.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type EventPage, TaskEvent } from "../../domain/feed/Event.ts"
import { fits } from "../../sql/Database.ts"

/** The time between two looks, in milliseconds: it doubles while nothing happens. */
const Shortest = 2000
const Longest = 10_000

const encode = Schema.encodeSync(TaskEvent)

/**
 * A page as text. A block with only an `id` is no message, but the client keeps the number and sends it when it
 * connects again. A comment shows whether the client still listens.
 */
const textOf = ({ after, events, gap, next }: EventPage): string => {
  const last = events.at(-1)?.seq ?? after
  return [
    ...gap ? [`event: gap\ndata: ${JSON.stringify({ after, next })}\n\n`] : [],
    ...events.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(encode(event))}\n\n`),
    ...last < next ? [`id: ${next}\n\n`] : events.length === 0 ? [": nothing new\n\n"] : []
  ].join("")
}

interface State {
  readonly after: number
  readonly wait: number
}

const following = ({ events, latest, next }: EventPage, wait: number): State => ({
  after: next,
  wait: next < latest ? 0 : events.length > 0 ? Shortest : Math.min(Math.max(wait * 2, Shortest), Longest)
})

/** The answer that begins with the first page and goes on with `look`. */
export const answer = Effect.fnUntraced(function*<E, R>(
  first: EventPage,
  look: (after: number) => Effect.Effect<EventPage, E, R>
) {
  const context = yield* Effect.context<R>()
  const start = `retry: ${Shortest}\nid: ${first.after}\n\n${textOf(first)}`
  const later = Stream.paginate(following(first, 0), ({ after, wait }: State) =>
    Effect.gen(function*() {
      if (!(yield* fits(1))) return [[], Option.none<State>()] as const
      yield* Effect.sleep(wait)
      const page = yield* look(after)
      return [[textOf(page)], Option.some(following(page, wait))] as const
    }).pipe(
      // The answer has begun, so its status cannot change. It ends; the client connects again, and that request is
      // refused.
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause as Cause.Cause<never>)
          : Effect.as(
            Effect.logWarning("a stream of events ended early", cause),
            [[], Option.none<State>()] as const
          )
      )
    ))
  return HttpServerResponse.stream(
    Stream.make(start).pipe(Stream.concat(later), Stream.encodeText, Stream.provideContext(context)),
    { contentType: "text/event-stream", headers: { "cache-control": "no-store", "vary": "Authorization, Accept" } }
  )
})
