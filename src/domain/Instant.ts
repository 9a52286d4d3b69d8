/** The one rule for times in requests: ISO 8601, a date that exists, and a year that can be answered. */

/** 0001-01-01T00:00:00.000Z: the first year that Python can represent. */
export const FirstInstant = -62_135_596_800_000
/** 9999-12-31T23:59:59.999Z: later years need more than four digits in ISO 8601. */
export const LastInstant = 253_402_300_799_999

const form = /^(\d{4}-\d\d-(\d\d))[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):?([0-5]\d))?$/

/**
 * Milliseconds since 1970 of a text such as `2026-03-02T10:00:00.123456+02:00`. The fraction and the offset are
 * optional, a space may replace the `T`, and no offset means UTC. Digits after the milliseconds are dropped.
 */
export const millisOf = (text: string): number | undefined => {
  const [, date, day, time, fraction = "", sign, hours = "0", minutes = "0"] = form.exec(text) ?? []
  const local = Date.parse(`${date}T${time}.${fraction.slice(0, 3).padEnd(3, "0")}Z`)
  // JavaScript reads 30 February as 2 March, and 24:00 as the next day.
  if (!(new Date(local).getUTCDate() === Number(day))) return undefined
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000
  const millis = sign === "-" ? local + offset : local - offset
  return millis >= FirstInstant && millis <= LastInstant ? millis : undefined
}

export const expectedInstant = "a time as 2026-03-02T10:00:00.000Z, of a day that exists"
