/**
 * Batches on the storage of a Durable Object. The layers are built once per isolate and serve all its objects, so every
 * request says whose storage is meant.
 */
import type { DurableObjectStorage } from "@cloudflare/workers-types"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Engine, EngineFailure, type Prepared, ReadiesNothing, type Result } from "./Engine.ts"

/** The storage of an object, and what is called when it has changed. */
export interface Store {
  readonly storage: DurableObjectStorage
  /** Called in the transaction of a batch that wrote rows: what it writes is part of the batch. */
  readonly written: () => void
  /**
   * Called after a batch that wrote rows, and told whether a task may be ready now. The answer of the batch waits for
   * it.
   */
  readonly changed: (mayBeReady?: boolean) => Promise<void> | undefined
}

/** The store of the object that serves the present request. */
export const CurrentStore = Context.Reference<Store | undefined>("octopoid-server/sql/CurrentStore", {
  defaultValue: () => undefined
})

/** The statements, in one transaction: it is rolled back if one of them fails. */
const transaction = ({ storage, written }: Store, statements: ReadonlyArray<Prepared>): ReadonlyArray<Result> =>
  storage.transactionSync(() => {
    const results = statements.map(([text, parameters]): Result => {
      const cursor = storage.sql.exec(text, ...parameters)
      // The counts are complete only after the last row.
      const rows = cursor.toArray()
      return { rows, read: cursor.rowsRead, written: cursor.rowsWritten, changes: cursor.rowsWritten }
    })
    if (results.some(({ written }) => written > 0)) written()
    return results
  })

export const layer: Layer.Layer<Engine> = Layer.succeed(Engine, {
  run: (statements) =>
    Effect.flatMap(Effect.all([CurrentStore, ReadiesNothing]), ([store, readiesNothing]) =>
      store === undefined
        ? Effect.die(new Error("a batch needs the storage of an object"))
        : Effect.tryPromise({
          try: async () => {
            const results = transaction(store, statements)
            if (results.some(({ written }) => written > 0)) await store.changed(!readiesNothing)
            return results
          },
          catch: (cause) => new EngineFailure({ cause })
        }))
})
