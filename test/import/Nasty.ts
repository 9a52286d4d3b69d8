/** Records with values in them that no server should have let in, and some that one may well have. */
import * as Schema from "effect/Schema"
import { importKinds } from "../../src/domain/transfer/Import.ts"
import { defaultFlow } from "../support/flows.ts"
import { good } from "./Good.ts"
import type { Row } from "./OldServer.ts"

const nest = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inside) => ({ a: [inside] }), "x")
const states = defaultFlow.states

/** Values for a field, with names for messages of failing tests. */
export const nasty: Record<string, unknown> = {
  quote: "a\"b",
  backslash: "a\\b",
  blank: "   ",
  empty: "",
  dot: ".",
  dots: "..",
  nul: "\0",
  bell: "a\u0007b",
  line: "a\nb",
  surrogates: "\ud800".repeat(70),
  long: "x".repeat(300),
  path: "a/b?c#d%20e",
  commas: "good,,x, TASK-good",
  letters: "é✓🎉",
  sql: "'); DROP TABLE tasks; --",
  proto: "__proto__",
  constructor: "constructor",
  one: "1",
  claimed: "claimed",
  done: "done",
  failed: "failed",
  provisional: "provisional",
  negative: -1,
  zero: 0,
  half: 0.5,
  billion: 1_000_000_000,
  beyond: 1_000_000_001,
  safe: Number.MAX_SAFE_INTEGER,
  lowest: -Number.MAX_SAFE_INTEGER,
  unsafe: 2 ** 53,
  huge: 1e300,
  yesterday: "yesterday",
  never: "2026-13-41 10:00:00",
  late: "9999-12-31T23:59:59-12:00",
  early: "0000-01-01T00:00:00+12:00",
  old: "1969-12-31 23:59:59",
  true: true,
  null: null,
  list: [],
  object: {},
  nulls: [null],
  broken: "{\"a\":",
  text: "[1,{\"a\":null}]",
  prototype: JSON.parse("{\"__proto__\":{\"a\":1},\"constructor\":2}"),
  nested: nest(40),
  deep: nest(1500),
  deepText: JSON.stringify(nest(1500)),
  fewStates: ["incoming", "claimed"],
  quotedState: [...states, "a\"b"],
  textStates: JSON.stringify([...states, "__proto__", "x".repeat(300)]),
  oddStates: [...states, "children_complete", "__proto__", "constructor"],
  manyStates: [...states, ...Array.from({ length: 300 }, (_, i) => `s${i}`)],
  noStep: [7],
  nowhere: [{ from: "incoming", to: "nowhere" }],
  oddStep: [{ from: "claimed", to: "provisional", __proto: nest(40) }, { from: "provisional", to: "done" }],
  textSteps: "[{\"from\":\"claimed\",\"to\":\"\\\"\"}]",
  child: { states: [".."], transitions: [{ from: "claimed", to: "a\\b" }] },
  oddChild: { transitions: [{ from: "claimed", to: "__proto__" }] }
}

const Value = Schema.Union([
  Schema.Struct({ nasty: Schema.Literals(Object.keys(nasty)) }),
  Schema.Struct({ any: Schema.Json })
])

/** Changes to a record that fits. */
export const Changed = Schema.Union(importKinds.map((kind) =>
  Schema.Struct({
    kind: Schema.Literal(kind),
    changes: Schema.Array(
      Schema.Struct({ field: Schema.Literals(Object.keys(good[kind]("", 0))), value: Value })
    ).check(Schema.isMinLength(1), Schema.isMaxLength(3))
  })
))
export type Changed = typeof Changed.Type

export const changed = ({ changes, kind }: Changed, n: number): Row => ({
  ...good[kind](`changed-${n}`, n + 1),
  ...Object.fromEntries(changes.map(({ field, value }) => [field, "any" in value ? value.any : nasty[value.nasty]]))
})
