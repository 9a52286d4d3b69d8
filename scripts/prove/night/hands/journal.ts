/** What a process of the night writes down: each change that the server acknowledged, and what it finished itself. */
import { appendFileSync, mkdirSync } from "node:fs"
import { join } from "node:path"

/** A change that was answered. */
export interface Acknowledged {
  readonly kind: "answer"
  readonly method: string
  readonly path: string
  readonly key: string | null
  readonly sent: any
  readonly status: number
  readonly body: any
}

/** A result that is in the outbox. */
export interface Saved {
  readonly kind: "saved"
  readonly task_id: string
  readonly fencing_token: number
  readonly verb: string
}

/** What will have become of a task by the morning, and how often something happens to it on the way. */
export interface Expected {
  readonly kind: "expected"
  readonly task_id: string
  readonly course: string
}

export type Line = Acknowledged | Saved | Expected | { readonly kind: "worked"; readonly task_id: string }

const textOf = (body: unknown): string =>
  typeof body === "string" ? body : body instanceof Uint8Array ? new TextDecoder().decode(body) : ""

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Begins a file of this process, and notes in it each answer to a change that arrives whole from now on. A process that
 * is killed leaves half a line at most, as the last one of its file.
 */
export const begin = (folder: string, name: string): (line: Line) => void => {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${name}-${process.pid}-${Date.now()}.jsonl`)
  const note = (line: Line) => appendFileSync(file, `${JSON.stringify(line)}\n`)
  const plain = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const response = await plain(input, init)
    const method = init?.method ?? "GET"
    if (method === "GET") return response
    const text = await response.text()
    const body = json(text)
    // Anything else is no answer of the server.
    if (body !== undefined) {
      note({
        kind: "answer",
        method,
        path: new URL(String(input)).pathname,
        key: new Headers(init?.headers).get("idempotency-key"),
        sent: json(textOf(init?.body)),
        status: response.status,
        body
      })
    }
    return new Response(text, { status: response.status, headers: response.headers })
  }
  return note
}
