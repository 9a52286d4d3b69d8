/**
 * Lays a statement out for reading: every main clause begins a line, and what does not fit in a line is divided at its commas and
 * conditions, or at its parentheses. Only white space changes.
 */

const Width = 110
const Step = 2

interface Token {
  readonly text: string
  /** Whether white space precedes it. */
  readonly spaced: boolean
}

interface Group {
  readonly inside: ReadonlyArray<Item>
  readonly spaced: boolean
}

type Item = Token | Group

const tokens =
  /\s*('(?:[^']|'')*'|"[^"]*"|[A-Za-z_][\w$]*|:[a-z]\w*|\?\d*|\d+(?:\.\d+)?(?:e\d+)?|->>|->|\|\||<>|<=|>=|==|[^\s])/gy

const tokensOf = (text: string): ReadonlyArray<Token> =>
  [...text.trim().matchAll(tokens)].map(([whole, token]) => ({ text: token!, spaced: whole !== token }))

const isGroup = (item: Item): item is Group => "inside" in item

/** The tokens as a tree: what stands in parentheses is a group. */
const treeOf = (all: ReadonlyArray<Token>): ReadonlyArray<Item> => {
  let place = 0
  const items = (): ReadonlyArray<Item> => {
    const found: Array<Item> = []
    while (place < all.length) {
      const token = all[place++]!
      if (token.text === ")") break
      if (token.text === "(") found.push({ spaced: token.spaced, inside: items() })
      else found.push(token)
    }
    return found
  }
  return items()
}

const bare = (item: Item): string => isGroup(item) ? `(${inOneLine(item.inside)})` : item.text

const inOneLine = (items: ReadonlyArray<Item>): string =>
  items.map((item, n) => `${n > 0 && item.spaced ? " " : ""}${bare(item)}`).join("")

const word = (item: Item | undefined): string => item === undefined || isGroup(item) ? "" : item.text.toUpperCase()

const joins = new Set(["CROSS", "LEFT", "INNER", "NATURAL"])
const begins = new Set([
  "SELECT",
  "FROM",
  "WHERE",
  "GROUP",
  "HAVING",
  "WINDOW",
  "ORDER",
  "LIMIT",
  "UNION",
  "VALUES",
  "SET",
  "RETURNING",
  "INSERT",
  "UPDATE",
  "DELETE",
  "WITH"
])

/** Whether a clause begins at this item. */
const beginsClause = (items: ReadonlyArray<Item>, n: number): boolean => {
  const [before, here, after] = [word(items[n - 1]), word(items[n]), word(items[n + 1])]
  if (here === "FROM") return before !== "DISTINCT"
  // ON CONFLICT … DO UPDATE SET, of which each part belongs to one line.
  if (here === "UPDATE" || (here === "SET" && before === "UPDATE")) return before !== "DO" && before !== "UPDATE"
  if (here === "ON") return after === "CONFLICT"
  if (here === "DO") return true
  if (here === "JOIN") return !joins.has(before)
  if (joins.has(here)) return after === "JOIN"
  return begins.has(here)
}

/** Divides the items where a part begins. */
const dividedAt = (
  items: ReadonlyArray<Item>,
  starts: (items: ReadonlyArray<Item>, n: number) => boolean
): ReadonlyArray<ReadonlyArray<Item>> => {
  const parts: Array<Array<Item>> = []
  for (const [n, item] of items.entries()) {
    if (n === 0 || starts(items, n)) parts.push([item])
    else parts.at(-1)!.push(item)
  }
  return parts
}

/** How deep an item is in CASE … END. */
const caseDepths = (items: ReadonlyArray<Item>): ReadonlyArray<number> => {
  let depth = 0
  return items.map((item) => {
    if (word(item) === "END") depth--
    const here = depth
    if (word(item) === "CASE") depth++
    return here
  })
}

const between = (items: ReadonlyArray<Item>, n: number) =>
  word(items[n]) === "AND" && items.slice(0, n).findLast((item) =>
      ["AND", "BETWEEN"].includes(word(item))
    ) !== undefined
  && word(items.slice(0, n).findLast((item) => ["AND", "BETWEEN"].includes(word(item)))) === "BETWEEN"

const pad = (indent: number) => " ".repeat(indent)

const fits = (text: string, indent: number) => indent + text.length <= Width

