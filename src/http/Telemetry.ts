/**
 * Traces: the spans of requests, turns of the cron, and batches to D1, sent to an OpenTelemetry collector (OTLP over
 * HTTP, JSON).
 *
 * Effect's exporter keeps the spans of an isolate until the Worker has it send them, after each answer: an
 * isolate has no timers of its own. A collector that fails or is slow delays no request. The spans of a minute are
 * dropped after a failure.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Redacted from "effect/Redacted"
import { Release } from "../domain/Release.ts"
import { Settings } from "../services/Settings.ts"

/** How long the export of the spans of a request may take: a Worker may go on for 30 s after its answer. */
const Patience = "10 seconds"

/** How many spans are kept until they are sent. One request has fewer than 200. */
const MaxSpans = 2000

export class Telemetry extends Context.Service<Telemetry, {
  /** Whether there is a collector. */
  readonly on: boolean
  /** Sends the spans that have ended. It never fails, and ends after ten seconds. */
  readonly flush: Effect.Effect<void>
}>()("octopoid-server/http/Telemetry") {
  /** Also provides the tracer, if there is a collector. Without one, nothing is traced. */
  static readonly layer = Layer.unwrap(
    Effect.map(Settings, ({ otlp: { endpoint, headers, serviceName } }) =>
      endpoint === undefined
        ? Layer.succeed(Telemetry, { on: false, flush: Effect.void })
        : Layer.effect(
          Telemetry,
          Effect.map(
            OtlpExporter.Flusher,
            ({ flush }) => ({ on: true, flush: Effect.asVoid(Effect.timeoutOption(flush, Patience)) })
          )
        ).pipe(
          Layer.provideMerge(OtlpTracer.layer({
            url: `${endpoint.replace(/\/$/, "")}/v1/traces`,
            headers: Redacted.value(headers),
            resource: { serviceName, serviceVersion: Release },
            exportInterval: Duration.infinity,
            maxBatchSize: MaxSpans
          })),
          Layer.provide([OtlpSerialization.layerJson, FetchHttpClient.layer])
        ))
  )
}
