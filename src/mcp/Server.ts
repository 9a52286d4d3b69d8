/** The MCP server on standard input and output. It ends when its input is closed or its fiber is interrupted. */
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Agent from "./Agent.ts"
import * as handlers from "./handlers.ts"
import { Kit } from "./Tools.ts"

const instructions =
  "Tasks of an Octopoid server. Call claim_task, do the task, and call submit_result. One task at a time. An error says what to do next."

const serving = (agent: Agent.Agent, version: string) =>
  McpServer.layerStdio({
    name: "octopoid",
    version,
    instructions,
    protocols: [
      McpProtocol.v2025_11_25,
      McpProtocol.v2025_06_18,
      McpProtocol.v2025_03_26,
      McpProtocol.v2024_11_05,
      McpProtocol.v2026_07_28
    ],
    registrations: McpServer.toolkit(Kit).pipe(Layer.provide(handlers.layer(agent)))
  })

// Standard output belongs to the protocol.
const logging = Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])

/** Serves until the input is closed, and then gives back what the agent holds. */
export const run = (options: Agent.Options & { readonly version: string }) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const agent = yield* Agent.make(options)
      // The transport interrupts this fiber when the input is closed.
      const server = yield* Effect.forkDetach(Layer.launch(serving(agent, options.version)), { uninterruptible: false })
      const ended = yield* Effect.exit(restore(Fiber.await(server)))
      yield* Fiber.interrupt(server)
      yield* agent.end
      // An interruption is how it ends. Anything else is a failure of the transport.
      if (Exit.isSuccess(ended) && Exit.isFailure(ended.value) && !Cause.hasInterruptsOnly(ended.value.cause)) {
        return yield* Effect.failCause(ended.value.cause)
      }
    })
  ).pipe(Effect.provide(logging))
