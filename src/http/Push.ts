/** How the server sends the feed by itself, if it does. On D1 no isolate knows when another one changes something. */
import * as Context from "effect/Context"

export const Push = Context.Reference<"websocket" | undefined>("octopoid-server/http/Push", {
  defaultValue: () => undefined
})
