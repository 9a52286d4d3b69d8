/** How the server sends the feed by itself, if it does. On D1 nobody knows when something changes. */
import * as Context from "effect/Context"

export const Push = Context.Reference<"websocket" | undefined>("octopoid-server/http/Push", {
  defaultValue: () => undefined
})
