/**
 * The Worker on Durable Objects: one for each scope, with SQLite in the object (`docs/scale.md`). Only classes and
 * bindings are here; what they do is in `objects/`.
 */
import type {
  DurableObjectState,
  WebSocket,
  WebSocketRequestResponsePair as AutoResponse
} from "@cloudflare/workers-types"
import { DurableObject, env } from "cloudflare:workers"
import * as Redacted from "effect/Redacted"
import { migrations } from "virtual:migrations"
import * as Control from "./objects/Control.ts"
import * as Front from "./objects/Front.ts"
import * as Home from "./objects/Home.ts"
import type { Copy } from "./objects/Machines.ts"
import type { Kind } from "./objects/Route.ts"
import * as Server from "./Server.ts"
import * as ObjectStorage from "./sql/engine/ObjectStorage.ts"

const server = Server.make(ObjectStorage.layer, env)

// Types of the runtime that the declarations of Node lack.
declare const WebSocketPair: new() => Record<"0" | "1", WebSocket>
declare const WebSocketRequestResponsePair: new(request: string, response: string) => AutoResponse

const platform: Home.Surroundings["platform"] = {
  pair: () => {
    const { 0: client, 1: own } = new WebSocketPair()
    return [client, own]
  },
  upgraded: (client, headers) => new Response(null, { status: 101, webSocket: client, headers } as ResponseInit),
  later: (millis, act) => void setTimeout(act, millis)
}

const control = () => env.CONTROL.getByName("control") as unknown as Control.ControlStub
const scopeNamed = (name: string) => env.SCOPES.getByName(name) as unknown as Front.ScopeStub

/** The scopes and keys of the server. */
export class ControlObject extends DurableObject {
  private readonly known: ReturnType<typeof Control.make>
  constructor(state: DurableObjectState, given: unknown) {
    super(state, given)
    this.known = Control.make(state.storage)
  }
  note(notice: Control.Notice) {
    return this.known.note(notice)
  }
  scopeOf(hash: string) {
    return this.known.scopeOf(hash)
  }
  knows(scope: string) {
    return this.known.knows(scope)
  }
  scopes(from: string, most: number) {
    return this.known.scopes(from, most)
  }
  filled(most: number) {
    return this.known.filled(most)
  }
  scopesOfMachine(id: string, most: number) {
    return this.known.scopesOfMachine(id, most)
  }
}

/** A scope with its records. */
export class ScopeObject extends DurableObject {
  private readonly home: ReturnType<typeof Home.make>
  constructor(state: DurableObjectState, given: unknown) {
    super(state, given)
    this.home = Home.make(state, { server, control, migrations, platform })
    // The runtime answers these without waking the object.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"))
  }
  override fetch(request: Request) {
    return this.home.fetch(request)
  }
  find(kind: Kind, id: string) {
    return this.home.find(kind, id)
  }
  homeOfMachine(id: string) {
    return this.home.machines.homeOf(id)
  }
  lendMachine(id: string) {
    return this.home.machines.lend(id)
  }
  borrowMachine(copy: Copy) {
    return this.home.machines.borrow(copy)
  }
  giveBackMachine(id: string) {
    return this.home.machines.giveBack(id)
  }
  close() {
    this.home.close()
  }
  /** What the alarm does. Also for a test, which does not wait for it. */
  duties() {
    return this.home.duties()
  }
  webSocketMessage(socket: WebSocket, message: string | ArrayBuffer) {
    this.home.heard(socket, message)
  }
  webSocketClose(socket: WebSocket, code: number) {
    this.home.ended(socket)
    // 1005 and 1006 say that there was no code, and cannot be sent.
    socket.close(code === 1005 || code === 1006 ? 1000 : code)
  }
  webSocketError(socket: WebSocket) {
    this.home.ended(socket)
  }
  override alarm() {
    // An error would be repeated six times at once. The next alarm is set whatever happens.
    return this.home.duties().catch((error: unknown) =>
      console.error(JSON.stringify({ level: "ERROR", message: "the duties failed", error: String(error) }))
    )
  }
}

const { apiSecretKey } = server.settings

export default {
  fetch: Front.make({
    control,
    scope: (scope) => scopeNamed(Home.nameOf(scope)),
    nobody: () => scopeNamed(Home.nobody),
    secret: apiSecretKey === undefined ? undefined : Redacted.value(apiSecretKey)
  }).fetch
}
