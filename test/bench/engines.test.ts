/** The section on both engines is written alone, and leaves the rest of RESULTS.md as it is. */
import { assert, it } from "@effect/vitest"
import type { Cell, Matrix } from "../../bench/engines/Matrix.ts"
import { replaced, section } from "../../bench/engines/Section.ts"

const cell = (engine: Cell["engine"], scopes: number, errors: Cell["errors"] = {}): Cell => ({
  engine,
  clients: 1024,
  scopes,
  lives: 100,
  requests: 400,
  millis: 10_000,
  life: { p50: 1, p99: 2 },
  request: { p50: 1, p99: 2 },
  busy: 500,
  memory: 2 ** 27,
  errors
})

const matrix: Matrix = {
  machine: [["date", "today"], ["commit", "c"], ["machine", "m"], ["load before the run", "0.1"], ["workerd", "1"]],
  options: { clients: [1024], scopes: [1, 256], seconds: 10, lives: 256 },
  cells: [cell("objects", 256, { "503 DatabaseUnavailable": 3, ECONNRESET: 1 }), cell("objects", 1), cell("d1", 1)],
  warm: [
    { engine: "d1", scopes: 1, memory: 100 * 2 ** 20 },
    { engine: "d1", scopes: 256, memory: 100 * 2 ** 20 },
    { engine: "objects", scopes: 1, memory: 100 * 2 ** 20 },
    { engine: "objects", scopes: 256, memory: 355 * 2 ** 20 }
  ]
}

it("the section shows every error, the memory of an object, and D1 before objects", () => {
  const written = section(matrix)
  const rows = written.split("\n").filter((line) => /^\| \d/.test(line))
  assert.deepStrictEqual(rows.map((row) => row.split(" | ").slice(0, 4).join(" ")), [
    "| 1 1024 D1 10.0",
    "| 1 1024 Durable Objects 10.0",
    "| 256 1024 Durable Objects 10.0"
  ])
  assert.include(rows[2]!, "3 × 503 DatabaseUnavailable, 1 × ECONNRESET")
  assert.include(written, "| Durable Objects | 100 MiB | 355 MiB | 1024 KiB |")
})

it("the section takes the place of the one before it, or the place before the comparison", () => {
  const document = "# What\n\n## CPU\n\ntext\n\n## Beside other servers\n\nrest\n"
  const written = section(matrix)
  const once = replaced(document, written)
  assert.isTrue(once.startsWith("# What\n\n## CPU\n\ntext\n\n## D1 and Durable Objects\n"))
  assert.isTrue(once.endsWith("\n\n## Beside other servers\n\nrest\n"))
  assert.strictEqual(replaced(once, written), once)
})
