/** Traces of the built Worker reach a collector after the answer, and no request depends on the collector. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Workerd } from "../support/harness.ts"
import { type Receiver, receiver } from "../support/receiver.ts"

class Collector extends Context.Service<Collector, Receiver>()("test/Collector") {}

const WorkerLayer = Layer.unwrap(Effect.map(receiver, (collector) =>
  Layer.merge(
    Layer.succeed(Collector, collector),
    Workerd.layerWith({
      OTEL_EXPORTER_OTLP_ENDPOINT: new URL(collector.url).origin,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Basic%20YTpi",
      OTEL_SERVICE_NAME: "octopoid-test"
    })
  )))

const attributesOf = ({ attributes }: any) =>
  Object.fromEntries(attributes.map(({ key, value }: any) => [key, Object.values(value)[0]]))

/** All spans that the collector got of a trace. */
const spansOf = (collector: Receiver, trace: string): Array<any> =>
  collector.received
    .flatMap(({ body }) =>
      body.resourceSpans.flatMap(({ scopeSpans }: any) => scopeSpans.flatMap(({ spans }: any) => spans))
    )
    .filter(({ traceId }: any) => traceId === trace)

const waitFor = (holds: () => boolean) =>
  Effect.promise(async () => {
    while (!holds()) await new Promise((done) => setTimeout(done, 20))
  })

const parent = "00f067aa0ba902b7"
const traceparent = (trace: string, flags = "01") => ({ traceparent: `00-${trace}-${parent}-${flags}` })

layer(WorkerLayer, { excludeTestServices: true, timeout: "2 minutes" })("traces in workerd", (it) => {
  const create = Effect.fnUntraced(function*(id: string, headers: Record<string, string>) {
    const { fetch } = yield* Workerd
    return yield* Effect.promise(async () => {
      const { status } = await fetch("http://localhost/api/v1/tasks", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ id, scope: "red", file_path: `${id}.md`, branch: "b" })
      })
      return status
    })
  })

  it.effect("have the request, under the caller's span, with its batch to D1", () =>
    Effect.gen(function*() {
      const collector = yield* Collector
      const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
      assert.strictEqual(yield* create("a", traceparent(trace)), 201)
      yield* waitFor(() => spansOf(collector, trace).some(({ parentSpanId }) => parentSpanId === parent))
      const { body, headers } = collector.received[0]!
      assert.deepInclude(headers, { authorization: "Basic YTpi", "content-type": "application/json" })
      assert.deepInclude(attributesOf(body.resourceSpans[0].resource), { "service.name": "octopoid-test" })
      const spans = spansOf(collector, trace)
      const request = spans.find(({ parentSpanId }) => parentSpanId === parent)
      assert.deepInclude(attributesOf(request), { "http.route": "/api/v1/tasks", "http.response.status_code": 201 })
      assert.match(attributesOf(request)["octopoid.request_id"], /^[0-9a-f-]+$/)
      const batches = spans.filter(({ name }) => name === "Database.batch")
      assert.lengthOf(batches.filter((span) => Number(attributesOf(span)["d1.rows_written"]) > 0), 1)
      // Each span leads to that of the request.
      const ids = new Map(spans.map((span) => [span.spanId, span]))
      for (const span of spans) {
        let above = span
        while (ids.has(above.parentSpanId)) above = ids.get(above.parentSpanId)
        assert.strictEqual(above, request, span.name)
      }
    }))

  it.effect("have no request of a caller that does not want to be traced, and have turns of the cron", () =>
    Effect.gen(function*() {
      const collector = yield* Collector
      const { tick } = yield* Workerd
      const trace = "0af7651916cd43dd8448eb211c80319c"
      yield* create("untraced", traceparent(trace, "00"))
      const names = () =>
        collector.received.flatMap(({ body }) =>
          body.resourceSpans[0].scopeSpans[0].spans.map(({ name }: any) => name as string)
        )
      yield* tick
      yield* waitFor(() => names().includes("Maintenance.tick"))
      assert.isEmpty(spansOf(collector, trace))
    }))

  it.effect("are lost with a collector that does not answer or fails, and requests are answered", () =>
    Effect.gen(function*() {
      const collector = yield* Collector
      for (const reaction of ["hang", 500, "reset"] as const) {
        const before = collector.received.length
        collector.react = () => reaction
        for (let n = 0; n < 3; n++) assert.strictEqual(yield* create(`${reaction}-${n}`, {}), 201)
        if (reaction === "hang") yield* waitFor(() => collector.received.length > before)
      }
      collector.react = () => 200
      assert.strictEqual(yield* create("last", {}), 201)
    }))
})
