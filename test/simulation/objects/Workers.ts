/** The Worker before the objects: isolates that hold no records, and find the object of each request. */
import * as Front from "../../../src/objects/Front.ts"
import * as Home from "../../../src/objects/Home.ts"
import { type Isolate, wholeReply } from "../Server.ts"
import { makeProcess } from "../Timeline.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"
import type { Objects } from "./Objects.ts"

/** Longer than any request may take, with all that delays it on its way to its object. */
const Patience = 10 * 60_000

export const isolate = (world: World, objects: Objects, name: string): Isolate => {
  const { timeline } = world
  const process = makeProcess(name)
  objects.begin(process)
  const front = Front.make({
    control: () => objects.controlFrom(process),
    scope: (scope) => objects.stub(Home.nameOf(scope), process),
    nobody: () => objects.stub(Home.nobody, process),
    secret: world.config["API_SECRET_KEY"]
  })
  // Callers that wait for an answer of this isolate. They get an error when it ends.
  const waiting = new Set<() => void>()
  return {
    process,
    serve: (exchange, answered, refused) => {
      const { body, headers, method, url } = exchange.sent!
      waiting.add(refused)
      timeline.after(
        Patience,
        `${exchange.name} should have an answer`,
        process,
        () => world.check(() => ensure(!waiting.has(refused), () => `${exchange.name} got no answer`))
      )
      const request = new Request(url, { method, headers, ...(body === undefined ? {} : { body }) })
      void objects.during(exchange, () => front.fetch(request)).then(wholeReply).then((reply) => {
        if (process.dead) return
        waiting.delete(refused)
        answered(reply)
      })
    },
    end: () => {
      process.dead = true
      objects.end(process)
      for (const refused of waiting) refused()
    }
  }
}
