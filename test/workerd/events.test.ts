/** The feed on a real D1 and a real workerd: what a look costs, and a stream that is resumed. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Workerd } from "../support/harness.ts"

const create = (n: number) =>
  Workerd.use(({ send }) =>
    send("POST", "/api/v1/tasks", { id: `t${n}`, scope: "feed", file_path: `t${n}.md`, branch: "b" })
  )

layer(Workerd.layerWith({ EVENT_STREAM: "true" }), { excludeTestServices: true, timeout: "10 minutes" })(
  "the feed in workerd",
  (it) => {
    it.effect("costs its rows for a page, and one row if nothing is new", () =>
      Effect.gen(function*() {
        const { send } = yield* Workerd
        for (let n = 1; n <= 12; n++) yield* create(n)
        const read = (query: string) => send("GET", `/api/v1/events?scope=feed${query}`)
        const page = yield* read("&limit=5")
        assert.deepStrictEqual([page.body.events.length, page.body.next], [5, 5])
        assert.deepStrictEqual(page.cost, { trips: 1, read: 7, written: 0 })
        assert.deepStrictEqual((yield* read("&after=12")).cost, { trips: 1, read: 1, written: 0 })
        assert.deepStrictEqual((yield* read("&after=latest")).cost, { trips: 1, read: 1, written: 0 })
        assert.deepStrictEqual((yield* read("&after=12&types=created&project_id=p")).cost.read, 1)
        assert.isAtMost((yield* read("&types=deleted")).cost.read, 13)
      }))

    it.effect("streams what there is, goes on with what happens, and is resumed", () =>
      Effect.gen(function*() {
        const { fetch } = yield* Workerd
        const watch = Effect.fnUntraced(function*(after: string, enough: (text: string) => boolean) {
          return yield* Effect.promise(async () => {
            const response = await fetch("http://localhost/api/v1/events?scope=feed&types=created", {
              headers: { "accept": "text/event-stream", "last-event-id": after }
            })
            assert.strictEqual(response.headers.get("content-type"), "text/event-stream")
            const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())
              .getReader()
            let text = ""
            while (!enough(text)) {
              const { done, value } = await reader.read()
              if (done) break
              text += value
            }
            await reader.cancel()
            return Array.from(text.matchAll(/^id: (\d+)$/gm), ([, id]) => Number(id))
          })
        })
        const first = yield* watch("9", (text) => text.includes("id: 12\n"))
        assert.deepStrictEqual(first, [9, 10, 11, 12])
        const later = yield* Effect.forkChild(watch("12", (text) => text.includes("id: 13\n")))
        yield* Effect.sleep("500 millis")
        yield* create(13)
        assert.deepStrictEqual(yield* Fiber.join(later), [12, 13])
      }))
  }
)
