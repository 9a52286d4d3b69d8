/** The worker and answers that the server did not give: nothing is failed or lost because of them, and nothing ends. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as client from "../../src/client.ts"
import * as Worker from "../../src/client/Worker.ts"
import { names, pages } from "../support/OnTheWay.ts"
import { machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann", until: "idle" } as const
const work = () => Effect.succeed(result)

describe.concurrent("something between the worker and the server", () => {
  it.live.each(names)("answers once, at every call, with %s", (name) =>
    Effect.gen(function*() {
      const { create, events, fail, throughFaults } = yield* make()
      yield* create("a")
      fail((_method, _path, times) => times === 1 ? { after: pages[name]! } : "none")
      yield* throughFaults(Worker.run(options, work))
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
    }))

  it.live(
    "answers a claim with 403, which does not end the worker; a 403 of the server does",
    () =>
      Effect.gen(function*() {
        const { create, events, fail, throughFaults } = yield* make()
        yield* create("a")
        fail((_method, path, times) =>
          path.endsWith("/claim") && times < 3 ? { instead: pages["a firewall's 403"]! } : "none"
        )
        yield* throughFaults(Worker.run(options, work))
        assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
        const locked = yield* make({ API_SECRET_KEY: "sixteen characters" })
        const error = yield* Effect.flip(locked.throughFaults(Worker.run(options, work)))
        assert.instanceOf(error, client.Unauthorized)
        assert.strictEqual(error.message, "Authentication required. Send your API key as a bearer token.")
      })
  )

  it.live("keeps a result from the server, which does not fail the task", () =>
    Effect.gen(function*() {
      const { create, events, fail, task, throughFaults } = yield* make()
      yield* create("a")
      const some = names.filter((name) => !name.includes("when") && !name.includes("instant")).slice(0, 4)
      fail((_method, path, times) =>
        path.endsWith("/submit") && times <= some.length ? { instead: pages[some[times - 1]!]! } : "none"
      )
      yield* throughFaults(Worker.run(options, work))
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
      assert.deepInclude(yield* task("a"), { queue: "provisional", failure_reason: null })
    }))
})
