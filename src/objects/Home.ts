/** The object of a scope: the whole server on a database of its own. */
import type { DurableObjectState } from "@cloudflare/workers-types"
import * as Context from "effect/Context"
import type { EventPage } from "../domain/feed/Event.ts"
import { Push } from "../http/Push.ts"
import { bodyOf } from "../http/request/Bounded.ts"
import { CurrentLine } from "../services/lease/Line.ts"
import { CoveredMinutes } from "../services/Maintenance.ts"
import { CurrentStore } from "../sql/engine/ObjectStorage.ts"
import * as Places from "../sql/task/Places.ts"
import * as Alarm from "./Alarm.ts"
import type { ControlStub } from "./Control.ts"
import * as Line from "./Line.ts"
import * as Machines from "./Machines.ts"
import * as Restore from "./restore/Restore.ts"
import type { Kind } from "./Route.ts"
import * as Schema from "./Schema.ts"
import * as Sockets from "./Sockets.ts"

/** The server of the isolate, which all its objects share (`Server.ts`). */
interface Shared {
  readonly handler: (
    request: Request,
    goOn: (work: Promise<void>) => void,
    context: Context.Context<never>
  ) => Promise<Response>
  readonly tick: (goOn: (work: Promise<void>) => void, context: Context.Context<never>) => Promise<unknown>
  readonly events: (scope: string, query: URLSearchParams, context: Context.Context<never>) => Promise<
    (typeof EventPage)["Encoded"]
  >
  readonly settings: { readonly orchestratorTimeoutSeconds: number }
}

export interface Surroundings {
  readonly server: Shared
  readonly control: () => ControlStub
  readonly migrations: Schema.Migrations
}

/** The name of the object of a scope. The object without a scope has another name. */
export const nameOf = (scope: string): string => `scope:${scope}`
export const nobody = "nobody"

/** How many keys an object reports to the control object at a time. */
const MaxTold = 100

// An object may have machines of other scopes (`Machines.ts`), which are not found here.
const finders: Readonly<Record<Kind, string>> = {
  action: "SELECT 1 AS age FROM actions WHERE id = ?1 AND scope = ?2",
  draft: "SELECT 1 AS age FROM drafts WHERE id = ?1 AND scope = ?2",
  flow: "SELECT 1 AS age FROM flows WHERE name = ?1 AND scope = ?2",
  message: "SELECT 1 AS age FROM messages WHERE id = ?1 AND scope = ?2",
  orchestrator: "SELECT max(last_heartbeat) AS age FROM orchestrators WHERE id = ?1 AND scope = ?2",
  project: "SELECT 1 AS age FROM projects WHERE id = ?1 AND scope = ?2",
  role: "SELECT max(created_at) AS age FROM roles WHERE name = ?1 AND scope = ?2",
  // A deleted task has a history, which can still be read.
  task: `SELECT 2 AS age FROM tasks WHERE id = ?1 AND scope = ?2
    UNION ALL SELECT 1 FROM (SELECT 1 FROM history WHERE task_id = ?1 AND scope = ?2 LIMIT 1) ORDER BY 1 DESC LIMIT 1`,
  webhook: "SELECT 1 AS age FROM webhooks WHERE id = ?1 AND scope = ?2"
}

const readyTask = `SELECT 1 FROM ${Places.tasksIn("ready", "?2", "?1")} LIMIT 1`

