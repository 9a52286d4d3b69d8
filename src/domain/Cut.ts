/** Text that is repeated in part: in errors, in logs and in history. */

/** How many characters of a text an error repeats. */
export const MaxRepeated = 1000

/** How many characters of a reason an entry of history keeps: the text itself may be on the task. */
export const MaxReason = 2000

/** The text, or as much of it as `most` characters hold, with `…` where it was cut: never within a surrogate pair. */
export const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, "")}…`
