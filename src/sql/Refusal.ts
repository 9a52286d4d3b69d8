/** Batches that SQLite refused, as against those of which nobody knows what became of them. */
import { UniqueViolation } from "./Database.ts"

const refusals = /SQLITE_(CONSTRAINT|ERROR|MISMATCH|TOOBIG)/

/** Whether the defect of a batch says that a statement of it was refused: then nothing of it happened. */
export const isRefusal = (defect: unknown): boolean =>
  defect instanceof UniqueViolation || (defect instanceof Error && refusals.test(defect.message))

/** Whether it was refused because a row or a value would be larger than D1 takes: then nothing of it happened either. */
export const isTooBig = (defect: unknown): boolean =>
  defect instanceof Error && defect.message.includes("SQLITE_TOOBIG")
