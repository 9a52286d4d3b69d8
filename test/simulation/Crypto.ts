/**
 * The platform's `crypto`, for the time of a run: random bytes come from the seed, and digests are there at once and not
 * when a thread of Node is done with them, so that a run depends on nothing but its seed.
 */
import { createHash } from "node:crypto"
import type { Chance } from "../support/Chance.ts"

const digest = (
  algorithm: string | { readonly name: string },
  data: ArrayBuffer | ArrayBufferView
): Promise<ArrayBuffer> => {
  const name = (typeof algorithm === "string" ? algorithm : algorithm.name).replace("-", "").toLowerCase()
  const bytes = ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data)
  return Promise.resolve(Uint8Array.from(createHash(name).update(bytes).digest()).buffer)
}

/** Replaces the random and asynchronous parts of `crypto`. Answers how to restore them. */
export const seeded = (chance: Chance): () => void => {
  const getRandomValues = (array: Uint8Array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
    for (let i = 0; i < bytes.length; i++) bytes[i] = chance.between(0, 255)
    return array
  }
  Object.defineProperty(crypto, "getRandomValues", { value: getRandomValues, configurable: true })
  Object.defineProperty(crypto.subtle, "digest", { value: digest, configurable: true })
  return () => {
    Reflect.deleteProperty(crypto, "getRandomValues")
    Reflect.deleteProperty(crypto.subtle, "digest")
  }
}
