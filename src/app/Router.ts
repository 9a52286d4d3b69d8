/**
 * Addresses behind the `#`: `#/inbox/task/some-id?scope=red`. Every view has one, so that a viewer can send it to
 * others.
 */
import { createMemo, createRoot, createSignal } from "solid-js"

export interface Place {
  readonly path: ReadonlyArray<string>
  readonly query: URLSearchParams
}

const parse = (hash: string): Place => {
  const [path = "", search = ""] = hash.replace(/^#/, "").split("?")
  const decoded = (part: string) => {
    try {
      return decodeURIComponent(part)
    } catch {
      return part
    }
  }
  return { path: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(search) }
}

const [hash, setHash] = createSignal(location.hash)
addEventListener("hashchange", () => setHash(location.hash))

export const place = createRoot(() => createMemo(() => parse(hash())))

/** The first part of the path: which screen. */
export const screenName = () => place().path[0] ?? "night"

export const query = (name: string): string | undefined => place().query.get(name) || undefined

/** The address of a path. The scope goes along. */
export const href = (path: ReadonlyArray<string>, search: Record<string, string> = {}): string => {
  const scope = query("scope")
  const all = new URLSearchParams({ ...(scope === undefined ? {} : { scope }), ...search })
  return `#/${path.map(encodeURIComponent).join("/")}${all.size === 0 ? "" : `?${all}`}`
}

/** Goes to an address. `replace` leaves no entry behind in the browser's history. */
export const go = (to: string, { replace = false } = {}) => {
  if (replace) history.replaceState(null, "", to)
  else history.pushState(null, "", to)
  setHash(to)
}
addEventListener("popstate", () => setHash(location.hash))

/** Changes the query of the present address. */
export const setQuery = (changed: Record<string, string | undefined>) => {
  const next = new URLSearchParams(place().query)
  for (const [name, value] of Object.entries(changed)) {
    if (value === undefined) next.delete(name)
    else next.set(name, value)
  }
  go(`#/${place().path.map(encodeURIComponent).join("/")}${next.size === 0 ? "" : `?${next}`}`, { replace: true })
}
