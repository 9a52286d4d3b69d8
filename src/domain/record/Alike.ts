/** Which failures are alike: those whose reasons differ only in numbers, ids, paths and quoted texts. */
import { fingerprint } from "../Fingerprint.ts"

/** How much of a reason is compared, in characters. */
const MaxCompared = 2000

/** How much of a form is compared, in characters. */
const MaxForm = 300

/**
 * What differs from one failure to the next, and what stands for it. Each pattern takes time in proportion to the text.
 */
const varying: ReadonlyArray<readonly [RegExp, string]> = [
  [/"[^"\n]{0,500}"|`[^`\n]{0,500}`|(?<![\p{L}\p{N}])'[^'\n]{0,500}'(?![\p{L}\p{N}])/gu, "<text>"],
  [/\b[a-z][a-z0-9+.-]{1,15}:\/\/\S+/g, "<url>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<id>"],
  [/(?<![\p{L}\p{N}])(?:[a-z]:)?[\p{L}\p{N}_.@~-]*(?:[/\\][\p{L}\p{N}_.@~+-]+)+(?::\d+)*/gu, "<path>"],
  // A word of at least seven hexadecimal digits, or of letters and digits: a hash, or the id of a task or a request.
  [/(?<![\p{L}\p{N}])(?=[\p{L}_-]*\p{N})[\p{L}\p{N}_-]{7,200}(?![\p{L}\p{N}])/gu, "<id>"],
  [
    /[+-]?\d[\d.,:_]*(?:\s?(?:ns|us|µs|ms|s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|%|kb|mb|gb|kib|mib|gib|bytes)\b)?/gu,
    "<n>"
  ],
  [/\s+/g, " "]
]

/** The reason without what differs from one failure to the next. */
export const formOf = (reason: string): string =>
  varying.reduce(
    (text, [pattern, placeholder]) => text.replace(pattern, placeholder),
    reason.slice(0, MaxCompared).toLowerCase()
  )
    .trim().slice(0, MaxForm)

/**
 * A text that failures have in common if they are alike. It is null for a failure without a reason, which is like no
 * other.
 */
export const fingerprintOf = (reason: string | null): string | null => {
  const form = formOf(reason ?? "")
  return form === "" ? null : fingerprint("failure", { form })
}