/** Each AND and OR in a line of its own; undefined if there is none. */
const conditions = (items: ReadonlyArray<Item>, indent: number): string | undefined => {
  const parts = dividedAt(items, beforeCondition)
  return parts.length === 1
    ? undefined
    : parts.map((part, n) => flowing(part, n === 0 ? indent : indent + Step)).join(`\n${pad(indent + Step)}`)
}

/** The items from a place in a line on, with groups opened where the line would be too long. `indent` is that of the line. */
const flowing = (items: ReadonlyArray<Item>, indent: number): string => {
  const whole = inOneLine(items)
  if (fits(whole, indent)) return whole
  const depths = caseDepths(items)
  const parts = dividedAt(
    items,
    (all, n) =>
      depths[n] === 1 && ["WHEN", "ELSE"].includes(word(all[n])) || (depths[n] === 0 && word(all[n]) === "END")
  )
  if (parts.length > 1) {
    return parts.map((part, n) => {
      const deeper = n === 0 || word(part[0]) === "END" ? indent : indent + Step
      return `${n === 0 ? "" : pad(deeper)}${opened(part, deeper)}`
    }).join("\n")
  }
  return conditions(items, indent) ?? opened(items, indent)
}

/** The items, with every group opened that does not fit. */
const opened = (items: ReadonlyArray<Item>, indent: number): string => {
  let text = ""
  for (const [n, item] of items.entries()) {
    const space = n > 0 && item.spaced ? " " : ""
    const line = text.slice(text.lastIndexOf("\n") + 1)
    const column = text.includes("\n") ? line.length : indent + line.length
    const short = `${space}${bare(item)}`
    const next = items[n + 1]
    // What follows without a space stays with it.
    const tail = next !== undefined && !next.spaced && !isGroup(next) ? next.text.length : 0
    text += !isGroup(item) || column + short.length + tail <= Width
      ? short
      : `${space}(\n${block(item.inside, indent + Step)}\n${pad(indent)})`
  }
  return text
}

const afterComma = (items: ReadonlyArray<Item>, n: number) => word(items[n - 1]) === ","

const beforeCondition = (items: ReadonlyArray<Item>, n: number) => {
  const depths = caseDepths(items)
  return depths[n] === 0 && ["AND", "OR"].includes(word(items[n])) && !between(items, n)
}

/** Parts one after the other, as many in a line as fit. The first is where the line is at. */
const filled = (parts: ReadonlyArray<ReadonlyArray<Item>>, indent: number): string => {
  const lines: Array<string> = []
  for (const part of parts) {
    const line = lines.at(-1)
    const short = inOneLine(part)
    const own = lines.length === 0 ? indent - Step : indent
    if (
      line !== undefined && !line.includes("\n") &&
      fits(`${line} ${short}`, lines.length === 1 ? indent - Step : indent)
    ) {
      lines[lines.length - 1] = `${line} ${short}`
    } else lines.push(flowing(part, own))
  }
  return lines.join(`\n${pad(indent)}`)
}

/** One clause, whose first line is at `indent`, and its others are deeper. */
const clause = (items: ReadonlyArray<Item>, indent: number): string => {
  const whole = inOneLine(items)
  if (fits(whole, indent)) return whole
  const lists = dividedAt(items, afterComma)
  if (lists.length > 1) return filled(lists, indent + Step)
  return flowing(items, indent)
}

const clauses = (items: ReadonlyArray<Item>) => {
  const depths = caseDepths(items)
  return dividedAt(items, (all, n) => depths[n] === 0 && beginsClause(all, n))
}

/** Items that have lines of their own, all at `indent`. */
const block = (items: ReadonlyArray<Item>, indent: number): string => {
  const own = clauses(items)
  if (own.length > 1) return own.map((part) => pad(indent) + clause(part, indent)).join("\n")
  const whole = inOneLine(items)
  if (fits(whole, indent)) return pad(indent) + whole
  const lists = dividedAt(items, afterComma)
  const parts = lists.length > 1 ? lists : dividedAt(items, beforeCondition)
  return parts.map((part) => pad(indent) + flowing(part, indent)).join("\n")
}

/** The statement in lines. */
export const format = (text: string): string => block(treeOf(tokensOf(text)), 0)

/** The tokens of a statement: two texts that have the same are the same statement. */
export const words = (text: string): ReadonlyArray<string> => tokensOf(text).map((token) => token.text)
