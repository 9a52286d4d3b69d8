/** The pages of an export, from a server's API. Requests that fail for a moment are tried again. */
import { setTimeout } from "node:timers/promises"
import { unreachable } from "../ask/Failure.ts"
import type { Page } from "./Dump.ts"
import { refusalOf } from "./said.ts"

export interface Source {
  readonly url: string
  /** A key of the scope or the server's secret; empty for none. */
  readonly key: string
  readonly scope?: string | undefined
  /** How many records a page holds; the server's default unless given. */
  readonly limit?: number
  readonly fetch?: typeof globalThis.fetch
}

const Attempts = 6

export const pages =
  ({ fetch = globalThis.fetch, key, limit, scope, url }: Source) => async (cursor: string | undefined) => {
    const address = new URL(`${url.replace(/\/+$/, "")}/api/v1/export`)
    for (const [name, value] of Object.entries({ scope, cursor, limit })) {
      if (value !== undefined) address.searchParams.set(name, String(value))
    }
    for (let attempt = 1;; attempt++) {
      const response = await fetch(address, { headers: key === "" ? {} : { authorization: `Bearer ${key}` } }).catch(
        () => undefined
      )
      if (response?.status === 200) {
        // An answer that breaks off is tried again, like a request that fails.
        const page = await response.json().catch(() => undefined) as Page | undefined
        if (page !== undefined) return page
        if (attempt === Attempts) throw unreachable(`${url} answered 200 with no page of JSON.`)
        await setTimeout(200 * 2 ** attempt)
        continue
      }
      if (attempt < Attempts && (response === undefined || response.status === 429 || response.status >= 500)) {
        await setTimeout(200 * 2 ** attempt)
        continue
      }
      if (response === undefined) throw unreachable(`Nothing answers at ${url}. Is the server started (--url)?`)
      const text = await response.text()
      const hint = response.status === 401 ? " Give a key, or the server's secret, in OCTOPOID_API_KEY." : ""
      throw refusalOf(url, response.status, text, hint)
    }
  }
