/** Listeners with keys of their own, which the administrator ends after some minutes. */
import * as Effect from "effect/Effect"
import * as Listener from "./Listener.ts"
import type { Machine } from "./Machine.ts"

/** Sends a request until it is answered. */
const insist = Effect.fnUntraced(function*(host: Machine, method: string, path: string, body?: object) {
  for (;;) {
    const answer = yield* host.send(method, path, body)
    if (answer !== undefined && answer.status < 500) return answer
    yield* host.pause(1, 20)
  }
})

/** Invites one guest after the other. */
export const invite = (host: Machine, scope: string, boot: (name: string, token: string) => Machine): void =>
  host.fork(Effect.gen(function*() {
    const path = `/scopes/${scope}/keys`
    for (let n = 1;; n++) {
      const { body: { api_key, id } } = yield* insist(host, "POST", path, {})
      host.world.scopes.set(`Bearer ${api_key}`, scope)
      const guest = boot(`${scope} guest ${n}`, api_key)
      Listener.start(guest)
      yield* host.pause(120, 900)
      yield* insist(host, "DELETE", `${path}/${id}`)
      // It sees its socket closed. It has no key to open another.
      yield* host.pause(5, 15)
      guest.process.dead = true
    }
  }))
