/** The bytes of an export: everything is restored to the last character, or nothing is. */
import { assert, describe, it } from "@effect/vitest"
import { written } from "../../scripts/data/dump/dropped.ts"
import { statements } from "../../scripts/data/dump/statements.ts"
import { read as check } from "../../src/cli/transfer/check.ts"
import { read } from "../../src/cli/transfer/Dump.ts"
import type { Header, Line } from "../../src/cli/transfer/Dump.ts"
import { lines } from "../../src/cli/transfer/lines.ts"
import { tables } from "../../src/domain/transfer/StoredRecord.ts"
import { settle } from "../../src/sql/transfer/Settle.ts"
import { migrated } from "../support/layers.ts"

const header = "{\"octopoid_export\":1,\"scope\":\"red\",\"at\":\"2026-01-01T00:00:00.000Z\"}"
const draft = (id: number, title: string) =>
  `{"kind":"drafts","record":{"id":${id},"scope":"red","title":"${title}","status":"idea","author":"a","created_at":1,"updated_at":1}}`
const end = (counts: object) => JSON.stringify({ end: true, counts })

const whole = (line: string) => Buffer.from(`${header}\n${line}\n${end({ drafts: 1 })}\n`)
const task = (id: string, file_path: string): Line => ({
  kind: "tasks",
  record: {
    id,
    scope: "red",
    file_path,
    title: id,
    queue: "incoming",
    version: 1,
    branch: "b",
    priority: "P2",
    priority_rank: 2,
    flow: "default",
    created_at: 1,
    updated_at: 1
  }
})

const made = (id: string): Line => ({
  kind: "history",
  record: { task_id: id, version: 1, scope: "red", event: "created", to_queue: "incoming", grants: 0, at: 1 }
})

