/** The events since an instant, read page by page, and then as they happen. */
import { createEffect, createSignal, on, onCleanup } from "solid-js"
import { read } from "../../api/call.ts"
import { type FeedEvent, isOfTask, type TaskEvent } from "../../api/Contract.ts"
import { onEvents } from "../../api/live.ts"
import { sentenceOf } from "../../api/query.ts"
import { scope, who } from "../../api/session.ts"
import { readTypes } from "./endings.ts"

/** How many pages are read without being asked. Each looks at 500 changes. */
const MaxPages = 40

export const createEvents = (since: () => string) => {
  const [events, setEvents] = createSignal<ReadonlyArray<TaskEvent>>()
  const [refusal, setRefusal] = createSignal<string>()
  /** How much was read, from 0 to 1. */
  const [progress, setProgress] = createSignal(0)
  /** Where to go on, if there is more than was read. */
  const [rest, setRest] = createSignal<number>()
  let turn = 0

  const add = (found: ReadonlyArray<FeedEvent>) =>
    setEvents((before = []) => {
      const known = new Set(before.map(({ seq }) => seq))
      const added = found.filter(isOfTask).filter(({ event, seq }) => readTypes.includes(event) && !known.has(seq))
      return added.length === 0 ? before : [...before, ...added].sort((a, b) => a.seq - b.seq)
    })

  const readOn = async (from: { readonly since: string } | { readonly after: string }) => {
    const own = ++turn
    const query = { scope: scope(), types: readTypes.join(","), limit: "500" }
    let place: { readonly since: string } | { readonly after: string } = from
    try {
      for (let pages = 0;; pages++) {
        const page = await read("GET /api/v1/events", { query: { ...query, ...place } })
        if (own !== turn) return
        // An earlier event than asked for may come, because the clocks of servers differ.
        add(page.events.filter(({ at }) => at >= since()))
        const isLast = page.next >= page.latest
        setProgress(isLast || pages === MaxPages ? 1 : page.next / page.latest)
        if (isLast) return void setRest(undefined)
        if (pages === MaxPages) return void setRest(page.next)
        place = { after: String(page.next) }
      }
    } catch (error) {
      if (own === turn) setRefusal(sentenceOf(error))
    }
  }

  createEffect(on([since, scope, who], ([from, , { kind }]) => {
    turn++
    if (kind !== "known") return
    setEvents(undefined)
    setProgress(0)
    setRefusal(undefined)
    setRest(undefined)
    void readOn({ since: from })
  }))
  onCleanup(onEvents((found) => {
    // What is not read yet comes with the rest.
    if (rest() === undefined) add(found)
  }))
  onCleanup(() => turn++)

  return {
    events,
    refusal,
    progress,
    rest,
    readRest: () => {
      const after = rest()
      if (after !== undefined) void readOn({ after: String(after) })
    }
  }
}
