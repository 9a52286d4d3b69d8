/** `docs/schema.sql` shows the schema that the migrations make. */
import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { render } from "../../scripts/schema/render.ts"
import { MaxRecord } from "../../src/domain/Size.ts"
import { MaxSetbacks } from "../../src/sql/lease/End.ts"
import { migrated } from "../support/layers.ts"
import * as NodeD1 from "../support/NodeD1.ts"

const file = readFileSync(new URL("../../docs/schema.sql", import.meta.url), "utf8")

it("docs/schema.sql is the schema after all migrations", () => {
  assert.strictEqual(file, render(migrated().raw), "`npm run schema -- --write` writes it.")
})

it("docs/schema.sql makes the same tables, indexes and views in an empty database", () => {
  const { raw } = NodeD1.make()
  raw.exec(file)
  assert.strictEqual(render(raw), file)
})

it("the views have the limits of the code", () => {
  const views = migrated().raw.prepare("SELECT sql FROM sqlite_schema WHERE type = 'view'").all()
  const numbers = (pattern: RegExp) =>
    views.flatMap(({ sql }) => Array.from(String(sql).matchAll(pattern), ([, number]) => Number(number)))
  const sizes = numbers(/\bbytes [<>]=? (\d+)/g)
  assert.isAtLeast(sizes.length, 3)
  assert.deepStrictEqual(sizes, sizes.map(() => MaxRecord))
  assert.deepStrictEqual(numbers(/json_array_length\(setbacks\) >= (\d+)/g), [MaxSetbacks])
})
