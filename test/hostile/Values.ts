/** Values that have broken servers before. */
import type { Chance } from "../support/Chance.ts"
import { texts } from "./Texts.ts"

/** A number as it is written, since JSON can write what no number of JavaScript is. */
const written = (text: string): unknown => (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON(text)

const numbers: ReadonlyArray<unknown> = [
  0,
  written("-0"),
  -1,
  1,
  0.5,
  -1.5,
  1e-320,
  2 ** 31,
  2 ** 32 + 1,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  written("9007199254740993"),
  written("9223372036854775807"),
  written("9223372036854775808"),
  written("-9223372036854775809"),
  1e15,
  8.64e15,
  1e21,
  1e308,
  written("1e999"),
  written("-1e999"),
  written("0.1e-999")
]

const lengths: ReadonlyArray<number> = [50, 51, 90, 91, 199, 200, 201, 255, 256, 1000, 1001, 4096, 20_000]

export const string = (random: Chance): string =>
  random.happens(0.15)
    ? random.pick(["x", "é", "\u{1f600}", " ", "%", "_", "\"", "a,"]).repeat(random.pick(lengths))
    : random.happens(0.2)
    ? `${random.pick(texts)}${random.pick(texts)}`
    : random.pick(texts)

export const number = (random: Chance): unknown => random.pick(numbers)

/** Lists in lists, or objects in objects. */
export const nested = (random: Chance, depth: number): unknown => {
  const asList = random.happens(0.5)
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = asList ? [value] : { a: value }
  return value
}

/** Keys that mean something else in JavaScript, in Python, or to a parser. */
export const key = (random: Chance): string =>
  random.pick([
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "_tag",
    "",
    "$ref",
    "a.b[0]",
    "\0",
    "💥",
    "half \ud83d",
    "x".repeat(5000)
  ])

/** An object with such a key. */
export const withKey = (object: object, name: string, value: unknown): object =>
  Object.fromEntries([...Object.entries(object), [name, value]])

/** Any JSON value at all. */
export const any = (random: Chance): unknown =>
  random.pick<(random: Chance) => unknown>([
    string,
    string,
    number,
    number,
    () => null,
    () => true,
    () => [],
    () => ({}),
    (random) => [string(random)],
    (random) => [null, [number(random)]],
    (random) => withKey({}, key(random), string(random)),
    (random) => nested(random, random.pick([2, 10, 99, 100, 101, 200])),
    () => Array.from({ length: 300 }, (_, i) => i)
  ])(random)
