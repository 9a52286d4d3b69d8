/** What CONTRIBUTING.md says of the layout of `src`, of the files that explain a request, and of the scripts. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const src = join(root, "src")
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
const read = (file: string) => readFileSync(file, "utf8")
const linesOf = (file: string) => read(file).split("\n").length - 1

describe("src", () => {
  it("has at most 12 files in a folder", () => {
    const counts = folders.map((folder) => ({ folder, files: filesOf(folder).length }))
    assert.deepStrictEqual(counts.filter(({ files }) => files > 12), [])
  })

  it("has at most 400 lines in a file", () => {
    const sizes = folders.flatMap(filesOf).map((file) => ({ file, lines: linesOf(file) }))
    assert.deepStrictEqual(sizes.filter(({ lines }) => lines > 400), [])
  })

  it("has no comment beyond column 120", () => {
    const long = folders.flatMap(filesOf).filter((file) => /\.tsx?$/.test(file)).flatMap((file) =>
      read(file).split("\n").flatMap((line, at) =>
        line.length > 120 && /^\s*(\/\/|\/\*|\* )/.test(line) ? [`${relative(root, file)}:${at + 1}`] : []
      )
    )
    assert.deepStrictEqual(long, [])
  })
})

describe("the files to read for a request, in CONTRIBUTING.md", () => {
  const section = read(join(root, "CONTRIBUTING.md")).split("\n## ").find((text) =>
    text.startsWith("Reading a request")
  )!

  const listOf = (title: string) => {
    const text = section.split("\n### ").find((part) => part.startsWith(`${title}\n`))!
    const [open = "", closed = ""] = text.split("\nClosed until you change that part:")
    return {
      open: [...open.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file]) => file!),
      closed: [...closed.matchAll(/`(src\/[^`]+)`/g)].map(([, file]) => file!)
    }
  }

  /** The modules of `services` and `sql` that the file imports, those of types only left out. */
  const importsOf = (file: string) =>
    [...read(join(root, file)).matchAll(/^import (?!type )[^;]*?from "(\.[^"]+)"/gm)]
      .map(([, path]) => join(dirname(file), path!)).filter((path) => /^src\/(services|sql)\//.test(path))

  for (
    const [title, most, main] of [
      ["A claim", 14, ["src/services/task/claim.ts", "src/sql/lease/Claim.ts"]],
      ["A submit", 12, ["src/services/task/change/move.ts", "src/sql/task/Move.ts"]],
      ["A PATCH", 18, ["src/services/task/change/patch.ts"]]
    ] as const
  ) {
    it(`are at most ${most}: ${title}`, () => {
      const { open } = listOf(title)
      assert.isAbove(open.length, 0)
      assert.isAtMost(open.length, most)
    })

    it(`exist: ${title}`, () => {
      const { closed, open } = listOf(title)
      assert.deepStrictEqual([...open, ...closed].filter((file) => !existsSync(join(root, file))), [])
    })

    it(`name each module that the request's own code uses: ${title}`, () => {
      const { closed, open } = listOf(title)
      const named = new Set([...open, ...closed])
      for (const file of main) {
        assert.include(open, file)
        assert.deepStrictEqual(importsOf(file).filter((path) => !named.has(path)), [])
      }
    })
  }
})

describe("package.json", () => {
  const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
    read(join(root, "package.json"))
  )
  const texts = ["*.{md,toml}", ".ci/run", "{docs,examples,scripts,src,.github}/**/*.{md,ts,tsx,sql,yml}"]
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    // What earlier releases had is no part of this one.
    .filter((file) => file !== "CHANGELOG.md")

  // An example of evidence: a script of the project that an agent works on.
  const ofUsers = "lint"

  it("has every script that a text or a script names", () => {
    const unknown = texts.flatMap((file) =>
      [...read(join(root, file)).matchAll(/npm run (?:--silent )?([a-z][a-z:-]*)/g)]
        .filter(([, name]) => !Object.hasOwn(scripts, name!) && name !== ofUsers).map(([whole]) => `${file}: ${whole}`)
    )
    assert.deepStrictEqual(unknown, [])
  })

  it("has few scripts", () => {
    assert.isAtMost(Object.keys(scripts).length, 24)
  })
})
