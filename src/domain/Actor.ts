/** Who acts, as far as the request's key tells: the name in the history of what names nobody else. */
import * as Context from "effect/Context"

export const CurrentActor = Context.Reference<string | null>("octopoid-server/domain/CurrentActor", {
  defaultValue: () => null
})
