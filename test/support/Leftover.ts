/** The databases a stopped or killed workerd left in its storage. */
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { databaseFile } from "./Launcher.ts"
import { scopeFiles } from "./ObjectFiles.ts"

/** Reads a copy of the database, so that it is workerd itself that has to recover the original. */
export const reading = <A>(storage: string, read: (db: DatabaseSync) => A): A =>
  readingFile(databaseFile(storage), read)

/** The same for each: the one of D1, or those of all scopes. */
export const readingEach = <A>(storage: string, read: (db: DatabaseSync) => A): ReadonlyArray<A> => {
  const ofScopes = scopeFiles(storage)
  return (ofScopes.length === 0 ? [databaseFile(storage)] : ofScopes).map((file) => readingFile(file, read))
}

const readingFile = <A>(file: string, read: (db: DatabaseSync) => A): A => {
  const directory = mkdtempSync(join(tmpdir(), "octopoid-copy-"))
  try {
    const copy = join(directory, "copy.sqlite")
    for (const suffix of ["", "-wal"]) if (existsSync(file + suffix)) cpSync(file + suffix, copy + suffix)
    const db = new DatabaseSync(copy)
    try {
      return read(db)
    } finally {
      db.close()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What contradicts `Integrity.ts`, and what SQLite finds wrong with the file itself: one line each. */
export const violationsOf = (db: DatabaseSync): ReadonlyArray<string> => [
  ...integrity.flatMap(({ name, sql }) =>
    db.prepare(sql).all().map((row) => `Does not hold: ${name}: ${JSON.stringify(row)}`)
  ),
  ...db.prepare("PRAGMA integrity_check").all().map((row) => String(row["integrity_check"]))
    .filter((line) => line !== "ok").map((line) => `The file is damaged: ${line}`)
]