/** The bytes in pieces of a size, as they come from a disk. */
const chunked = async function*(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const parsed = (bytes: Buffer, size = 7) => Array.fromAsync(read(lines(chunked(bytes, size))))
const refusalOf = (bytes: Buffer) =>
  Array.fromAsync(check(lines(chunked(bytes, 100)))).then(() => "whole", (error: Error) => error.message)
const refusal = (bytes: Buffer) => parsed(bytes).then(() => "whole", (error: Error) => error.message)

const filed = (...records: ReadonlyArray<Line>) => {
  const counts: Record<string, number> = {}
  for (const { kind } of records) counts[kind] = (counts[kind] ?? 0) + 1
  return Buffer.from([header, ...records.map((one) => JSON.stringify(one)), end(counts)].join("\n"))
}

describe("the lines of an export", () => {
  it.each([1, 2, 3, 7, 100_000])("are the same in pieces of %i bytes, and end only at line ends", async (size) => {
    const title = "é🐙\u2028\u2029\u0085x"
    const parts = await parsed(Buffer.from([header, draft(1, title), end({ drafts: 1 }), ""].join("\r\n")), size)
    assert.deepStrictEqual(parts.map(({ line }) => line?.record.title), [undefined, title, undefined])
    const unended = await parsed(Buffer.from([header, draft(1, title), end({ drafts: 1 })].join("\n")), size)
    assert.lengthOf(unended, 3)
  })

  it("are refused by their number and field where they are not UTF-8", async () => {
    for (const wrong of [[0xff], [0xed, 0xa0, 0x80], [0xf0, 0x9f]]) {
      const [before, after] = draft(2, "|").split("|")
      const bytes = Buffer.concat([
        Buffer.from(`${header}\n${draft(1, "a")}\n${before}`),
        Buffer.from(wrong),
        Buffer.from(`${after}\n${end({ drafts: 2 })}\n`)
      ])
      assert.match(await refusal(bytes), /^Line 3: record\.title: Expected UTF-8, got something else at byte \d+\.$/)
    }
  })

  it("are refused if JSON would change a text or a number", async () => {
    assert.match(await refusal(whole(draft(1, "x\\ud83d"))), /^Line 2: record\.title: .*half of a surrogate pair/)
    assert.match(
      await refusal(whole(draft(1, "a").replace("\"id\":1", "\"id\":9007199254740993"))),
      /^Line 2: record\.id: /
    )
    assert.match(await refusal(whole(draft(1, "a").replace("_at\":1", "_at\":1e400"))), /^Line 2: record\.created_at: /)
    assert.strictEqual(await refusal(whole(draft(1, "\\ud83d\\udc19"))), "whole")
  })

  it("have values that the server can read, or are refused by their number and column", async () => {
    const record = JSON.parse(draft(1, "a")).record
    const message = {
      id: "m",
      scope: "red",
      task_id: "t",
      from_actor: "a",
      type: "t",
      content: "c",
      status: "pending",
      created_at: 1
    }
    const checked = (line: Line) => refusalOf(filed(task("a", "f"), made("a"), line))
    for (const line of [{ kind: "drafts", record }, { kind: "messages", record: message }]) {
      assert.strictEqual(await checked(line), "whole")
      for (const at of ["1e3", " 5 ", "", "2026-01", "1", 1.5, true, null, 8.64e15 + 1]) {
        assert.match(await checked({ ...line, record: { ...line.record, created_at: at } }), /^Line 4 .*created_at/)
      }
      const { created_at: _, ...rest } = line.record
      assert.match(await checked({ ...line, record: rest }), /^Line 4 lacks created_at\.$/)
      assert.match(await checked({ ...line, record: { ...line.record, rowid: 7 } }), /^Line 4 has no column of .*rowid/)
    }
    assert.match(await checked({ kind: "messages", record: { ...message, status: "junk" } }), /^Line 4 .*status/)
    for (
      const [column, value] of [
        ["metadata", "not json"],
        ["metadata", 1],
        ["checkpoint", "{}"],
        ["setbacks", "1"],
        ["pr_number", "9007199254740993"],
        ["pr_number", "1"],
        ["has_plan", 2],
        ["queue", "a\"b"],
        ["version", "1"],
        ["deadline_at", "1"],
        ["fencing_token", 1]
      ] as const
    ) {
      const line = task("b", "g")
      const why = await checked({ ...line, record: { ...line.record, [column]: value } })
      assert.match(why, new RegExp(`^Line 4 .*${column}`))
    }
    assert.match(
      await checked({ ...made("a"), record: { ...made("a").record, version: 2, details: "{" } }),
      /^Line 4 .*details/
    )
    for (const at of ["foo 2026", "", 5, null]) {
      const edited = filed(task("a", "f"), made("a")).toString().replace(
        "\"at\":\"2026-01-01T00:00:00.000Z\"",
        `"at":${JSON.stringify(at)}`
      )
      assert.match(await refusalOf(Buffer.from(edited)), /^Line 1 .*when/)
    }
    // It knows all columns there are, but for those that an export leaves out.
    for (const [kind, columns] of Object.entries(tables)) {
      const stored = migrated().raw.prepare(
        "SELECT name FROM pragma_table_info(?) WHERE name <> 'by_project' AND (name <> 'seq' OR ?1 = 'history')"
      ).all(kind)
      assert.sameMembers(Object.keys(columns), stored.map(({ name }) => String(name)))
    }
    // The task of another scope. A deleted task has no record, and its history ends with the deletion.
    assert.match(
      await checked(made("theirs")),
      /^Line 4 is from the history of the task theirs, which is not in the file/
    )
    const deleted = {
      ...made("gone"),
      record: { ...made("gone").record, version: 2, event: "deleted", to_queue: null }
    }
    assert.strictEqual(await refusalOf(filed(deleted, made("gone"))), "whole")
  })
})

describe("the written part of an export", () => {
  it("is settled in a time that grows with its records, and not with their square", () => {
    const { raw } = migrated()
    for (const scope of ["red", null]) {
      for (const text of settle(scope, 1)) {
        const steps = raw.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as unknown as ReadonlyArray<
          { readonly id: number; readonly parent: number; readonly detail: string }
        >
        const above = (id: number): ReadonlyArray<string> => {
          const step = steps.find((one) => one.id === id)
          return step === undefined ? [] : [step.detail, ...above(step.parent)]
        }
        for (const { detail, parent } of steps) {
          // What is repeated for each row finds its rows by an index.
          const isScan = /^(SCAN (tasks|history|dependencies)|SEARCH \w+ USING PRIMARY KEY$)/.test(detail)
          const repeated = above(parent).find((step) => /^(CORRELATED|MATERIALIZE)/.test(step))?.startsWith(
            "CORRELATED"
          )
          assert.isFalse(isScan && repeated === true, `${detail}: ${text}`)
        }
      }
    }
  })

  it("is counted in the database, and missing records are named", async () => {
    const all = [task("a", "f"), made("a"), task("b", "g"), made("b"), task("c", "f"), made("c")]
    const records = async function*() {
      yield* all
    }
    const { raw } = migrated()
    const scope: Header = JSON.parse(header)
    for await (const statement of statements(scope, records, 1)) raw.exec(statement)
    const asked: Array<string> = []
    const ask = async (questions: ReadonlyArray<string>) => {
      asked.push(...questions)
      return questions.map((question) => raw.prepare(question).all())
    }
    const result = await written(ask, scope, { tasks: 3, history: 3 }, records)
    assert.strictEqual(result.counts["tasks"], 2)
    assert.deepStrictEqual(result.dropped, ["tasks a"])
    // Keys are read only for tables that are incomplete.
    assert.lengthOf(asked, 3)
  })
})
