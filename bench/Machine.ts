/** What the figures were measured on. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpus, loadavg, totalmem, type } from "node:os"
import { join } from "node:path"
import { root } from "../test/support/Bundle.ts"

const versionOf = (name: string) =>
  String(JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version)

/** The state of the code that was measured, as git knows it. */
const commit = () => {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { cwd: root, encoding: "utf8" }).trim()
  } catch {
    return "not in git"
  }
}

export const describe = (): ReadonlyArray<readonly [string, string]> => [
  ["date", new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC"],
  ["commit", commit()],
  [
    "machine",
    `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()}`
  ],
  ["load before the run", loadavg().map((one) => one.toFixed(1)).join(", ")],
  ["Node", process.version],
  ...["workerd", "miniflare", "effect", "hono"].map((name) => [name, versionOf(name)] as const)
]
