/** Writes `docs/schema.sql`, or checks that it is current: `npm run schema`. */
import { readFileSync, writeFileSync } from "node:fs"
import { migrated } from "../test/support/layers.ts"
import * as Flags from "./flags.ts"
import { render } from "./schema/render.ts"

const { values: { write } } = Flags.read({
  run: "npm run schema",
  does: "Checks that docs/schema.sql shows the schema that the migrations make. Exits with 1 if it does not.",
  takes: "a second",
  options: { write: { type: "boolean", default: false, says: "writes docs/schema.sql" } }
})

const file = new URL("../docs/schema.sql", import.meta.url)
const schema = render(migrated().raw)
if (write) writeFileSync(file, schema)
else if (readFileSync(file, "utf8") !== schema) {
  console.error("docs/schema.sql is not current. `npm run schema -- --write` writes it.")
  process.exitCode = 1
}
