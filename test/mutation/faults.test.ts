/** Each fault of the mutation check that replaces a text of a file can be planted: the text is there, once. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { detectors } from "../../scripts/prove/mutate/Detector.ts"
import * as Place from "../../scripts/prove/mutate/Place.ts"
import { root } from "../support/Bundle.ts"
import { faults } from "./faults.ts"

const inFiles = faults.filter((fault): fault is Place.TextFault => !("step" in fault))

describe("the planted faults", () => {
  it("have different names", () => {
    assert.deepStrictEqual(faults.map(({ name }) => name), [...new Set(faults.map(({ name }) => name))])
  })

  it.each(inFiles)("$name replaces a text that is there once", (fault) => {
    const place = Place.find(root, fault)
    if (typeof place === "string") assert.fail(place)
    assert.notStrictEqual(place.before, place.after)
  })
})

// Vitest runs no test if none has the title, and then a fault counts as one that cannot be planted.
describe("the tests that look for faults", () => {
  const named = detectors.flatMap(({ tests }) => tests).filter(({ name }) => name !== undefined)

  it.each(named)("$file has a test with the title: $name", ({ file, name }) => {
    assert.include(readFileSync(join(root, file), "utf8"), name!)
  })
})

describe("the place of a fault", () => {
  const fault = { name: "planted", breaks: "", replace: "other" }
  const find = (where: { readonly symbol: string } | { readonly view: string }, find: string) =>
    Place.find(root, { ...fault, ...where, find })

  it("is in the declaration of a symbol, wherever that is", () => {
    const place = find({ symbol: "statement" }, "names.push(name)")
    if (typeof place === "string") assert.fail(place)
    assert.strictEqual(place.file, "src/sql/Statement.ts")
    assert.strictEqual(place.after, place.before.replace("names.push(name)", "other"))
  })

  it("is not in another declaration of the same file", () => {
    assert.include(find({ symbol: "variants" }, "names.push(name)"), "is in the symbol variants 0 times")
  })

  it("needs the name of the module where several declare such a symbol", () => {
    assert.include(find({ symbol: "make" }, "x"), "is declared in src/")
    assert.include(
      find({ symbol: "Statement.variants" }, "no such text"),
      "is in the symbol Statement.variants 0 times"
    )
    assert.include(find({ symbol: "noSuchSymbol" }, "x"), "there is no symbol noSuchSymbol")
  })

  it("is in the newest definition of a view", () => {
    const place = find({ view: "ready" }, "available_at IS NULL")
    if (typeof place === "string") assert.fail(place)
    assert.match(place.file, /^migrations\/\d{4}_.*\.sql$/)
    assert.include(find({ view: "expiring" }, "available_at IS NULL"), "is in the view expiring 0 times")
  })
})
