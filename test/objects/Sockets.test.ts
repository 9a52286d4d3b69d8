/** What the sockets of a scope get when one of them fails. `test/workerd/objects.test.ts` has the sockets of workerd. */
import type { DurableObjectState, WebSocket } from "@cloudflare/workers-types"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "../../src/objects/Schema.ts"
import * as Sockets from "../../src/objects/Sockets.ts"
import * as NodeStorage from "./NodeStorage.ts"
import { migrations } from "./Objects.ts"

/** What the runtime has of a socket, which may fail to send. */
const socketWith = (attachment: unknown, fails = false) => {
  const messages: Array<any> = []
  let kept = attachment
  let code: number | undefined
  const socket = {
    deserializeAttachment: () => kept,
    serializeAttachment: (next: unknown) => {
      kept = next
    },
    send: (text: string) => {
      if (fails) throw new TypeError("Can't call WebSocket send() after close().")
      messages.push(JSON.parse(text))
    },
    close: (with_: number) => {
      code = with_
      if (fails) throw new TypeError("Can't call WebSocket close() after close().")
    }
  } as unknown as WebSocket
  return { socket, messages, code: () => code }
}

const attached = { query: "", after: 0, work: "incoming", key: null, told: 0 }

describe("the sockets of a scope", () => {
  it("get the feed and the word of work though others of them have failed", async () => {
    const { raw, state, storage } = NodeStorage.make()
    Schema.prepare(storage, migrations)
    raw.prepare(`
      INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank, flow, branch, created_at, updated_at)
      VALUES ('t', 'red', 't', 't', 'incoming', 1, 'P2', 2, 'default', 'b', 1, 1)`).run()
    const empty = socketWith(null)
    const broken = socketWith({ ...attached, told: -1 }, true)
    const good = socketWith({ ...attached, work: null })
    const worker = socketWith(attached)
    const work: Array<Promise<unknown>> = []
    const sockets = Sockets.make({
      state: {
        ...state,
        getWebSockets: () => [empty, broken, good, worker].map(({ socket }) => socket),
        waitUntil: (one: Promise<unknown>) => work.push(one)
      } as unknown as DurableObjectState,
      scope: "red",
      serve: () => Promise.reject(new Error("no request is sent")),
      page: async () => ({ scope: "red", events: [], after: 0, next: 1, latest: 1, gap: true })
    })
    sockets.changed()
    await Promise.all(work)
    assert.deepStrictEqual(good.messages.map(({ type }) => type), ["events"])
    assert.deepStrictEqual(worker.messages.map(({ type }) => type), ["work", "events"])
    assert.deepStrictEqual([empty.code(), broken.code(), good.code(), worker.code()], [
      1011,
      1011,
      undefined,
      undefined
    ])
  })
})
