/** A request as it travels, and what became of it at the server. */
import type { Process } from "./Timeline.ts"

export interface Sent {
  /** The same for every delivery of one sending. */
  readonly number: number
  readonly from: Process
  readonly method: string
  readonly url: URL
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

/** The operation of the request, and its task. */
export interface Asked {
  readonly verb: string
  readonly id: string | undefined
}

const tasks = /^\/api\/v1\/tasks\/([^/]+)(?:\/([^/]+))?/

export const askedOf = ({ method, url }: Pick<Sent, "method" | "url">): Asked => {
  const { pathname } = url
  if (pathname === "/api/v1/tasks") return { verb: method === "POST" ? "create" : "list", id: undefined }
  if (pathname === "/api/v1/tasks/claim") return { verb: "claim", id: undefined }
  if (pathname.includes("/keys/")) return { verb: "revoke", id: undefined }
  const [, id, verb] = tasks.exec(pathname) ?? []
  if (id !== undefined) {
    return { verb: verb ?? { GET: "get", PATCH: "patch", DELETE: "delete" }[method] ?? method, id }
  }
  return { verb: pathname.split("/").at(-1)!, id: undefined }
}

/** One delivery of a request, or one turn of the cron, with the work of the server for it. */
export interface Exchange {
  readonly name: string
  readonly asked: Asked
  readonly sent: Sent | undefined
  /** The scope of its key; undefined is the administrator, or the cron. */
  readonly scope: string | undefined
  readonly body: any
  /** The step in which the server got it. */
  arrived: number
  /** Whether D1, or the platform of the objects, failed it, so that it may be answered 5xx. */
  failedByPlatform: boolean
  /** The tasks it changed, and whether something went on for it in another way than by a batch that was answered. */
  readonly changed: Set<string>
  /** The batches that ran for it, and those after which the queue of the claim held a ready task. */
  batches: number
  batchesWithReady: number
  /** How many statements it has sent. */
  statements: number
  /** When its latest batch was sent, which is the time the batch goes by. */
  sentAt: number
  /** When its first batch was sent: from then on it waits for D1. */
  waitsSince: number | undefined
  /** A task with an expired lease that its last batch left with its holder, if there is one. */
  left: string | undefined
  /** The token that counted for the task it names, before each of its batches; null if none did. */
  readonly tokens: Array<number | null>
  /** Whether a batch of it found that a request under the same key had had its effect: it gets that answer again. */
  repeats: boolean
  /** The grant, if there is one. */
  readonly granted: Array<string>
}

const parsed = (sent: Sent | undefined): Pick<Exchange, "asked" | "body"> => {
  if (sent === undefined) return { asked: { verb: "cron", id: undefined }, body: undefined }
  const body = sent.body === undefined ? undefined : JSON.parse(sent.body)
  const asked = askedOf(sent)
  // A question that holds its task is a call about the task.
  return { asked: asked.verb === "messages" && body?.hold === true ? { verb: "ask", id: body.task_id } : asked, body }
}

export const exchange = (
  name: string,
  sent: Sent | undefined,
  scope: string | undefined
): Exchange => ({
  ...parsed(sent),
  name,
  sent,
  scope,
  arrived: 0,
  failedByPlatform: false,
  changed: new Set(),
  batches: 0,
  batchesWithReady: 0,
  statements: 0,
  sentAt: 0,
  waitsSince: undefined,
  left: undefined,
  tokens: [],
  repeats: false,
  granted: []
})
