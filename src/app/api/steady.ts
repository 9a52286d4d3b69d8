/** A list that does not move under the eyes of its reader. */
import { createEffect, createMemo, createSignal, on } from "solid-js"

export interface Steady<A> {
  /** The entries that are shown, each as it is now. `gone` are those that the server no longer lists. */
  readonly shown: () => ReadonlyArray<{ readonly id: string; readonly item: A; readonly gone: boolean }>
  /** How many entries came since, and are not shown yet. */
  readonly waiting: () => number
  readonly gone: () => number
  /** Shows the list as it is now. */
  readonly renew: () => void
}

/**
 * Shows the entries that were there first, in their order. New ones wait, unless they go to the end, where nothing
 * moves (`appends`); entries that the server no longer lists stay as they were last, and are marked. The list is
 * renewed when `about` changes.
 */
export const createSteady = <A>(
  items: () => ReadonlyArray<A> | undefined,
  idOf: (item: A) => string,
  { about = () => undefined, appends = false }: { readonly about?: () => unknown; readonly appends?: boolean } = {}
): Steady<A> => {
  const present = createMemo(() => {
    const found = items()
    return found === undefined ? undefined : new Map(found.map((item) => [idOf(item), item]))
  })
  const [order, setOrder] = createSignal<ReadonlyArray<string>>([])
  const last = new Map<string, A>()
  let renewing = true

  const renew = () => {
    const found = present()
    last.clear()
    for (const [id, item] of found ?? []) last.set(id, item)
    setOrder([...(found?.keys() ?? [])])
    renewing = found === undefined
  }
  createEffect(on(createMemo(about), () => {
    renewing = true
    renew()
  }))
  createEffect(on(present, (found) => {
    if (found === undefined) return
    // An empty list has no reader.
    if (renewing || order().length === 0) return renew()
    for (const [id, item] of found) if (last.has(id)) last.set(id, item)
    if (!appends) return
    const added = [...found.keys()].filter((id) => !last.has(id))
    for (const id of added) last.set(id, found.get(id)!)
    if (added.length > 0) setOrder((before) => [...before, ...added])
  }))

  const shown = createMemo(() => {
    const found = present()
    return order().flatMap((id) => {
      const item = found?.get(id) ?? last.get(id)
      return item === undefined ? [] : [{ id, item, gone: found !== undefined && !found.has(id) }]
    })
  })
  return {
    shown,
    waiting: () => [...(present()?.keys() ?? [])].filter((id) => !order().includes(id)).length,
    gone: () => shown().filter(({ gone }) => gone).length,
    renew
  }
}
