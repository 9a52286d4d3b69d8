/** Asking a D1 database from outside of the server: only questions, through wrangler. */
import { spawn } from "node:child_process"
import { createRequire } from "node:module"
import { join } from "node:path"

export type Row = Record<string, unknown>

/** Answers the rows of each of the questions, which see the database at one moment. Fails with an `Error` that says why not. */
export type Ask = (questions: ReadonlyArray<string>) => Promise<ReadonlyArray<ReadonlyArray<Row>>>

const wrangler = join(createRequire(import.meta.url).resolve("wrangler/package.json"), "..", "bin", "wrangler.js")

const isQuestion = (sql: string) => /^\s*(SELECT|WITH)\b/i.test(sql) && !sql.includes(";")

/** What wrangler says instead of an answer: JSON on stdout, or lines for people on stderr. */
const reasonOf = (stdout: string, stderr: string): string => {
  const told = /"text": "([^"]*)"/.exec(stdout)?.[1]
  return told ?? (stderr.split("\n").find((line) => line.includes("ERROR")) ?? stderr).trim()
}

/** The database that `binding or name` is in wrangler.toml, where `where` says: `--local` or `--remote`, and its options. */
export const make = (name: string, where: ReadonlyArray<string>): Ask => async (questions) => {
  const wrong = questions.find((sql) => !isQuestion(sql))
  if (wrong !== undefined) throw new Error(`Not a question: ${wrong}`)
  const child = spawn(
    process.execPath,
    [wrangler, "d1", "execute", name, ...where, "--json", "--command", questions.join(";\n")],
    { env: { ...process.env, NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" }, stdio: ["ignore", "pipe", "pipe"] }
  )
  let [stdout, stderr] = ["", ""]
  child.stdout.on("data", (chunk) => stdout += String(chunk))
  child.stderr.on("data", (chunk) => stderr += String(chunk))
  const code = await new Promise<number | null>((done, failed) => child.once("error", failed).once("close", done))
  if (code !== 0) throw new Error(reasonOf(stdout, stderr))
  return (JSON.parse(stdout) as ReadonlyArray<{ readonly results: ReadonlyArray<Row> }>).map(({ results }) => results)
}
