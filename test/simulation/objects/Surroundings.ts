/** What the objects take from the process instead of from Effect: the time, and the console they write failures to. */
import type { Timeline } from "../Timeline.ts"

/** Replaces them for the time of a run. Answers how to restore them. Failures are expected, so nobody has to read them. */
export const replaced = (timeline: Timeline): () => void => {
  const { error } = console
  const { now } = Date
  Date.now = timeline.now
  console.error = () => {}
  return () => {
    Date.now = now
    console.error = error
  }
}
