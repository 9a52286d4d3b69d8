/** Reads that follow the server, and changes that say how they went. */
import { createEffect, createMemo, createSignal, on, onCleanup } from "solid-js"
import { change, read, Refused, Unreachable } from "./call.ts"
import type { Answer, Parts, Read, Route } from "./Contract.ts"
import { lookNow, news } from "./live.ts"
import { scope, who } from "./session.ts"

export interface Query<A> {
  /** The last answer. It stays while the next one is under way, and when that fails. */
  readonly data: () => A | undefined
  /** What the last request was refused with; undefined if it was answered. */
  readonly refusal: () => string | undefined
  readonly again: () => void
}

/** The sentence of an error that a request may have. */
export const sentenceOf = (error: unknown): string => {
  if (error instanceof Refused || error instanceof Unreachable) return error.message
  throw error
}

/**
 * Reads whenever there is something new, and when the arguments change; not if the arguments are undefined. The scope
 * is that of the page. An answer for other arguments than the present ones is not shown. `follows` is for what changes
 * only with something that the screen reads anyway, such as the version of a task: it is read again when that changes,
 * and not with every news.
 */
export const createQuery = <R extends Read>(
  route: R,
  parts: () => Parts<R> | undefined,
  follows: () => unknown = news
): Query<Answer<R>> => {
  const [data, setData] = createSignal<Answer<R>>()
  const [refusal, setRefusal] = createSignal<string>()
  const [again, setAgain] = createSignal(0)
  let turn = 0
  /** The turn whose answer is shown. Answers of later turns replace it, also while the newest one is under way. */
  let shown = 0
  let last: string | undefined
  onCleanup(() => {
    last = undefined
  })
  // Arguments with the same content are the same, even in another object.
  const asked = createMemo(() => {
    const given = parts()
    return given === undefined ? undefined : JSON.stringify([given, scope()])
  })
  createEffect(on([asked, who, follows, again], ([asked, { kind }]) => {
    const own = ++turn
    if (asked !== last) {
      setData(undefined)
      setRefusal(undefined)
    }
    last = asked
    if (asked === undefined || kind !== "known") return
    const [plain, chosen] = JSON.parse(asked) as [{ readonly query?: object }, string]
    read(route, { ...plain, query: { scope: chosen, ...plain.query } } as unknown as Parts<R>).then(
      (answer) => {
        if (asked !== last || own < shown) return
        shown = own
        setData(() => answer)
        setRefusal(undefined)
      },
      (error: unknown) => {
        const sentence = sentenceOf(error)
        if (asked === last && own >= shown) setRefusal(sentence)
      }
    )
  }))
  return { data, refusal, again: () => setAgain((n) => n + 1) }
}

export type Answered<A> = { readonly done: A } | { readonly refused: string; readonly tag: string | undefined }

/**
 * Changes something in the scope of the page, and looks at the server at once. The page shows nothing before the server
 * did it.
 */
export const act = async <R extends Exclude<Route, Read>>(route: R, parts: Parts<R>): Promise<Answered<Answer<R>>> => {
  const plain = parts as { readonly query?: object }
  try {
    return { done: await change(route, { ...plain, query: { scope: scope(), ...plain.query } } as unknown as Parts<R>) }
  } catch (error) {
    return { refused: sentenceOf(error), tag: error instanceof Refused ? error.body._tag : undefined }
  } finally {
    lookNow()
  }
}
