/**
 * What happens on the server while the page is open. One loop looks at the feed and at the overview by turns: four
 * looks a minute while nothing happens, more often for a while after something did, and none while the page is hidden.
 * A look without news costs two rows. While the server sends the feed by itself (`push.ts`), only the overview is
 * looked at: half as often, and when something was sent.
 */
import { createEffect, createSignal, on } from "solid-js"
import { read, Refused, Unreachable } from "./call.ts"
import type { FeedEvent, Overview } from "./Contract.ts"
import { isNews } from "./overviewNews.ts"
import { createPush, type Page, type Push } from "./push.ts"
import { scope, who } from "./session.ts"

/** The pause between two looks, in milliseconds: usually, and after something happened. */
const Idle = 15_000
const Lively = 3000

/** For how long looks are frequent after something happened. */
const LivelyFor = 30_000

/** The longest pause after failures. */
const Longest = 60_000

/** How old the last answer may be before the page says so. */
const StaleAfter = 50_000

export type Connection = "loading" | "live" | "stale" | "offline"

const [overview, setOverview] = createSignal<Overview>()
const [answeredAt, setAnsweredAt] = createSignal<number>()
const [failure, setFailure] = createSignal<string>()
const [now, setNow] = createSignal(Date.now())
/** Rises whenever there is something new. Queries read again then. */
const [news, setNews] = createSignal(0)

/** `now` moves on by itself. Times that are shown as distances ("5 minutes ago") follow it. */
export { answeredAt, failure, news, now, overview }

export const connection = (): Connection => {
  if (failure() !== undefined) return "offline"
  const at = answeredAt()
  return at === undefined ? "loading" : now() - at > StaleAfter ? "stale" : "live"
}

const listeners = new Set<(events: ReadonlyArray<FeedEvent>) => void>()

/** Calls the listener with each change of the scope from now on. Answers how to stop that. */
export const onEvents = (listener: (events: ReadonlyArray<FeedEvent>) => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

interface Loop {
  readonly scope: string
  readonly push: Push
  after: number | undefined
  timer: ReturnType<typeof setTimeout> | undefined
  livelyUntil: number
  /** When the last look ended. */
  lookedAt: number
  /** Whether something happened that no look has told yet. */
  untold: boolean
  failures: number
  turn: number
  stopped: boolean
}
let loop: Loop | undefined
let followed: string | undefined

const lookAtOverview = async (own: Loop) => {
  const before = overview()
  const found = await read("GET /api/v1/overview", { query: { scope: own.scope } })
  if (own.stopped || found === before) return false
  setOverview(found)
  return before !== undefined && isNews(before, found)
}

/** Goes on to the end of the page. Answers whether it has something new: a look and a socket may bring the same. */
const take = (own: Loop, page: Page): boolean => {
  const place = own.after ?? page.after
  if (own.after !== undefined && page.next <= place) return false
  own.after = page.next
  const events = page.events.filter(({ seq }) => seq > place)
  if (events.length > 0) { for (const listener of listeners) listener(events) }
  return events.length > 0 || page.gap
}

const lookAtFeed = async (own: Loop) => {
  const page = await read("GET /api/v1/events", {
    query: { scope: own.scope, after: own.after === undefined ? "latest" : String(own.after), limit: "500" }
  })
  return !own.stopped && take(own, page)
}

const look = async (own: Loop) => {
  clearTimeout(own.timer)
  own.timer = undefined
  const first = own.after === undefined
  const pushed = own.push.works()
  let changed = own.untold
  own.untold = false
  try {
    try {
      if (first || (!pushed && own.turn % 2 === 0)) changed = (await lookAtFeed(own)) || changed
    } catch (error) {
      // The database was restored, so the page shows a state that is gone.
      if (!(error instanceof Refused && error.body._tag === "InvalidPlace")) throw error
      own.after = undefined
      changed = true
    }
    // What heartbeats, messages and registrations change is not in the feed.
    if (first || changed || pushed || own.turn % 2 === 1) changed = (await lookAtOverview(own)) || changed
    if (own.stopped) return
    // The first look without a socket is one at the feed.
    own.turn = pushed ? 0 : own.turn + 1
    own.failures = 0
    setFailure(undefined)
    setAnsweredAt(Date.now())
    if (changed) {
      own.livelyUntil = Date.now() + LivelyFor
      setNews((n) => n + 1)
    }
  } catch (error) {
    if (own.stopped) return
    if (!(error instanceof Refused || error instanceof Unreachable)) throw error
    own.failures++
    own.untold ||= changed
    own.push.close()
    // A key that is refused is the business of the session.
    if (!(error instanceof Refused && error.status === 401)) setFailure(error.message)
  }
  setNow(Date.now())
  own.lookedAt = Date.now()
  if (document.hidden || who().kind !== "known") return
  if (own.failures === 0 && own.after !== undefined) own.push.connect(own.after)
  const pause = own.failures > 0
    ? Math.min(Longest, 2000 * 2 ** (own.failures - 1))
    : own.untold
    ? Lively
    : (own.push.isOpen() ? 2 : 1) * (Date.now() < own.livelyUntil ? Lively : Idle)
  own.timer = setTimeout(() => void look(own), pause)
}

/**
 * What the server sent by itself. Screens read again with the next look, which comes at once, but not more often than
 * usual.
 */
const received = (own: Loop, page: Page) => {
  if (own.stopped || !take(own, page)) return
  own.untold = true
  // Without a timer a look is under way already.
  if (own.timer === undefined) return
  clearTimeout(own.timer)
  const left = own.lookedAt + Lively - Date.now()
  if (left <= 0) return void look(own)
  own.timer = setTimeout(() => void look(own), left)
}

const begin = (scope: string): Loop => {
  const push = createPush({
    scope,
    received: (page) => received(own, page),
    lost: () => {
      own.turn = 0
      if (own.timer !== undefined) void look(own)
    }
  })
  const own: Loop = {
    scope,
    push,
    after: undefined,
    timer: undefined,
    livelyUntil: 0,
    lookedAt: 0,
    untold: false,
    failures: 0,
    turn: 0,
    stopped: false
  }
  return own
}

/** Looks at once, and often for a while: after an action, and when somebody comes back to the page. */
export const lookNow = () => {
  if (loop === undefined) return
  loop.livelyUntil = Date.now() + LivelyFor
  // Without a timer a look is under way already, or the page is hidden.
  if (loop.timer !== undefined) void look(loop)
}

const stop = () => {
  if (loop === undefined) return
  loop.stopped = true
  loop.push.close()
  clearTimeout(loop.timer)
  loop = undefined
}

/** Follows the scope that is looked at. Belongs into the root of the page. */
export const follow = () => {
  createEffect(on([who, scope], ([{ kind }, chosen]) => {
    if (kind !== "known") return stop()
    // With another key, perhaps.
    if (loop?.scope === chosen) return loop.push.close()
    stop()
    setFailure(undefined)
    if (followed !== chosen) {
      setOverview(undefined)
      setAnsweredAt(undefined)
    }
    followed = chosen
    loop = begin(chosen)
    void look(loop)
  }))
  document.addEventListener("visibilitychange", () => {
    if (loop === undefined) return
    clearTimeout(loop.timer)
    loop.timer = undefined
    setNow(Date.now())
    if (document.hidden) loop.push.close()
    else void look(loop)
  })
  addEventListener("online", () => {
    if (loop?.timer !== undefined) void look(loop)
  })
  setInterval(() => {
    if (!document.hidden) setNow(Date.now())
  }, 5000)
}
