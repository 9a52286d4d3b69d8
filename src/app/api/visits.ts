/** When the viewer looked last, so that the page can say what happened since. Kept in the browser. */
const Kept = "octopoid.visits"

/** A pause as long as this ends a visit, in milliseconds. */
const Pause = 30 * 60_000

interface Visits {
  /** When the visit before this one ended; undefined if there was none. */
  readonly before: number | undefined
  readonly seen: number
}

const stored = (): Visits | undefined => {
  try {
    const { before, seen } = JSON.parse(localStorage.getItem(Kept) ?? "null") as Visits
    return typeof seen === "number" ? { before: typeof before === "number" ? before : undefined, seen } : undefined
  } catch {
    return undefined
  }
}

const last = stored()
const before = last === undefined ? undefined : Date.now() - last.seen > Pause ? last.seen : last.before

const note = () => {
  if (!document.hidden) localStorage.setItem(Kept, JSON.stringify({ before, seen: Date.now() } satisfies Visits))
}
note()
setInterval(note, 60_000)

/** When the viewer was here before, if ever. */
export const lastVisit = (): number | undefined => before
