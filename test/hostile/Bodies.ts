/** Bodies that are no JSON or far too much of it, made from valid ones. */
import type { Chance } from "../support/Chance.ts"
import { utf8 } from "./Request.ts"

type Bytes = Uint8Array<ArrayBuffer>
type Made = (body: string, random: Chance) => string | Bytes

// Overlong, halves of surrogate pairs, beyond Unicode, cut short, and a continuation of nothing.
const misfits = [
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xed, 0xb0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf0, 0x9f, 0x90],
  [0xe2, 0x82],
  [0x80],
  [0]
].map((values) => new Uint8Array(values))

const MiB = 1024 * 1024

const joined = (...parts: ReadonlyArray<Bytes>): Bytes => new Uint8Array(Buffer.concat(parts))

const deep = (depth: number, [open, close]: readonly [string, string], inner: string) =>
  `${open.repeat(depth)}${inner}${close.repeat(depth)}`

const numbers = ["9007199254740993", "-9007199254740993", "1e400", "1e-400", "123456789012345678.5", "1e21", "0.1"]

const depths = [10, 99, 101, 1000, 10_000, 100_000]

const bodies: ReadonlyArray<Made> = [
  (body, random) => body.slice(0, random.between(0, body.length)),
  (body, random) => body.slice(random.between(0, body.length)),
  (body) => `\ufeff${body}`,
  (body) => `${body}${body}`,
  (body) => `${body.slice(0, -1)},}`,
  (body) => body.replaceAll("\"", "'"),
  (body) => `/* a comment */${body}`,
  (body) => `${body.slice(0, -1)},"id":1,"id":"twice","scope":[],"scope":{}}`,
  (body) => body.replace(/:("[^"]*"|\d+)/, ":NaN"),
  (body) => body.replace(/:("[^"]*"|\d+)/, ":-0.0e+99999"),
  (body) => new Uint8Array(Buffer.from(body, "utf16le")),
  (body, random) => {
    const [start, end] = [body.slice(0, body.length / 2), body.slice(body.length / 2)].map(utf8)
    return joined(start!, random.pick(misfits), end!)
  },
  // Within a text, where the JSON continues.
  (body, random) => {
    const at = body.indexOf("\"", body.indexOf(":\"") + 2)
    return joined(utf8(body.slice(0, at)), random.pick(misfits), utf8(body.slice(at)))
  },
  (body, random) =>
    body.replace(/:"/, `:"${random.pick(["\\ud83d", "\\uDC19", "\\udc19\\ud83d", "\\\\ud83d", "\\ud83d\\udc19"])}`),
  (body, random) => `${body.slice(0, -1)},"metadata":{"n":[${random.pick(numbers)}]}}`,
  (body) => `${body.slice(0, -1)},"k\\ud83d":1}`,
  () => "",
  () => " \n ",
  (_, random) =>
    random.pick(["null", "true", "0", "\"text\"", "[]", "[{}]", "{}", "undefined", "NaN", "{", "]", "\"\\u"]),
  (_, random) => deep(random.pick(depths), ["[", "]"], ""),
  (_, random) => deep(random.pick(depths), ["{\"a\":", "}"], "1"),
  (body, random) => `${body.slice(0, -1)},"metadata":${deep(random.pick(depths), ["[", "]"], "1")}}`,
  (body, random) => `${body.slice(0, -1)},"hooks":${deep(random.pick(depths), ["{\"a\":", "}"], "1")}}`,
  (_, random) => "a=1&b[]=2&".repeat(random.between(1, 50)),
  () => "--x\r\ncontent-disposition: form-data; name=\"id\"\r\n\r\n1\r\n--x--\r\n",
  (_, random) => new Uint8Array(Array.from({ length: 200 }, () => random.between(0, 255)))
]

/** Bodies of about the largest size that is read: few, as each is a thousand times another one. */
const large: ReadonlyArray<Made> = [
  (body, random) => `${body.slice(0, -1)},"title":"${"x".repeat(random.pick([MiB / 2, MiB - 2000]))}"}`,
  (body, random) => `${body.slice(0, -1)},"content":"${"🐙".repeat(random.pick([MiB / 8, MiB / 4]))}"}`,
  (body) => body.padEnd(MiB, " "),
  (body) => body.padEnd(MiB + 1, " "),
  (body) => body.padEnd(MiB * 2, " "),
  () => `[${"1,".repeat(200_000)}1]`,
  () => `{${Array.from({ length: 50_000 }, (_, i) => `"k${i}":${i}`).join()}}`,
  () => `{"depends_on":[${"\"a\",".repeat(100_000)}"a"]}`
]

export const spoiled = (body: string, random: Chance): Bytes => {
  const made = random.pick(random.happens(0.04) ? large : bodies)(body, random)
  return typeof made === "string" ? utf8(made) : made
}
