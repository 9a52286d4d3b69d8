/** Whether a detector found a fault out, and by what. */

export type Verdict =
  | { readonly _tag: "Caught"; readonly by: string; readonly reason: string }
  /** It did not come to an end, as a fault may make it. */
  | { readonly _tag: "Hang" }
  /** The fault is no server any more: its modules do not load, or SQLite does not understand it. That proves nothing. */
  | { readonly _tag: "Broken"; readonly reason: string }
  | { readonly _tag: "Survived" }

// What a mistake in a fault looks like, as against a server that breaks its word.
const mistake = /SQLITE_(ERROR|MISMATCH|TOOBIG)|SyntaxError|ReferenceError|TypeError|Cannot find (module|package)/

/** A failure with this text, told in a line. */
export const failed = (by: string, text: string, reason: string): Verdict =>
  mistake.test(text) ? { _tag: "Broken", reason } : { _tag: "Caught", by, reason }
