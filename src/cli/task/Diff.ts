/** The commands that show the work of a task. */
import type { Task } from "../../client.ts"

/** A word for a shell. The names of branches come from the server, and a shell carries out what it reads. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** Whether git could take the name for one of its options. No branch has such a name. */
const isOption = (name: string) => name.startsWith("-")

/** The commands that show what the work changes; undefined if its names are not names of branches and commits. */
export const diffOf = ({ branch, head_commit, pr_number }: Task, base: string): string | undefined => {
  const commit = head_commit ?? null
  if ([branch, base, commit ?? ""].some(isOption)) return undefined
  const head = commit !== null && /^[0-9a-f]{7,64}$/i.test(commit) ? commit : `origin/${branch}`
  const from = pr_number !== null && branch === base ? quoted(`pull/${pr_number}/head`) : quoted(branch)
  return `git fetch origin ${quoted(base)} ${from} && git diff ${quoted(`origin/${base}...${head}`)} --`
}
