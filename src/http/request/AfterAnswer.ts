/** Work that goes on after the answer was sent. */
import * as Context from "effect/Context"

/** Keeps the isolate running until the work is done. Absent where nothing does: then the cron does what is left. */
export const AfterAnswer = Context.Reference<((work: Promise<void>) => void) | undefined>(
  "octopoid-server/http/AfterAnswer",
  { defaultValue: () => undefined }
)
