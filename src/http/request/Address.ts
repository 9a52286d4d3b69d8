/** The network address that a request comes from. */
import type * as Headers from "effect/http/Headers"

/** The first half of an IPv6 address: all addresses with the same first half belong to one customer. */
const prefix = (address: string): string => {
  const [head = "", tail] = address.split("::")
  const start = head === "" ? [] : head.split(":")
  const end = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? 0 : 8 - start.length - end.length
  return [...start, ...Array.from({ length: Math.max(0, zeros) }, () => "0"), ...end].slice(0, 4).join(":")
}

/** The address by which failures are counted, from the header `CF-Connecting-IP`. */
export const networkOf = (address: string | undefined): string =>
  address === undefined ? "unknown" : address.includes(":") ? prefix(address) : address

/** The same for a request. Cloudflare sets this header and overwrites one that a client sends. */
export const addressOf = (headers: Headers.Headers): string => networkOf(headers["cf-connecting-ip"])
