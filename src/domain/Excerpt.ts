/** The beginning of a text that is too long to repeat. */

/** How much a history entry or a handoff repeats of the notes and check results of an attempt, in characters. */
export const MaxExcerpt = 4000

/** How much of a reason a history entry keeps, in characters. The task itself may keep all of it. */
export const MaxReason = 2000

/** How much of a text an error repeats, in characters. */
export const MaxRepeated = 1000

/** The mark at the end of a shortened text. */
const Mark = " …"

/** The text, or its beginning: at most `most` UTF-16 code units with the mark, and never half of a surrogate pair. */
export const excerpt = (text: string, most = MaxExcerpt): string => {
  if (text.length <= most) return text
  const cut = text.slice(0, most - Mark.length)
  const last = cut.charCodeAt(cut.length - 1)
  return `${last >= 0xd800 && last <= 0xdbff ? cut.slice(0, -1) : cut}${Mark}`
}
