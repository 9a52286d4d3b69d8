/**
 * The scope of a key, for the Worker before the objects. One control object and one object without a scope serve all
 * callers, so an isolate asks them as little as it can: it remembers keys, and passes on no more wrong ones than count.
 */
import { networkOf } from "../../http/request/Address.ts"
import type { ControlStub } from "../Control.ts"
import { bound } from "./Remembered.ts"

/** What the server makes (`services/access/mint.ts`). */
const shape = /^oct_[0-9a-f]{64}$/

// The object without a scope looks a refused token up again after the same time (`services/access/Access.ts`).
const RefusedMillis = 60_000

const addressOf = ({ headers }: Request) => networkOf(headers.get("cf-connecting-ip") ?? undefined)

/** How many milliseconds are left. */
const remaining = (until: Map<string, number>, name: string): number => {
  const left = (until.get(name) ?? 0) - Date.now()
  if (left <= 0) until.delete(name)
  return Math.max(0, left)
}

export const make = (control: () => Pick<ControlStub, "scopeOf">) => {
  // Which scope a key belongs to never changes.
  const scopes = new Map<string, string>()
  // Keys that were refused, and addresses with too many of them, and until when they are.
  const refused = new Map<string, number>()
  const blocked = new Map<string, number>()

  return {
    /**
     * The scope of the key; `undefined` if there is no such key; or after how many seconds its address may try again.
     */
    find: async (token: string, hash: string, request: Request): Promise<string | undefined | number> => {
      const known = scopes.get(hash)
      if (known !== undefined) return known
      const left = remaining(blocked, addressOf(request))
      if (left > 0) return Math.ceil(left / 1000)
      if (!shape.test(token) || remaining(refused, hash) > 0) return undefined
      const scope = await control().scopeOf(hash)
      if (scope === undefined) {
        refused.set(hash, Date.now() + RefusedMillis)
        bound(refused)
      } else {
        scopes.set(hash, scope)
        bound(scopes)
      }
      return scope
    },
    /** Learns from the answer to a refused caller whether its address had too many keys refused. */
    answered: (request: Request, { headers, status }: Response) => {
      if (status !== 429) return
      blocked.set(addressOf(request), Date.now() + Number(headers.get("retry-after")) * 1000)
      bound(blocked)
    }
  }
}
