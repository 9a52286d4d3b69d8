/** The colour of a queue. */
import type { Style } from "./Text.ts"

const styles: Readonly<Record<string, Style>> = {
  done: "green",
  failed: "red",
  provisional: "yellow",
  claimed: "cyan"
}

export const queueStyle = (queue: string | null | undefined): Style | undefined => styles[queue ?? ""]
