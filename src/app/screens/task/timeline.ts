/** The story of a task in one line of time: its history, its mail and its last checkpoint, by attempts. */
import type { Handoff, HistoryEntry, Message } from "../../api/Contract.ts"

export type Item =
  | { readonly kind: "change"; readonly at: string; readonly entry: HistoryEntry }
  | { readonly kind: "message"; readonly at: string; readonly message: Message }
  | { readonly kind: "checkpoint"; readonly at: string; readonly checkpoint: NonNullable<Handoff["checkpoint"]> }

/** What one holder did, or the time in which nobody held the task. */
export interface Chapter {
  /** The holder; undefined while nobody held the task. */
  readonly holder: string | undefined
  /** Which attempt it is, from 1; undefined for a review, and while nobody held the task. */
  readonly attempt: number | undefined
  readonly from: string
  /** When the lease ended; undefined if it did not. */
  readonly until: string | undefined
  /** The event that ended it. */
  readonly end: string | undefined
  /** The oldest first. */
  readonly items: ReadonlyArray<Item>
}

const begins = new Set(["claimed", "review_claimed", "reattached"])

/** Changes that leave the lease as it is. Every other change of a held task ends it. */
const keeps = new Set([
  "edited",
  "patched",
  "cancel_requested",
  "hook_completed",
  "dependencies_changed",
  "blockers_changed",
  "unblocked",
  "imported"
])

const rank = { change: 0, checkpoint: 1, message: 2 }

const itemsOf = (
  history: ReadonlyArray<HistoryEntry>,
  messages: ReadonlyArray<Message>,
  checkpoint: Handoff["checkpoint"]
): ReadonlyArray<Item> =>
  [
    ...history.map((entry): Item => ({ kind: "change", at: entry.at, entry })),
    ...messages.map((message): Item => ({ kind: "message", at: message.created_at, message })),
    ...(checkpoint === null ? [] : [{ kind: "checkpoint", at: checkpoint.at, checkpoint } as const])
  ].toSorted((a, b) => a.at.localeCompare(b.at) || rank[a.kind] - rank[b.kind])

/** A PATCH may end a lease, by moving the task. */
const endsLease = ({ event, from_queue, to_queue }: HistoryEntry) => !keeps.has(event) || from_queue !== to_queue

/** The chapters, the oldest first. */
export const chaptersOf = (
  history: ReadonlyArray<HistoryEntry>,
  messages: ReadonlyArray<Message>,
  checkpoint: Handoff["checkpoint"]
): ReadonlyArray<Chapter> => {
  const chapters: Array<Chapter & { items: Array<Item>; until: string | undefined; end: string | undefined }> = []
  let attempts = 0
  const open = (item: Item, holder: string | undefined, attempt: number | undefined) => {
    chapters.push({ holder, attempt, from: item.at, until: undefined, end: undefined, items: [] })
  }
  for (const item of itemsOf(history, messages, checkpoint)) {
    const present = chapters.at(-1)
    if (item.kind === "change" && begins.has(item.entry.event)) {
      const { actor, event } = item.entry
      if (event === "claimed") attempts++
      open(item, actor ?? "somebody", event === "review_claimed" ? undefined : attempts)
    } else if (present === undefined || (present.end !== undefined && present.holder !== undefined)) {
      open(item, undefined, undefined)
    }
    const chapter = chapters.at(-1)!
    chapter.items.push(item)
    const isEnd = item.kind === "change" && !begins.has(item.entry.event) && endsLease(item.entry)
    if (chapter.holder !== undefined && chapter.end === undefined && isEnd) {
      chapter.until = item.at
      chapter.end = item.entry.event
    }
  }
  return chapters
}
