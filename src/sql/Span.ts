/** What the present span says besides its name. */
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"

/** Adds attributes to the present span. They are not computed unless spans are sent somewhere. */
export const annotate = (attributes: () => Record<string, unknown>): Effect.Effect<void> =>
  Effect.flatMap(
    Tracer.Tracer,
    (tracer) => tracer === Tracer.nativeTracer ? Effect.void : Effect.annotateCurrentSpan(attributes())
  )
