/** The receiver of a webhook on this machine. It checks signatures, and refuses a message now and then. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { Webhook } from "standardwebhooks"
import type { Chance } from "../../../test/support/Chance.ts"

export interface Receiver {
  readonly url: string
  /** Is set when the webhook is registered. */
  secret: string
  /** The numbers of the events that were accepted, as they came. */
  readonly accepted: Array<number>
  readonly refused: () => number
  readonly close: () => void
}

export const open = async (chance: Chance, wrong: (what: string) => void): Promise<Receiver> => {
  let refused = 0
  const receiver = { secret: "", accepted: new Array<number>() }
  const server = createServer((request, answer) => {
    void (async () => {
      const body = await text(request)
      try {
        new Webhook(receiver.secret).verify(body, request.headers as Record<string, string>)
        const { data } = JSON.parse(body)
        if (chance.happens(0.02)) {
          refused++
          return answer.writeHead(503, { "retry-after": "1" }).end()
        }
        receiver.accepted.push(data.seq)
        return answer.writeHead(204).end()
      } catch (error) {
        wrong(`The webhook got a message that is not signed or cannot be read: ${String(error)}`)
        return answer.writeHead(400).end()
      }
      // A server that is killed breaks the message off.
    })().catch(() => request.destroy())
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    refused: () => refused,
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  })
}
