/** A body of bounded length, read outside of the server's own handlers. */

/** The chunks as one; `length` is how many bytes they have together. */
export const joined = (chunks: ReadonlyArray<Uint8Array>, length: number): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

/**
 * The body. If it is longer than `most` bytes, only its beginning, which is too long as well. The rest is read and
 * dropped, because the connection would break otherwise.
 */
export const bodyOf = async (
  body: ReadableStream<Uint8Array>,
  most: number
): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Array<Uint8Array> = []
  let length = 0
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    if (length > most) continue
    chunks.push(value)
    length += value.length
  }
  return joined(chunks, length)
}
