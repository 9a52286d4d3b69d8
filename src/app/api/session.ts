/** Who looks: the key, what it may do, the scope, and the name that goes into histories. */
import { createMemo, createRoot, createSignal } from "solid-js"
import type { Rank } from "../../domain/access/Rank.ts"
import { go, place, query } from "../Router.ts"
import { authorize, read, Refused, Unreachable } from "./call.ts"

/** As in `domain/access/Rank.ts`, whose module would bring Effect's schemas into the page. */
const ranks: ReadonlyArray<Rank> = ["fence", "read", "work", "manage"]

export type Who =
  | { readonly kind: "unknown" }
  /** The server asks for a key, or does not take the one it got. */
  | { readonly kind: "keyNeeded"; readonly sentence: string }
  | { readonly kind: "unreachable"; readonly sentence: string }
  /** `scope` is the only scope of the caller; undefined if it reaches all. */
  | { readonly kind: "known"; readonly rank: Rank; readonly scope: string | undefined; readonly isOpen: boolean }

const KeptKey = "octopoid.key"
const KeptName = "octopoid.name"
const KeptScope = "octopoid.scope"

const [who, setWho] = createSignal<Who>({ kind: "unknown" })
const [name, setName] = createSignal(localStorage.getItem(KeptName) ?? "human")
const [key, setKey] = createSignal(localStorage.getItem(KeptKey) ?? undefined)

/** Whether the server sends the feed by itself. */
const [hasPush, setHasPush] = createSignal(false)

export { hasPush, key, name, who }

/**
 * The scope that is looked at: that of the key, or the one in the address. It stays while the page asks for another
 * key.
 */
export const scope = createRoot(() =>
  createMemo((before: string | undefined): string => {
    const known = who()
    const own = known.kind === "known" ? known.scope : before
    return own ?? query("scope") ?? localStorage.getItem(KeptScope) ?? "default"
  })
)

/** Shows the same screen for another scope. What the address names in the present scope is not there. */
export const chooseScope = (chosen: string) => {
  localStorage.setItem(KeptScope, chosen)
  const { path, query } = place()
  const next = new URLSearchParams(query)
  for (const name of ["project", "show"]) next.delete(name)
  next.set("scope", chosen)
  go(`#/${path[0] === "task" ? "night" : path[0] ?? ""}?${next}`)
}

/** Whether the caller may do what needs this rank. Actions that it may not do are not shown. */
export const may = (needed: Rank): boolean => {
  const known = who()
  return known.kind === "known" && ranks.indexOf(known.rank) >= ranks.indexOf(needed)
}

/** Whether the caller reaches every scope. */
export const isAdministrator = (): boolean => {
  const known = who()
  return known.kind === "known" && known.scope === undefined
}

const keyRefused = (sentence: string) => setWho({ kind: "keyNeeded", sentence })

/** What a request is refused with, or undefined if it is not. */
const refusalOf = (asked: Promise<unknown>): Promise<Refused | undefined> =>
  asked.then(() => undefined, (error: unknown) => {
    if (error instanceof Refused) return error
    throw error
  })

/** The key of a scope: which scope, and which rank. No request of ours says it, so what is refused shows it. */
const ofKey = async (): Promise<Who> => {
  // Without a scope, the answer is about the scope of the key.
  const { scope } = await read("GET /api/v1/overview", {})
  const webhooks = await refusalOf(read("GET /api/v1/webhooks", {}))
  const rank = webhooks === undefined ? "manage" : ranks.find((rank) => rank === webhooks.body.rank) ?? "read"
  return { kind: "known", rank, scope, isOpen: false }
}

/** Asks the server who the caller is. */
export const identify = async () => {
  authorize(key(), keyRefused)
  try {
    const { access, push } = await read("GET /api/health", {})
    setHasPush(push === "websocket")
    if (access === "keys" && key() === undefined) return void keyRefused("This server answers only with a key.")
    const keys = await refusalOf(read("GET /api/v1/keys", { query: { limit: "1" } }))
    if (keys?.status === 401 || keys?.status === 429) return void keyRefused(keys.message)
    setWho(
      keys === undefined
        ? { kind: "known", rank: "manage", scope: undefined, isOpen: key() === undefined }
        : await ofKey()
    )
  } catch (error) {
    if (error instanceof Refused) return void (error.status === 401 || keyRefused(error.message))
    if (!(error instanceof Unreachable)) throw error
    setWho({ kind: "unreachable", sentence: error.message })
    setTimeout(() => void identify(), 5000)
  }
}

export const signIn = (given: { readonly key: string | undefined; readonly name: string; readonly keep: boolean }) => {
  setKey(given.key)
  setName(given.name)
  localStorage.setItem(KeptName, given.name)
  if (given.keep && given.key !== undefined) localStorage.setItem(KeptKey, given.key)
  else localStorage.removeItem(KeptKey)
  return identify()
}

/** Forgets the key, also the kept one. */
export const signOut = () => signIn({ key: undefined, name: name(), keep: false })

/** The scopes of the server, for the administrator: metrics name them all. */
export const scopes = async (): Promise<ReadonlyArray<string>> => {
  const text = await read("GET /metrics", {})
  const found = new Set<string>()
  for (const [, quoted] of text.matchAll(/^octopoid_tasks\{[^}\n]*?scope="((?:[^"\\\n]|\\.)*)"/gm)) {
    found.add(quoted!.replace(/\\(.)/g, (_, character: string) => character === "n" ? "\n" : character))
  }
  return [...found].sort()
}
