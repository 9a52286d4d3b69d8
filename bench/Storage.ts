/** Storage of workerd that is migrated and filled before workerd opens it. */
import { cpSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { databaseFile, launch, type Options } from "../test/support/Launcher.ts"
import * as NodeD1 from "../test/support/NodeD1.ts"

type Database = ReturnType<typeof NodeD1.make>

const made: Array<string> = []
process.once("exit", () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true })
})

/** A new directory, which goes with the process. */
export const directory = (): string => {
  const one = mkdtempSync(join(tmpdir(), "octopoid-bench-"))
  made.push(one)
  return one
}

/** Storage whose database has the migrations, and no rows. */
export const migrated = async (options: Omit<Options, "storage">): Promise<string> => {
  const storage = directory()
  const server = await launch({ ...options, storage })
  await server.close()
  return storage
}

/** A copy of the storage. */
export const copyOf = (storage: string): string => {
  const copy = directory()
  cpSync(storage, copy, { recursive: true })
  return copy
}

/** Answers what `use` does with the database in the storage, on which no workerd runs. */
export const opened = async <A>(storage: string, use: (database: Database) => A | Promise<A>): Promise<A> => {
  const database = NodeD1.make(databaseFile(storage))
  try {
    return await use(database)
  } finally {
    database.raw.close()
  }
}
