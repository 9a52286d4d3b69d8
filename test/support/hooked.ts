/** A server on a migrated database, with its cron and its work after answers, for tests of webhooks on real sockets. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { migrated, servicesWith } from "./layers.ts"
import * as Server from "./server.ts"

export const serving = Effect.fnUntraced(function*(
  config: Record<string, string> = {},
  { db, raw }: ReturnType<typeof migrated> = migrated()
) {
  const settings = { WEBHOOK_ALLOW_PRIVATE: "true", ...config }
  const works: Array<Promise<void>> = []
  /** Another isolate on the same database, which knows nothing of this one. */
  const isolate = (later?: (work: Promise<void>) => void) => Server.make(settings, () => db, later)
  const server = yield* isolate((work) => works.push(work))
  const cronOnly = yield* isolate()
  const cron = yield* Layer.build(servicesWith(settings, () => db))
  const post = (path: string, body: object = {}, from = server) =>
    from.send("POST", `/api/v1${path}`, { scope: "red", ...body })
  const read = (path: string) => server.send("GET", `/api/v1${path}${path.includes("?") ? "&" : "?"}scope=red`)
  return {
    ...server,
    raw,
    isolate,
    works,
    read,
    post,
    /** Registers a webhook and answers it. */
    register: (url: string, rest: object = {}) => Effect.map(post("/webhooks", { url, ...rest }), ({ body }) => body),
    hook: (id: string) => Effect.map(read(`/webhooks/${id}`), ({ body }) => body),
    log: (id: string) => Effect.map(read(`/webhooks/${id}/deliveries`), ({ body }) => body.deliveries),
    /** Creates a task. Its events are left to the cron unless `now`. */
    create: (id: string, rest: object = {}, now = false) =>
      post(
        "/tasks",
        { id, file_path: `${id}.md`, branch: "b", title: `Title ${id}`, ...rest },
        now ? server : cronOnly
      ),
    /** Waits for the work that goes on after the answers so far. */
    settle: Effect.promise(() => Promise.all(works.splice(0))),
    /** A turn of the cron, in an isolate of its own. */
    tick: Effect.provide(Maintenance.use(({ tick }) => tick), cron)
  }
})
