/** Where a request comes from. */
import type * as Headers from "effect/http/Headers"

/** The first half of an IPv6 address: one customer has all of the other half. */
const prefix = (address: string): string => {
  const [head = "", tail] = address.split("::")
  const start = head === "" ? [] : head.split(":")
  const end = tail === undefined || tail === "" ? [] : tail.split(":")
  const zeros = tail === undefined ? 0 : 8 - start.length - end.length
  return [...start, ...Array.from({ length: Math.max(0, zeros) }, () => "0"), ...end].slice(0, 4).join(":")
}

/** The address that failures are counted by. Cloudflare sets the header itself: what a client sends does not arrive. */
export const addressOf = (headers: Headers.Headers): string => {
  const address = headers["cf-connecting-ip"] ?? "unknown"
  return address.includes(":") ? prefix(address) : address
}
