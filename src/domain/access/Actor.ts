/** Who acts, as far as the key of the request tells. */
import * as Context from "effect/Context"
import type { ScopeName } from "../Identifier.ts"

export interface Actor {
  /** The name in the history of what names nobody else. */
  readonly name: string | null
  /** The only scope it reaches; none when it reaches all. What it refers to has to be there. */
  readonly scope: ScopeName | undefined
}

export const CurrentActor = Context.Reference<Actor>("octopoid-server/domain/CurrentActor", {
  defaultValue: () => ({ name: null, scope: undefined })
})
