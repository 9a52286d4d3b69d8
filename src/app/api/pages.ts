/** A list that is read page by page, as far as the viewer went. */
import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js"
import { read } from "./call.ts"
import type { Answer, Parts, Read } from "./Contract.ts"
import { news } from "./live.ts"
import { sentenceOf } from "./query.ts"
import { scope, who } from "./session.ts"

export interface Pages<I> {
  /** The items of all pages so far; undefined before the first one came. */
  readonly items: () => ReadonlyArray<I> | undefined
  readonly refusal: () => string | undefined
  /** Whether the server has more than these. */
  readonly hasMore: () => boolean
  readonly busy: () => boolean
  /** Reads the next page. */
  readonly more: () => void
  /** Reads from the beginning. */
  readonly again: () => void
}

/**
 * Reads the first page when the arguments or `follows` change, and as many pages again as the viewer has seen.
 * `itemsOf` takes the items from an answer.
 */
export const createPages = <R extends Read, I>(
  route: R,
  parts: () => { readonly params?: object; readonly query?: object } | undefined,
  itemsOf: (answer: Answer<R>) => ReadonlyArray<I>,
  follows: () => unknown = news
): Pages<I> => {
  const [items, setItems] = createSignal<ReadonlyArray<I>>()
  const [refusal, setRefusal] = createSignal<string>()
  const [next, setNext] = createSignal<string | null>(null)
  const [busy, setBusy] = createSignal(false)
  const [again, setAgain] = createSignal(0)
  let turn = 0
  let seen = 1
  let last: string | undefined
  onCleanup(() => turn++)

  const load = async (
    given: { readonly query?: object },
    from: { readonly items: ReadonlyArray<I>; readonly cursor: string | null },
    count: number
  ) => {
    const own = ++turn
    setBusy(true)
    try {
      let { cursor } = from
      const found = [...from.items]
      for (let page = 0; page < count && (page === 0 || cursor !== null); page++) {
        const query = { scope: scope(), ...given.query, ...(cursor === null ? {} : { cursor }) }
        const answer = await read(route, { ...given, query } as unknown as Parts<R>)
        if (own !== turn) return
        found.push(...itemsOf(answer))
        cursor = (answer as { readonly next_cursor?: string | null }).next_cursor ?? null
      }
      setItems(found)
      setNext(cursor)
      setRefusal(undefined)
    } catch (error) {
      if (own === turn) setRefusal(sentenceOf(error))
    } finally {
      if (own === turn) setBusy(false)
    }
  }

  // Arguments that are the same in another object are no other ones.
  const present = createMemo(() => {
    const given = parts()
    return given === undefined ? undefined : JSON.stringify([given, scope()])
  })
  createEffect(on([present, who, follows, again], ([asked, { kind }]) => {
    const given = parts()
    if (asked !== last) {
      turn++
      seen = 1
      setItems(undefined)
      setRefusal(undefined)
      setNext(null)
    }
    last = asked
    if (given !== undefined && kind === "known") void load(given, { items: [], cursor: null }, seen)
  }))
  return {
    items,
    refusal,
    busy,
    hasMore: () => next() !== null,
    more: () => {
      const given = parts()
      if (given === undefined || next() === null || busy()) return
      seen++
      void load(given, { items: items() ?? [], cursor: next() }, 1)
    },
    again: () => {
      seen = 1
      setAgain((n) => n + 1)
    }
  }
}
