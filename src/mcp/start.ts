/** The MCP server as the command starts it: its settings, and its parts. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Random from "effect/Random"
import { hostname } from "node:os"
import * as client from "../client.ts"
import * as FileStore from "../FileStore.ts"
import * as outboxes from "./outboxes.ts"
import { refuse } from "./Refused.ts"
import * as Server from "./Server.ts"

export const version = "2.0.0"

/** The settings, as the command read them. */
export interface Settings {
  readonly url?: string
  readonly key?: string | undefined
  readonly scope?: string
  readonly cluster?: string
  readonly machine?: string
  readonly agent?: string
  readonly queue?: string
  readonly role?: string
  readonly type?: string
  readonly account?: string
  readonly lease?: number
  readonly attempt?: number
  readonly outbox?: string
}

const listOf = (text: string | undefined) => text?.split(",").map((name) => name.trim()).filter((name) => name !== "")

export const start = Effect.fnUntraced(function*(settings: Settings) {
  const { account, agent, attempt, cluster = "agents", key, lease, queue, scope } = settings
  const address = (settings.url ?? "http://localhost:8787").replace(/\/+$/, "")
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    return yield* refuse(`OCTOPOID_URL: ${address} is not an address. Write it as http://localhost:8787.`)
  }
  if (queue === "provisional") {
    return yield* refuse(
      "OCTOPOID_QUEUE: provisional holds results that wait for a review, and these tools hand in work. Name another queue."
    )
  }
  const roles = listOf(settings.role)
  const types = listOf(settings.type)
  const own = outboxes.open(settings.outbox ?? outboxes.stateDirectory(process.env), address, scope ?? key ?? "")
  const api = yield* client.make({ baseUrl: address, token: key, scope })
  yield* Server.run({
    version,
    client: api,
    address,
    machine: { cluster, machine_id: settings.machine ?? hostname().slice(0, 90) },
    name: agent ?? `agent-${(yield* Random.nextIntBetween(36 ** 5, 36 ** 6)).toString(36)}`,
    claim: {
      queue,
      ...(roles === undefined || roles.length === 0 ? {} : { roles }),
      ...(types === undefined || types.length === 0 ? {} : { types }),
      account,
      leaseSeconds: lease,
      maxAttemptSeconds: attempt
    },
    outbox: FileStore.make(own)
  })
  yield* Effect.sync(() => outboxes.close(own))
}, Effect.provide(FetchHttpClient.layer))
