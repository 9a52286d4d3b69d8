/** Completes package-lock.json, which npm has just written: see "The lock file" in CONTRIBUTING.md. */
import { readFileSync, writeFileSync } from "node:fs"
import { complete } from "./complete.ts"

const file = new URL("../../package-lock.json", import.meta.url)
writeFileSync(file, `${JSON.stringify(complete(JSON.parse(readFileSync(file, "utf8"))), null, 2)}\n`)
