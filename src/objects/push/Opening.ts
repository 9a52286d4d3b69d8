/**
 * A request that opens a socket, and the key in it. A browser can set no `Authorization` on a WebSocket: it offers its
 * key as a subprotocol beside `octopoid.events.v1`.
 */

/** The subprotocol of these messages. The server answers no other. */
export const Protocol = "octopoid.events.v1"

/** Begins the subprotocol that has the caller's key, in base64url. */
const KeyPrefix = "octopoid.key."

const wantsSocket = ({ headers, method }: Request): boolean =>
  method === "GET" && headers.get("upgrade")?.toLowerCase() === "websocket"

/** Whether the request opens a socket. */
export const opens = (request: Request): boolean =>
  wantsSocket(request) && new URL(request.url).pathname === "/api/v1/events"

export const protocolsOf = ({ headers }: Request): ReadonlyArray<string> =>
  (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "")

/** The key in a subprotocol. One that cannot be read is empty, which no key is. */
const keyIn = (protocol: string): string => {
  try {
    const key = atob(protocol.slice(KeyPrefix.length).replaceAll("-", "+").replaceAll("_", "/"))
    return /^[ -~]+$/.test(key) ? key : ""
  } catch {
    return ""
  }
}

/** The request with the key of its subprotocol as `Authorization`, as other requests have it. */
export const authorized = (request: Request): Request => {
  const protocols = wantsSocket(request) ? protocolsOf(request) : []
  const key = protocols.find((name) => name.startsWith(KeyPrefix))
  if (key === undefined) return request
  const headers = new Headers(request.headers)
  headers.delete("sec-websocket-protocol")
  for (const name of protocols) if (!name.startsWith(KeyPrefix)) headers.append("sec-websocket-protocol", name)
  if (!headers.has("authorization")) headers.set("authorization", `Bearer ${keyIn(key)}`)
  return new Request(request, { headers })
}

/** The SHA-256 of the key of the request, by which the server knows it; null if it has none of a scope. */
export const hashOf = async (authorization: string | null): Promise<string | null> => {
  const key = /^bearer +(oct_\S+)$/i.exec(authorization ?? "")?.[1]
  if (key === undefined) return null
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
