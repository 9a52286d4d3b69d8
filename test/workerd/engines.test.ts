/** Both engines treat a batch alike: its values, its failures, and what it costs. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Sent, start, type Value } from "../engines/Engines.ts"

let engines: Awaited<ReturnType<typeof start>>
beforeAll(async () => {
  engines = await start()
})
afterAll(() => engines.close())

const odd = (name: Extract<Value, { readonly odd: string }>["odd"]): Sent => ({
  text: "SELECT ? AS x, typeof(?1) AS type",
  values: [{ odd: name }]
})

const message = (id: string, content: Value): Sent => ({
  text: `INSERT INTO messages (id, scope, task_id, from_actor, type, content, created_at)
    VALUES (?, 's', 't', 'a', 'c', ?, 1)`,
  values: [{ text: id }, content]
})

/** Runs the batch on both, and requires that the outcome is the same. */
const alike = async (...sent: ReadonlyArray<Sent>) => {
  const { d1, object } = await engines.run(sent)
  assert.deepStrictEqual(object, d1, JSON.stringify(sent).slice(0, 200))
  return d1 as any
}

const counted = (text: string) => alike({ text })

/** What comes of the statement in an object. */
const stored = async (sent: Sent) => (await engines.run([sent])).object

/** The text of an error. D1 puts its own name before it. */
const withoutPrefix = ({ error }: any) => error.replace(/^Error: (D1_ERROR: )?/, "")

describe("D1 and the storage of an object", () => {
  it("bind the same values", async () => {
    assert.deepStrictEqual((await alike(odd("true"))).rows, [[{ x: 1, type: "real" }]])
    for (const name of ["false", "null", "NaN", "infinity"] as const) await alike(odd(name))
    for (const number of [0, -1, 1.5, 2 ** 53 - 1, 1e300, 253402300799999]) {
      await alike({ text: "SELECT ? AS x, typeof(?1) AS type, json_array(?1) AS json", values: [{ number }] })
    }
    for (const text of ["", "a\u0000b", "😀", "\ufffd", "x".repeat(10_000)]) {
      await alike({ text: "SELECT ? AS x, octet_length(?1) AS bytes", values: [{ text }] })
    }
  })

  it("refuse the same values, by name", async () => {
    for (const name of ["undefined", "bigint", "date", "object"] as const) {
      const refused = await alike(odd(name))
      assert.match(refused.error, /Type '(undefined|bigint|Date|object)' not supported/)
    }
  })

  it("fail alike, and a failed batch changes nothing", async () => {
    const good: Sent = { text: "INSERT INTO queue_counts (scope, counts) VALUES ('kept', '{}')" }
    const columns = "INSERT INTO queue_counts (scope, counts)"
    const wrong: Record<string, string> = {
      unique: `${columns} VALUES ('twice', '{}'), ('twice', '{}')`,
      null: `${columns} VALUES ('internal error', NULL)`,
      type: `${columns} VALUES ('connection lost', x'00')`,
      check: "INSERT INTO event_counts (scope, event, n) VALUES ('s', 'e', -1)",
      foreign: `INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank, branch, flow,
        project_id, created_at, updated_at) VALUES ('f', 's', 'f', 'f', 'incoming', 1, 'P2', 2, 'b', 'd', 'none', 1, 1)`,
      missing: "SELECT * FROM internal_error",
      column: "SELECT internal_error FROM tasks",
      syntax: "SELEC 1",
      json: "SELECT json_extract('{}', 'a guard of the request does not hold: 0.')",
      variables: `SELECT ${Array.from({ length: 101 }, (_, index) => `?${index + 1}`)}`,
      compound: Array.from({ length: 6 }, () => "SELECT 1").join(" UNION ALL ")
    }
    for (const [name, text] of Object.entries(wrong)) {
      const values = name === "variables" ? Array.from({ length: 101 }, (): Value => ({ number: 1 })) : []
      const { d1, object } = await engines.run([good, { text, values }]) as any
      if (name === "unique") assert.deepStrictEqual(object, d1)
      else {
        for (const outcome of [d1, object]) {
          assert.deepInclude(outcome, { refusal: true, tooBig: false, transient: false }, `${name}: ${outcome.error}`)
        }
        assert.strictEqual(withoutPrefix(object), withoutPrefix(d1), name)
      }
      const kept = await alike({ text: "SELECT count(*) AS n FROM queue_counts WHERE scope = 'kept'" })
      assert.deepStrictEqual(kept.rows, [[{ n: 0 }]], name)
    }
  })

  // Local D1 allows as much as workerd does, D1 on Cloudflare 2,000,000 bytes.
  it("an object refuses a row of more than 2,000,000 bytes", async () => {
    const inserted = (times: number) => stored(message(`m${times}`, { text: "é", times }))
    assert.containsAllKeys(await inserted(999_000), ["written"])
    assert.deepInclude(await inserted(1_000_000), { refusal: true, tooBig: true, transient: false })
    // The limit is that of the row, and not that of one text.
    const text = "UPDATE messages SET task_id = ? WHERE id = 'm999000'"
    const grown = await stored({ text, values: [{ text: "x", times: 10_000 }] })
    assert.deepInclude(grown, { refusal: true, tooBig: true })
    const { rows } = await stored({ text: "SELECT length(task_id) AS n FROM messages WHERE id = 'm999000'" }) as any
    assert.deepStrictEqual(rows, [[{ n: 1 }]])
  })

  it("count the same rows", async () => {
    const insert = await counted(
      "INSERT INTO queue_counts (scope, counts) VALUES ('a', '{}'), ('b', '{}') RETURNING scope"
    )
    assert.isAbove(insert.written, 0)
    await counted("UPDATE queue_counts SET revision = revision + 1 WHERE scope = 'a'")
    await counted("UPDATE queue_counts SET revision = revision + 1 WHERE scope = 'none'")
    await counted("SELECT * FROM queue_counts ORDER BY counts, scope")
    await counted("DELETE FROM queue_counts")
    // The trigger that limits a row costs a row read where rows may become long.
    const { d1, object } = await engines.run([message("n1", { text: "a" }), message("n2", { text: "b" })]) as any
    assert.deepStrictEqual(object, { ...d1, read: d1.read + 2 })
  })
})
