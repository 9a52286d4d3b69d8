/**
 * Statements with a constant text: each is written once, whole, with named parameters. Only its values change.
 *
 * A request costs CPU for every character of SQL that is built and that SQLite prepares. So a text is built once per
 * isolate.
 */

export type Value = string | number | null

/** The values of parameters, by name. A statement uses those it names and ignores the others. */
export type Values = Readonly<Record<string, Value>>

/** A statement with its values, ready for a batch (`Database.ts`). */
export interface Bound {
  readonly text: string
  readonly parameters: ReadonlyArray<Value>
  /** The names of the parameters, to show the statement with them: `?1` has the first. */
  readonly names?: ReadonlyArray<string>
}

/** A statement without values. */
export interface Statement {
  (values?: Values): Bound
  /** The text for D1: `+?1` instead of `:now`. */
  readonly text: string
}

// `+?1` has the value of `?1`. SQLite looks at the value of a bare parameter when it knows a LIMIT or compares a
// partial index, and then prepares the statement again after each binding. On node:sqlite a page of tasks took 0.73 ms
// with that, and takes 0.14 ms.
const sent = (place: number) => `+?${place}`

// A quoted text, or the name of a parameter.
const tokens = /'[^']*'|:([a-z][a-z0-9_]*)/g

/** What is called for each statement that is made. Nothing in the server; `npm run statements` writes them down. */
export const observer: { made?: (statement: Pick<Bound, "text"> & { readonly names: ReadonlyArray<string> }) => void } =
  {}

/**
 * Makes a statement from its text. `:now` is a parameter; a parameter that is named twice is bound once. White space is
 * reduced. A missing value is a programming error, and throws.
 */
export const statement = (source: string): Statement => {
  const names: Array<string> = []
  const text = source.replace(/\s+/g, " ").trim().replace(tokens, (token, name: string | undefined) => {
    if (name === undefined) return token
    if (!names.includes(name)) names.push(name)
    return sent(names.indexOf(name) + 1)
  })
  const bind = (values: Values = {}): Bound => ({
    text,
    names,
    parameters: names.map((name) => {
      const value = values[name]
      if (value === undefined) throw new Error(`no value for :${name} in: ${text.slice(0, 80)}`)
      return value
    })
  })
  observer.made?.({ text, names })
  return Object.assign(bind, { text })
}

/** Makes a statement, or several, once for each variant. Variants are few and have names. */
export const variants = <Variant extends ReadonlyArray<string | number | boolean>, Made>(
  make: (...variant: Variant) => Made
): (...variant: Variant) => Made => {
  const made = new Map<string, Made>()
  return (...variant) => {
    const key = variant.join()
    const known = made.get(key) ?? make(...variant)
    made.set(key, known)
    return known
  }
}
