/**
 * `octopoid-server/file-store`, a `KeyValueStore` of small files in a directory: a file is there whole or not at all,
 * whenever the process or the machine dies.
 */
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { mkdirSync } from "node:fs"
import { open, readdir, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"

const suffix = ".json"

export const make = (directory: string): KeyValueStore.KeyValueStore => {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const pathOf = (key: string) => join(directory, `${encodeURIComponent(key)}${suffix}`)
  const attempt = <A>(method: string, what: () => Promise<A>) =>
    Effect.tryPromise({
      try: what,
      catch: (cause) =>
        new KeyValueStore.KeyValueStoreError({ method, message: `${directory}: ${String(cause)}`, cause })
    })
  const list = async () =>
    (await readdir(directory)).filter((name) => name.endsWith(suffix)).map((name) =>
      decodeURIComponent(name.slice(0, -suffix.length))
    )
  return KeyValueStore.makeStringOnly({
    get: (key) =>
      attempt("get", () =>
        readFile(pathOf(key), "utf8").catch((error) => {
          if (error.code === "ENOENT") return undefined
          throw error
        })),
    set: (key, value) =>
      attempt("set", async () => {
        const path = pathOf(key)
        const file = await open(`${path}.new`, "w", 0o600)
        try {
          await file.writeFile(value)
          // Written before it is renamed, so that the name never leads to half a file.
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(`${path}.new`, path)
      }),
    remove: (key) => attempt("remove", () => rm(pathOf(key), { force: true })),
    clear: attempt("clear", async () => {
      for (const key of await list()) await rm(pathOf(key), { force: true })
    }),
    keys: attempt("keys", list),
    size: attempt("size", async () => (await list()).length)
  })
}
