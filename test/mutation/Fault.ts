/** A fault to plant in the server: one place of one file, which a test has to find out. */
export interface Fault {
  /** What it is called by: `npm run mutate -- --only <name>`. */
  readonly name: string
  /** The promise that it breaks. */
  readonly breaks: string
  readonly file: string
  /** Text that is in the file exactly once, and what it becomes. */
  readonly find: string
  readonly replace: string
}
