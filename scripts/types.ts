/**
 * Checks the types and what Effect's language service finds, in one pass: the compiler of `@effect/tsgo` is that of TypeScript with the
 * plugin that tsconfig.json names. An error or a warning of either ends it with 1. One checker takes half of the processor time of
 * four, since each of them checks again what the files share.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { join } from "node:path"

const tsgo = join(createRequire(import.meta.url).resolve("@effect/tsgo/package.json"), "..", "dist", "effect-tsgo.cjs")
const compiler = execFileSync(process.execPath, [tsgo, "get-exe-path"], { encoding: "utf8" }).trim()
const { error, status } = spawnSync(compiler, ["-p", ".", "--checkers", "1"], { stdio: "inherit" })
if (error !== undefined) throw error
process.exitCode = status ?? 1
