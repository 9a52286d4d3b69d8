/**
 * The tasks of a project in one queue, read page by page as the viewer scrolls. It is not read again with every change:
 * the feed says which tasks left and how many came, and the column is renewed when nobody reads it, or on demand.
 */
import { createEffect, createSignal, on, onCleanup } from "solid-js"
import { read } from "../../api/call.ts"
import { isOfTask, type Task } from "../../api/Contract.ts"
import { onEvents } from "../../api/live.ts"
import { sentenceOf } from "../../api/query.ts"
import { scope } from "../../api/session.ts"
import { changesOf } from "./changes.ts"

/** How many tasks are read at once: the longest page that the server has. */
export const PageSize = 500

export interface Column {
  readonly tasks: () => ReadonlyArray<Task>
  /** How many tasks of the column the server has, as far as is known. */
  readonly total: () => number
  /** The tasks that went elsewhere since, and where. */
  readonly left: () => ReadonlyMap<string, string>
  /** How many came since. */
  readonly came: () => number
  readonly refusal: () => string | undefined
  /** Reads on, up to this many. */
  readonly need: (count: number) => void
  readonly renew: () => void
}

export const createColumn = (
  project: () => string,
  queue: string,
  { counted, isRead }: { readonly counted: () => number; readonly isRead: () => boolean }
): Column => {
  const [tasks, setTasks] = createSignal<ReadonlyArray<Task>>([])
  const [total, setTotal] = createSignal<number>()
  const [changes, setChanges] = createSignal<ReturnType<typeof changesOf>>({
    left: new Map(),
    came: new Set(),
    touched: false
  })
  const [refusal, setRefusal] = createSignal<string>()
  let turn = 0
  let next: string | null = null
  let busy = false
  let needed = 0

  const load = async (own: number, from: "first" | "next") => {
    busy = true
    try {
      const cursor = from === "first" || next === null ? {} : { cursor: next }
      const page = await read(
        "GET /api/v1/tasks",
        {
          query: {
            scope: scope(),
            project_id: project(),
            queue,
            sort: "priority",
            content: "false",
            limit: String(PageSize),
            ...cursor
          }
        } as Parameters<typeof read<"GET /api/v1/tasks">>[1]
      )
      if (own !== turn) return
      next = page.next_cursor ?? null
      // The cards of tasks that stay in their place are kept.
      setTasks((before) => from === "first" ? page.tasks : [...before, ...page.tasks])
      setTotal(page.total)
      if (from === "first") setChanges({ left: new Map(), came: new Set(), touched: false })
      setRefusal(undefined)
    } catch (error) {
      if (own === turn) setRefusal(sentenceOf(error))
      needed = 0
    } finally {
      if (own === turn) busy = false
    }
    if (own === turn) want()
  }
  const want = () => {
    if (!busy && next !== null && tasks().length < needed) void load(turn, "next")
  }
  const renew = () => {
    needed = 0
    void load(++turn, "first")
  }
  createEffect(on([project, scope], () => {
    setTasks([])
    setTotal(undefined)
    renew()
  }))
  onCleanup(onEvents((events) => {
    const shown = new Set(tasks().map(({ id }) => id))
    const found = changesOf(events.filter(isOfTask), { project: project(), queue, shown }, {
      left: changes().left,
      came: changes().came
    })
    if (!found.touched) return
    setChanges(found)
    if (!isRead()) renew()
  }))
  onCleanup(() => turn++)
  return {
    tasks,
    total: () => total() ?? counted(),
    left: () => changes().left,
    came: () => changes().came.size,
    refusal,
    need: (count) => {
      needed = Math.max(needed, count)
      want()
    },
    renew
  }
}
