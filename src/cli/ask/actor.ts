/** In whose name a command acts: the history of tasks shows it. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { userInfo } from "node:os"
import { variable } from "./Profiles.ts"

const user = (): string => {
  try {
    return userInfo().username || "cli"
  } catch {
    // A user id without an entry has no name.
    return "cli"
  }
}

export const asFlag = Flag.String("as").pipe(
  Flag.withMetavar("name"),
  Flag.withDescription("In whose name. Otherwise OCTOPOID_ACTOR, then your user name"),
  Flag.optional
)

export const actorOf = (stated: Option.Option<string>) =>
  Effect.map(variable("OCTOPOID_ACTOR"), (name) => Option.getOrUndefined(stated) ?? name ?? user())
