/** How often a change that was worked out from what was read is tried. */
import * as Effect from "effect/Effect"
import { statementsLeft } from "../sql/Database.ts"

/** Each failed attempt means that another change went through, so this many in a row is a storm, not a race. */
const Attempts = 5

/** Whether there is to be another attempt after this one, before which so many statements were left to the request. */
export const mayRepeat = (attempt: number, before: number) =>
  Effect.map(statementsLeft, (left) => attempt < Attempts && before - left <= left)
