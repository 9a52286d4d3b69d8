/** A request as text, so that a person can send it again. */
import type { Request } from "./Request.ts"

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

// What a shell hands on as it is, and a person reads.
const isPlain = (text: string) => /^[\u0020-\u007e\n]{0,4000}$/.test(text)

/** The body in full up to here; a longer one comes of the seed again. */
const MaxBody = 2000

/** Without the token of its caller, of which it says whose it is. */
export const render = ({ body, caller, headers: sent, method, target }: Request): string => {
  const token = caller === "nobody" ? [] : [["authorization", `Bearer <${caller}>`] as const]
  const headers = [...token, ...sent]
  const text = body === undefined ? "" : Buffer.from(body).toString("latin1")
  if (!isPlain(text) || !headers.every(([, value]) => isPlain(value)) || !isPlain(target)) {
    const sent = body === undefined || body.length > MaxBody
      ? `${body?.length ?? 0} bytes`
      : Buffer.from(body).toString("base64")
    return JSON.stringify({ method, target: target.slice(0, MaxBody), headers, body_base64: sent })
  }
  return [
    `curl --path-as-is -X ${quoted(method)} ${quoted(`http://localhost:8787${target}`)}`,
    ...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`--data-binary ${quoted(text)}`])
  ].join(" ")
}
