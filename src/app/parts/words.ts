/** How numbers, times and states are written. */

// Tests on Node use this module too.
const language = (globalThis as { readonly navigator?: { readonly language: string } }).navigator?.language
const exactTime = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" })
const dayAndTime = new Intl.DateTimeFormat(language, { weekday: "short", hour: "2-digit", minute: "2-digit" })
const count = new Intl.NumberFormat(language)
const money = new Intl.NumberFormat(language, { style: "currency", currency: "USD" })
const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 })

/** The instant to the second, in the zone of the viewer. */
export const exact = (iso: string | number): string => exactTime.format(new Date(iso))
export const clock = (iso: string | number): string => dayAndTime.format(new Date(iso))
export const number = (n: number): string => count.format(n)
export const dollars = (usd: number): string => money.format(usd)
export const compact = (n: number): string => short.format(n)

/** A length of time in its two largest units: `2 h 5 m`. */
export const span = (millis: number): string => {
  const seconds = Math.round(Math.abs(millis) / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} m`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} m`
  return `${Math.floor(hours / 24)} d`
}

export const plural = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`

/** The tone of a state decides its colour and its icon, everywhere. */
export type Tone =
  | "ready"
  | "held"
  | "review"
  | "done"
  | "failed"
  | "rejected"
  | "lost"
  | "waiting"
  | "cancelled"
  | "other"

const tones: Record<string, Tone> = {
  incoming: "ready",
  claimed: "held",
  provisional: "review",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
  needs_continuation: "waiting",
  "requires-intervention": "waiting",
  created: "ready",
  imported: "ready",
  accepted: "done",
  submitted: "review",
  review_claimed: "review",
  rejected: "rejected",
  dependency_failed: "failed",
  lease_expired: "lost",
  review_lease_expired: "lost",
  deadline_exceeded: "lost",
  cancel_requested: "cancelled",
  asked: "waiting",
  answered: "ready",
  redriven: "ready",
  requeued: "waiting",
  released: "ready",
  unblocked: "ready",
  deleted: "cancelled",
  active: "done",
  offline: "lost",
  maintenance: "waiting"
}

/** The tone of a queue, an event or the status of a machine. */
export const toneOf = (state: string): Tone => tones[state] ?? "other"

/** A queue or an event in words: `lease_expired` is "lease expired". */
export const words = (state: string): string => state.replaceAll("_", " ").replaceAll("-", " ")

/** An address that may be a link: texts of agents may be anything. */
export const safeAddress = (text: string | null | undefined): string | undefined =>
  text != null && /^https?:\/\//i.test(text) && URL.canParse(text) ? text : undefined

/** A sentence of the server with its instants in the zone of the viewer. */
export const local = (sentence: string): string =>
  sentence.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (instant) => exact(instant))
