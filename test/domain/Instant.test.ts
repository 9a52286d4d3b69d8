/** Times that come in, against a calendar that is counted here by itself. */
import { assert, describe, it } from "@effect/vitest"
import { millisOf } from "../../src/domain/Instant.ts"
import * as Chance from "../support/Chance.ts"

const isLeap = (year: number) => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
const daysIn = (year: number, month: number) =>
  [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
const daysBefore = (year: number) =>
  year * 365 + Math.floor((year + 3) / 4) - Math.floor((year + 99) / 100) + Math.floor((year + 399) / 400)

/** Days since 1970-01-01, counted month by month. */
const dayNumber = (year: number, month: number, day: number) => {
  let days = daysBefore(year) - daysBefore(1970) + day - 1
  for (let earlier = 1; earlier < month; earlier++) days += daysIn(year, earlier)
  return days
}

const pad = (number: number, width = 2) => String(number).padStart(width, "0")

/** A time as clients write it, usually a valid one, with its milliseconds if it is valid. */
const drawn = (random: Chance.Chance): readonly [text: string, millis: number | undefined] => {
  const odd = (most: number, beyond: number) =>
    random.happens(0.04) ? random.between(most + 1, beyond) : random.between(0, most)
  const year = random.happens(0.2)
    ? random.pick([0, 1, 4, 99, 100, 400, 1900, 2000, 2100, 9999])
    : random.between(0, 9999)
  const month = random.happens(0.04) ? random.pick([0, 13, 99]) : random.between(1, 12)
  const day = random.happens(0.3)
    ? random.pick([28, 29, 30, 31])
    : random.happens(0.04)
    ? random.pick([0, 32])
    : random.between(1, 28)
  const [hour, minute, second] = [odd(23, 30), odd(59, 70), odd(59, 70)]
  const digits = random.happens(0.5)
    ? ""
    : String(random.between(0, 999_999_999)).padStart(9, "0").slice(0, random.between(1, 9))
  const [sign, hours, minutes] = [random.pick([1, -1]), odd(23, 30), odd(59, 70)]
  const zone = random.pick(["", "Z", "+00:00", "own", "own"] as const)
  const offset = zone === "own" ? `${sign > 0 ? "+" : "-"}${pad(hours)}${random.pick([":", ""])}${pad(minutes)}` : zone
  const text =
    `${pad(year, 4)}-${pad(month)}-${pad(day)}${random.pick(["T", "T", " "])}${pad(hour)}:${pad(minute)}:${
      pad(second)
    }` +
    `${digits === "" ? "" : `.${digits}`}${offset}`
  const real = day >= 1 && day <= daysIn(year, month) && hour < 24 && minute < 60 && second < 60
    && (zone !== "own" || (hours < 24 && minutes < 60))
  const shift = zone === "own" ? sign * (hours * 60 + minutes) : 0
  const millis = ((dayNumber(year, month, day) * 24 + hour) * 60 + minute - shift) * 60_000 + second * 1000
    + Number(digits.padEnd(3, "0").slice(0, 3))
  const [first, last] = [dayNumber(1, 1, 1) * 86_400_000, (dayNumber(9999, 12, 31) + 1) * 86_400_000 - 1]
  return [text, real && millis >= first && millis <= last ? millis : undefined]
}

describe("a time in a request", () => {
  it("is a date of the calendar, or is refused", () => {
    const random = Chance.make(`instants ${process.env.PROPERTY_SEED ?? 1}`)
    const drawnSo = { real: 0, none: 0 }
    for (let i = 0; i < 20_000; i++) {
      const [text, millis] = drawn(random)
      assert.strictEqual(millisOf(text), millis, text)
      drawnSo[millis === undefined ? "none" : "real"]++
      // An answered time is accepted as the same time.
      if (millis !== undefined) assert.strictEqual(millisOf(new Date(millis).toISOString()), millis)
    }
    assert.isAbove(Math.min(drawnSo.real, drawnSo.none), 2000)
  })

  it.each([
    ["2026-03-02 10:00:00", "2026-03-02T10:00:00.000Z"],
    ["2026-03-02T10:00:00.123456+00:00", "2026-03-02T10:00:00.123Z"],
    ["2026-03-02T12:00:00.123456789+02:00", "2026-03-02T10:00:00.123Z"],
    ["2026-03-02 10:00:00.123456", "2026-03-02T10:00:00.123Z"],
    ["2026-03-02T10:00:00-0530", "2026-03-02T15:30:00.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"]
  ])("is taken as old clients write it: %s", (text, expected) => {
    assert.strictEqual(new Date(millisOf(text)!).toISOString(), expected)
  })

  it.each([
    "",
    "2026",
    "2026-03",
    "2026-03-02",
    "2026-03-02T10:00Z",
    "2026-03-02T10Z",
    "2026-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-03-02T24:00:00Z",
    "2026-03-02T23:59:60Z",
    "2016-12-31T23:59:60Z",
    "2026-03-02T10:60:00Z",
    "2026-03-02T10:00:00+24:00",
    "2026-03-02T10:00:00+02:60",
    "2026-03-02T10:00:00+02",
    "2026-03-02T10:00:00 Z",
    " 2026-03-02T10:00:00Z",
    "2026-03-02T10:00:00Z\n",
    "2026-03-02t10:00:00z",
    "2026-03-02T10:00:00,5Z",
    "2026-03-02T10:00:00.Z",
    "2026-03-02T10:00:00.1234567890Z",
    "2026-03-02T10:00:00Z[Europe/Berlin]",
    "2026-03-02T10:00:00 GMT",
    "20260302T100000Z",
    "2026-W10-1T10:00:00Z",
    "2026-061T10:00:00Z",
    "+002026-03-02T10:00:00Z",
    "-000001-03-02T10:00:00Z",
    "+275760-09-13T00:00:00Z",
    "0000-12-31T23:59:59Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "Mon, 02 Mar 2026 10:00:00 GMT",
    "Mar 2, 2026",
    "foo 2026",
    "1772445600000",
    "1772445600",
    "now",
    "２０２６-03-02T10:00:00Z"
  ])("is refused otherwise: %j", (text) => {
    assert.isUndefined(millisOf(text))
  })
})
