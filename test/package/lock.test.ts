/** package-lock.json: `npm ci` takes it on every platform, and an install changes nothing and warns of nothing. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { complete, isLocked, type LockFile } from "../../scripts/lock/complete.ts"

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8")
const lock: LockFile = JSON.parse(read("package-lock.json"))
const { allowScripts, engines }: { readonly allowScripts: object; readonly engines: object } = JSON.parse(
  read("package.json")
)
const { "": project, ...packages } = lock.packages

describe("the lock file", () => {
  it("is as `npm run lock` leaves it", () => {
    assert.strictEqual(read("package-lock.json"), `${JSON.stringify(complete(lock), null, 2)}\n`)
  })

  it("holds the binaries of every platform, so that npm ci takes it", () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(packages, path, name))
    )
    assert.deepStrictEqual(missing, [])
  })

  it("names no registry", () => {
    assert.deepStrictEqual(Object.keys(packages).filter((path) => packages[path]!.resolved !== undefined), [])
  })

  it("has a checksum for every package, except for the binaries that the registry lacked", () => {
    const unchecked = Object.keys(packages).filter((path) => packages[path]!.integrity === undefined)
    assert.deepStrictEqual(
      unchecked.filter((path) => !/^node_modules\/@effect\/tsgo-(darwin|linux|win32)-(arm64|arm|x64)$/.test(path)),
      []
    )
    for (const path of unchecked) assert.isTrue(packages[path]!.optional, path)
  })

  it("requires a version of Node only for the project itself, and no C library", () => {
    assert.deepStrictEqual(Object.keys(packages).filter((path) => packages[path]!.engines !== undefined), [])
    assert.deepStrictEqual(project?.engines, engines)
    assert.deepStrictEqual(Object.keys(packages).filter((path) => packages[path]!.libc !== undefined), [])
  })

  it("has no package with an install script that package.json does not allow", () => {
    const scripts = Object.keys(packages).filter((path) => packages[path]!.hasInstallScript === true)
    const names = scripts.map((path) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length))
    assert.deepStrictEqual([...new Set(names)].sort(), Object.keys(allowScripts).sort())
  })
})

describe("npm run lock", () => {
  const tool = { version: "1.0.0", integrity: "sha512-a", optionalDependencies: { "tool-darwin-arm64": "1.0.0" } }

  it("adds a binary that the registry does not have, for its platform only", () => {
    const { packages } = complete({ packages: { "node_modules/tool": tool } })
    assert.deepStrictEqual(packages["node_modules/tool-darwin-arm64"] as unknown, {
      version: "1.0.0",
      cpu: ["arm64"],
      dev: true,
      optional: true,
      os: ["darwin"]
    })
  })

  it("keeps a binary that is locked, also beside its dependent", () => {
    for (const path of ["node_modules/tool-darwin-arm64", "node_modules/@a/b/node_modules/tool-darwin-arm64"]) {
      const packages = { "node_modules/@a/b/node_modules/tool": tool, [path]: { version: "1.0.0" } }
      assert.deepStrictEqual(Object.keys(complete({ packages }).packages).length, 2)
    }
  })

  it("refuses a binary with an unknown platform", () => {
    assert.throws(() =>
      complete({ packages: { "node_modules/tool": { ...tool, optionalDependencies: { "tool-native": "^1.0.0" } } } })
    )
  })
})
