/** Asking a D1 database from outside of the server: only questions, through wrangler. */
import { wrangler } from "../wrangler.ts"

export type Row = Record<string, unknown>

/** Answers the rows of each of the questions, which see the database at one moment. Fails with an `Error` that says why not. */
export type Ask = (questions: ReadonlyArray<string>) => Promise<ReadonlyArray<ReadonlyArray<Row>>>

const isQuestion = (sql: string) => /^\s*(SELECT|WITH)\b/i.test(sql) && !sql.includes(";")

/** The database that `binding or name` is in wrangler.toml, where `where` says: `--local` or `--remote`, and its options. */
export const make = (name: string, where: ReadonlyArray<string>): Ask => async (questions) => {
  const wrong = questions.find((sql) => !isQuestion(sql))
  if (wrong !== undefined) throw new Error(`Not a question: ${wrong}`)
  const stdout = await wrangler(["d1", "execute", name, ...where, "--json", "--command", questions.join(";\n")])
  return (JSON.parse(stdout) as ReadonlyArray<{ readonly results: ReadonlyArray<Row> }>).map(({ results }) => results)
}
