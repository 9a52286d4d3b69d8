/**
 * Text for a terminal. Everything that is printed passes through `rendered`, so no control character from a server
 * reaches the terminal. Styles are marked with noncharacters of Unicode and become escape sequences only there.
 */
import { displayWidth } from "effect/cli/CliOutput"

const End = "\uFDD0"
const marks = {
  bold: "\uFDD1",
  dim: "\uFDD2",
  red: "\uFDD3",
  green: "\uFDD4",
  yellow: "\uFDD5",
  cyan: "\uFDD6"
} as const
const sequences: Readonly<Record<string, string>> = {
  [End]: "\u001B[0m",
  [marks.bold]: "\u001B[1m",
  [marks.dim]: "\u001B[2m",
  [marks.red]: "\u001B[31m",
  [marks.green]: "\u001B[32m",
  [marks.yellow]: "\u001B[33m",
  [marks.cyan]: "\u001B[36m"
}
const anyMark = /[\uFDD0-\uFDEF]/g

export type Style = keyof typeof marks

export const styled = (style: Style | undefined, text: string): string =>
  style === undefined || text === "" ? text : `${marks[style]}${text}${End}`

/** Control characters, and those that change the direction of text or break a line. */
const unsafe = /[\p{Cc}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** A text of a server in one line. */
export const line = (text: string | null | undefined): string =>
  (text ?? "").replace(anyMark, "\uFFFD").replace(/[\s\u2028\u2029]+/g, " ").trim().replace(unsafe, escaped)

/** A text of a server with its lines, each indented. */
export const block = (text: string, indent = "  "): string =>
  text.replace(anyMark, "\uFFFD").replace(/\r\n?/g, "\n").replace(/\t/g, "  ").trimEnd().split("\n")
    .map((one) => `${indent}${one.replace(unsafe, escaped)}`.trimEnd()).join("\n")

/** The text with its lines, and without characters that a terminal obeys. */
export const harmless = (text: string): string =>
  text.replace(anyMark, "\uFFFD").replace(unsafe, (character) => character === "\n" ? character : escaped(character))

/**
 * The text as it is written: its styles as escape sequences, or without them, and no other control character but
 * newlines.
 */
export const rendered = (text: string, colours: boolean): string =>
  text.replace(unsafe, (character) => character === "\n" ? character : escaped(character))
    .replace(anyMark, (mark) => colours ? sequences[mark] ?? "" : "")

/** JSON for people and programs: the same document, without characters that a terminal obeys. */
export const json = (value: unknown, space?: number): string =>
  JSON.stringify(value, null, space).replace(unsafe, (character) => character === "\n" ? character : escaped(character))

/** How many columns the text takes, without its styles. */
export const widthOf = (text: string): number => displayWidth(text.replace(anyMark, ""))

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

// One grapheme may be a letter with any number of accents.
const MaxGrapheme = 24

/** The beginning of a text without styles, with `…` if it does not fit. */
export const cut = (text: string, width: number): string => {
  // Each character takes two columns at most, and nothing beyond the cut has to be measured.
  if (text.length <= width && widthOf(text) <= width) return text
  let kept = ""
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    const columns = widthOf(segment)
    if (used + columns > width - 1) return `${kept.trimEnd()}…`
    kept += segment.length > MaxGrapheme ? "\uFFFD" : segment
    used += columns
  }
  return kept
}

/** The text in lines of at most this width. Words that are longer stay whole. */
export const wrapped = (text: string, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let current = ""
  for (const word of text.split(" ")) {
    if (current !== "" && widthOf(current) + 1 + widthOf(word) > width) {
      lines.push(current)
      current = word
    } else current = current === "" ? word : `${current} ${word}`
  }
  return [...lines, current]
}