export const make = (state: DurableObjectState, { control, migrations, server }: Surroundings) => {
  const { storage } = state
  const { sql } = storage
  const scope = state.id.name?.startsWith("scope:") ? state.id.name.slice("scope:".length) : undefined
  let ready = true
  try {
    Schema.prepare(storage, migrations)
  } catch (error) {
    ready = false
    console.error(JSON.stringify({ level: "ERROR", message: String(error), scope }))
  }

  // An object that lacks a migration has no duties yet.
  let alarm: ReturnType<typeof Alarm.make> | undefined
  if (scope !== undefined && ready) {
    void state.blockConcurrencyWhile(async () => {
      const silence = server.settings.orchestratorTimeoutSeconds * 1000
      alarm = Alarm.make({ storage, scope, silence, set: await storage.getAlarm() })
    })
  }

  let registered = sql.exec("SELECT 1 FROM _told").toArray().length > 0

  /** Tells the control object what it does not know yet. */
  const tell = async () => {
    if (scope === undefined) return
    for (;;) {
      const waiting = sql.exec("SELECT kind, name, gone FROM _outbox LIMIT ?", MaxTold).toArray()
      if (waiting.length === 0) return
      const keys = (gone: number) =>
        waiting.filter((row) => row["kind"] === "key" && row["gone"] === gone).map(({ name }) => String(name))
      try {
        await control().note({ scope, keys: keys(0), gone: keys(1) })
      } catch (cause) {
        // Nobody may get an answer that leads nowhere. The batch is committed, so it is not known to have failed.
        throw new Error("connection lost: the control object does not answer", { cause })
      }
      registered = true
      storage.transactionSync(() => {
        sql.exec("INSERT INTO _told (one) VALUES (1) ON CONFLICT DO NOTHING")
        for (const { gone, kind, name } of waiting) {
          sql.exec("DELETE FROM _outbox WHERE kind = ? AND name = ? AND gone = ?", kind, name, gone)
        }
      })
    }
  }

  /** Whether messages to the control object are unsent. */
  const waits = () => sql.exec("SELECT 1 FROM _outbox LIMIT 1").toArray().length > 0

  const line = Line.make((queue) => sql.exec(readyTask, scope, queue).toArray().length > 0)

  const store = {
    storage,
    written: () => {
      if (scope === undefined) throw new Error("the object without a scope keeps no records")
      if (!registered) sql.exec("INSERT INTO _outbox (kind, name, gone) VALUES ('scope', '', 0) ON CONFLICT DO NOTHING")
    },
    changed: () => {
      alarm?.changed()
      line.changed()
      sockets?.changed()
      return waits() ? tell() : undefined
    }
  }

  const context = Context.make(CurrentStore, store).pipe(
    Context.add(CurrentLine, line),
    Context.add(Push, "websocket")
  ) as Context.Context<never>
  const goOn = (work: Promise<void>) => state.waitUntil(work)

  const serve = (request: Request) => server.handler(request, goOn, context)
  const sockets = scope === undefined || !ready
    ? undefined
    : Sockets.make({ state, scope, serve, page: (query) => server.events(scope, query, context) })

  /**
   * Brings an export back, for callers that may import into this scope. A dry run of an import of nothing shows whether
   * they may.
   */
  const restore = async (request: Request, path: string): Promise<Response> => {
    const bytes = request.body === null ? new Uint8Array() : await bodyOf(request.body, Restore.MaxPiece)
    const headers = new Headers(request.headers)
    for (const name of ["content-length", "content-encoding", "idempotency-key"]) headers.delete(name)
    headers.set("content-type", "application/json")
    const nothing = new Request(new URL(path.replace(/restore$/, "import"), request.url), {
      method: "POST",
      headers,
      body: JSON.stringify({ dry_run: true })
    })
    const allowed = await serve(nothing)
    if (allowed.status !== 200) return allowed
    return Restore.make(store, { scope: scope!, wake: (time) => alarm?.wake(time) }).answer(request, bytes)
  }

  return {
    /** Answers a request. Before that, tells what a crash kept the object from telling. */
    fetch: async (request: Request): Promise<Response> => {
      if (waits()) await tell()
      if (registered) await alarm?.check()
      if (sockets !== undefined && Sockets.opens(request)) return sockets.open(request)
      const { pathname } = new URL(request.url)
      const restored = ready ? Restore.restoredScope(request.method, pathname) : undefined
      return restored !== undefined && restored === scope ? restore(request, pathname) : serve(request)
    },
    find: (kind: Kind, id: string): number | undefined => {
      if (scope === undefined || !ready) return undefined
      const age = sql.exec(finders[kind], kind === "draft" ? Number(id) : id, scope).toArray()[0]?.["age"]
      return typeof age === "number" ? age : undefined
    },
    machines: Machines.make(storage, scope),
    /** Answers the claims that wait: the server stops. */
    close: () => line.close(),
    /** Does the duties of the cron. */
    duties: async (): Promise<void> => {
      if (alarm === undefined) return
      const tidied = Restore.tidy(storage, Date.now())
      // It has pieces of a restore at most, and no records.
      if (!registered && !waits()) {
        alarm.rang(tidied)
        return
      }
      await alarm.run(async (minutes) => {
        if (waits()) await tell()
        await server.tick(goOn, Context.add(context, CoveredMinutes, minutes) as Context.Context<never>)
        // The end of a backoff changes nothing, and makes a task ready for the claim that finds it over.
        line.changed("anew")
        sockets?.changed()
      })
    }
  }
}
