/**
 * The lines of a file. `node:readline` would replace bytes that are not UTF-8, and end lines at U+2028, which JSON may
 * contain.
 */
import { decodeUtf8 } from "../../domain/WellFormed.ts"
import { DumpUnreadable } from "./Dump.ts"

const NewLine = 10

export const lines = async function*(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let begun: Array<Uint8Array> = []
  let number = 0
  const line = (): string => {
    number++
    const text = decodeUtf8(Buffer.concat(begun))
    begun = []
    if (typeof text === "string") return text.endsWith("\r") ? text.slice(0, -1) : text
    throw new DumpUnreadable(`Line ${number}: ${[text.path.join("."), text.message].filter(Boolean).join(": ")}.`)
  }
  for await (let chunk of chunks) {
    for (let end = chunk.indexOf(NewLine); end !== -1; end = chunk.indexOf(NewLine)) {
      begun.push(chunk.subarray(0, end))
      yield line()
      chunk = chunk.subarray(end + 1)
    }
    begun.push(chunk)
  }
  if (begun.some(({ length }) => length > 0)) yield line()
}
