/** The sizes that CONTRIBUTING.md sets for `src`. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const src = fileURLToPath(new URL("../../src", import.meta.url))
const folders = [
  src,
  ...readdirSync(src, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
]
const filesOf = (folder: string) =>
  readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) =>
    join(folder, entry.name)
  )
const linesOf = (file: string) => readFileSync(file, "utf8").split("\n").length - 1

describe("src", () => {
  it("has at most 12 files in a folder", () => {
    const counts = folders.map((folder) => ({ folder, files: filesOf(folder).length }))
    assert.deepStrictEqual(counts.filter(({ files }) => files > 12), [])
  })

  it("has at most 400 lines in a file", () => {
    const sizes = folders.flatMap(filesOf).map((file) => ({ file, lines: linesOf(file) }))
    assert.deepStrictEqual(sizes.filter(({ lines }) => lines > 400), [])
  })
})
