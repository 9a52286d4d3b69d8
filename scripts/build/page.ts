/** The files of the built page, for a Worker that serves them itself: their texts, and their headers as `_headers` has them. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { extname, join } from "node:path"

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8"
}

const typeOf = (name: string): string => {
  const type = types[extname(name)]
  if (type === undefined) throw new Error(`The page has a file of an unknown type: ${name}`)
  return type
}

/** The rules of `_headers`: a path that may end with `*`, and below it, indented, the headers that its files get. */
const rulesOf = (text: string) => {
  const rules: Array<{ readonly path: string; readonly headers: Record<string, string> }> = []
  for (const line of text.split("\n").filter((one) => one.trim() !== "" && !one.startsWith("#"))) {
    if (!/^\s/.test(line)) {
      rules.push({ path: line.trim(), headers: {} })
      continue
    }
    const [name = "", ...value] = line.split(":")
    rules.at(-1)!.headers[name.trim().toLowerCase()] = value.join(":").trim()
  }
  return rules
}

const fits = (path: string, rule: string) => rule.endsWith("*") ? path.startsWith(rule.slice(0, -1)) : path === rule

export const filesOf = (folder: string) => {
  const rules = rulesOf(readFileSync(join(folder, "_headers"), "utf8"))
  const names = readdirSync(join(folder, "app"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(names.map((name) => {
    const path = `/${name.slice(folder.length + 1).replaceAll("\\", "/")}`
    const text = readFileSync(name, "utf8")
    const headers = Object.assign(
      { "content-type": typeOf(name) },
      ...rules.filter((rule) => fits(path, rule.path)).map((rule) => rule.headers)
    ) as Record<string, string>
    return [path, { text, etag: `"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"`, headers }]
  }))
}
