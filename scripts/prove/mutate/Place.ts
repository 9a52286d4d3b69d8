/** Where a fault is planted that replaces a text of a file: the file, and the part of it that the text has to be in, once. */
import { globSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { FileFault, SymbolFault, ViewFault } from "../../../test/mutation/Fault.ts"

export type TextFault = FileFault | SymbolFault | ViewFault

export interface Place {
  /** Relative to the root of the repository. */
  readonly file: string
  /** The text of the file before and after it is planted. */
  readonly before: string
  readonly after: string
}

interface Part {
  readonly file: string
  readonly text: string
  readonly from: number
  readonly to: number
}

/** A declaration at the top of a module starts a line. Everything up to the next declaration belongs to it. */
const declaration =
  /^(?:export )?(?:default )?(?:abstract )?(?:async )?(?:const|let|class|function\*?|interface|type) (\w+)/gm

const declarationsOf = (file: string, text: string): ReadonlyArray<Part & { readonly symbol: string }> => {
  const found = [...text.matchAll(declaration)]
  return found.map((match, n) => ({
    file,
    text,
    symbol: match[1]!,
    from: match.index,
    to: found[n + 1]?.index ?? text.length
  }))
}

/** The declarations that a fault may mean by `symbol`, `Module.symbol` or `folder/Module.symbol`. */
const partsOfSymbol = (root: string, { symbol }: SymbolFault): ReadonlyArray<Part> => {
  const [name, module] = symbol.split(".").toReversed()
  return globSync("src/**/*.ts", { cwd: root })
    .filter((file) => module === undefined || file.endsWith(`/${module}.ts`))
    .flatMap((file) =>
      declarationsOf(file, readFileSync(join(root, file), "utf8")).filter((one) => one.symbol === name)
    )
}

/** The newest definition of a view. */
const partsOfView = (root: string, { view }: ViewFault): ReadonlyArray<Part> => {
  const parts = readdirSync(join(root, "migrations")).sort().flatMap((name): ReadonlyArray<Part> => {
    const file = `migrations/${name}`
    const text = readFileSync(join(root, file), "utf8")
    const from = text.search(new RegExp(`^CREATE VIEW ${view}\\b`, "m"))
    return from < 0 ? [] : [{ file, text, from, to: text.indexOf(";\n", from) }]
  })
  return parts.slice(-1)
}

const partsOf = (root: string, fault: TextFault): ReadonlyArray<Part> => {
  if ("symbol" in fault) return partsOfSymbol(root, fault)
  if ("view" in fault) return partsOfView(root, fault)
  const text = readFileSync(join(root, fault.file), "utf8")
  return [{ file: fault.file, text, from: 0, to: text.length }]
}

const subjectOf = (fault: TextFault) =>
  "symbol" in fault ? `the symbol ${fault.symbol}` : "view" in fault ? `the view ${fault.view}` : fault.file

/** Finds the place, or answers why there is none. */
export const find = (root: string, fault: TextFault): Place | string => {
  const parts = partsOf(root, fault)
  const subject = subjectOf(fault)
  if (parts.length === 0) return `${fault.name}: there is no ${subject.replace(/^the /, "")}`
  if (parts.length > 1) return `${fault.name}: ${subject} is declared in ${parts.map(({ file }) => file).join(", ")}`
  const [{ file, from, text, to }] = parts as [Part]
  const pieces = text.slice(from, to).split(fault.find)
  if (pieces.length !== 2) return `${fault.name}: what it replaces is in ${subject} ${pieces.length - 1} times`
  if (fault.find === fault.replace) return `${fault.name}: it replaces a text by itself`
  return { file, before: text, after: text.slice(0, from) + pieces.join(fault.replace) + text.slice(to) }
}
