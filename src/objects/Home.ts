/** The object of a scope: the whole server on a database of its own. */
import type { DurableObjectState, WebSocket } from "@cloudflare/workers-types"
import * as Context from "effect/Context"
import type { EventPage } from "../domain/feed/Event.ts"
import type { ScopeName } from "../domain/Identifier.ts"
import { Push } from "../http/Push.ts"
import { bodyOf } from "../http/request/Bounded.ts"
import { CurrentLine } from "../services/lease/Line.ts"
import { CoveredMinutes } from "../services/Maintenance.ts"
import { CurrentStore } from "../sql/engine/ObjectStorage.ts"
import * as Alarm from "./Alarm.ts"
import type { ControlStub } from "./Control.ts"
import * as Notices from "./control/Notices.ts"
import * as Line from "./Line.ts"
import * as Machines from "./Machines.ts"
import { opens } from "./push/Opening.ts"
import * as Ready from "./push/Ready.ts"
import * as Sockets from "./push/Sockets.ts"
import type { Wanted } from "./push/Waiting.ts"
import * as Restore from "./restore/Restore.ts"
import type { Kind } from "./Route.ts"
import * as Schema from "./Schema.ts"

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
  readonly settings: { readonly orchestratorTimeoutSeconds: number; readonly unclaimableAfterSeconds: number }
}

export interface Surroundings {
  readonly server: Shared
  readonly control: () => ControlStub
  readonly migrations: Schema.Migrations
  readonly platform: Sockets.Platform
}

/** The name of the object of a scope. The object without a scope has another name. */
export const nameOf = (scope: string): string => `scope:${scope}`
export const nobody = "nobody"

/** How long the database of a new object is kept in which nothing was written, in milliseconds. */
const UnusedAfter = 60_000

/** When the duties tell again what the control object was not there for, in milliseconds. */
const UntoldAfter = 60_000

/** How long the clients of sockets may take to read that the server stops, in milliseconds. */
const EndPause = 100

/** After so many minutes without duties the object was quiet: they are every hour then (`Alarm.ts`). */
const QuietMinutes = 30

// An object may have copies of machines of other scopes (`Machines.ts`). They are found only as `machine`, with age -1.
const finders: Readonly<Record<Kind, string>> = {
  action: "SELECT 1 AS age FROM actions WHERE id = ?1 AND scope = ?2",
  draft: "SELECT 1 AS age FROM drafts WHERE id = ?1 AND scope = ?2",
  flow: "SELECT 1 AS age FROM flows WHERE name = ?1 AND scope = ?2",
  machine: "SELECT max(iif(scope = ?2, last_heartbeat, -1)) AS age FROM orchestrators WHERE id = ?1",
  message: "SELECT 1 AS age FROM messages WHERE id = ?1 AND scope = ?2",
  orchestrator: "SELECT max(last_heartbeat) AS age FROM orchestrators WHERE id = ?1 AND scope = ?2",
  project: "SELECT 1 AS age FROM projects WHERE id = ?1 AND scope = ?2",
  role: "SELECT max(created_at) AS age FROM roles WHERE name = ?1 AND scope = ?2",
  // A deleted task has a history, which can still be read.
  task: `SELECT 2 AS age FROM tasks WHERE id = ?1 AND scope = ?2
    UNION ALL SELECT 1 FROM (SELECT 1 FROM history WHERE task_id = ?1 AND scope = ?2 LIMIT 1) ORDER BY 1 DESC LIMIT 1`,
  webhook: "SELECT 1 AS age FROM webhooks WHERE id = ?1 AND scope = ?2"
}

/** What a scope answers whose migration failed. Its other answers could be wrong. */
const unmigrated = (scope: string) =>
  Response.json({
    _tag: "DatabaseUnavailable",
    error:
      `The scope ${scope} lacks a migration that this release of the server needs: the log says why it failed. Nothing was changed.`,
    retry_after_seconds: 60
  }, { status: 503, headers: { "retry-after": "60" } })

export const make = (state: DurableObjectState, { control, migrations, platform, server }: Surroundings) => {
  const { storage } = state
  const { sql } = storage
  const name = Schema.nameOf(storage, state.id.name)
  const scope = name?.startsWith("scope:") ? name.slice("scope:".length) : undefined
  let ready = true
  try {
    Schema.prepare(storage, migrations)
  } catch (error) {
    ready = false
    console.error(JSON.stringify({ level: "ERROR", message: String(error), scope }))
  }

  // The database was removed, because nothing was in it. The next use makes it again.
  let removed = false

  const restoreDatabase = () => {
    if (!removed) return
    Schema.nameOf(storage, name)
    Schema.prepare(storage, migrations)
    removed = false
  }

  /** Fails if the records cannot be relied on. A record that is not found would be looked for in another scope. */
  const needReady = () => {
    restoreDatabase()
    if (!ready) throw new Error(`the scope ${scope} lacks a migration`)
  }

  // An object that lacks a migration has no duties yet.
  let alarm: ReturnType<typeof Alarm.make> | undefined
  if (scope !== undefined && ready) {
    void state.blockConcurrencyWhile(async () => {
      const silence = server.settings.orchestratorTimeoutSeconds * 1000
      const unclaimable = server.settings.unclaimableAfterSeconds * 1000
      alarm = Alarm.make({ storage, scope, silence, unclaimable, set: await storage.getAlarm() })
    })
  }

  const notices = Notices.make(storage, scope, control)
  const { registered, tell, waits } = notices

  const readyTasks = Ready.make(sql, scope as ScopeName)
  const line = Line.make((wanted) => readyTasks(wanted, 1) > 0)

  const store = {
    storage,
    written: () => {
      if (scope === undefined) throw new Error("the object without a scope keeps no records")
      notices.written()
    },
    changed: (mayBeReady = true) => {
      alarm?.changed()
      if (mayBeReady) line.changed()
      sockets?.changed(mayBeReady)
      return notices.changed()
    }
  }

  const context = Context.make(CurrentStore, store).pipe(
    Context.add(CurrentLine, { ...line, claimed: (wanted: Wanted) => sockets?.claimed(wanted) }),
    Context.add(Push, "websocket")
  ) as Context.Context<never>
  const goOn = (work: Promise<void>) => state.waitUntil(work)

  const serve = (request: Request) => server.handler(request, goOn, context)
  const sockets = scope === undefined || !ready
    ? undefined
    : Sockets.make({ state, platform, serve, readyTasks, page: (query) => server.events(scope, query, context) })

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

  const answer = async (request: Request): Promise<Response> => {
    await notices.before(request, goOn)
    if (registered()) await alarm?.check()
    if (sockets !== undefined && opens(request)) return sockets.open(request)
    const { pathname } = new URL(request.url)
    const restored = Restore.restoredScope(request.method, pathname)
    return restored !== undefined && restored === scope ? restore(request, pathname) : serve(request)
  }

  let answering = 0
  let dutiesRunning = 0

  /** Whether nothing was ever written here: requests were refused. A machine of another scope may claim here again. */
  const isUnused = () =>
    answering === 0 && !registered() && !waits() &&
    sql.exec("SELECT 1 FROM orchestrators LIMIT 1").toArray().length === 0

  /** Tells what is not told, if the control object answers; otherwise in a minute. */
  const tellLate = async () => {
    if (!waits()) return
    await tell().catch((error: unknown) =>
      console.error(JSON.stringify({ level: "WARN", message: String(error), scope }))
    )
  }

  const doDuties = async (): Promise<void> => {
    if (alarm === undefined || removed) return
    const tidied = Restore.tidy(storage, Date.now())
    // It has pieces of a restore at most, and no records.
    if (!registered() && !waits()) {
      const unused = tidied === undefined && isUnused()
      alarm.rang(tidied ?? (answering > 0 ? Date.now() + UnusedAfter : undefined))
      if (!unused) return
      const done = storage.deleteAll()
      removed = true
      await done
      return
    }
    await alarm.run(async (minutes) => {
      await tellLate()
      await server.tick(goOn, Context.add(context, CoveredMinutes, minutes) as Context.Context<never>)
      // A scope that has just changed may get its next record soon.
      if (minutes >= QuietMinutes) {
        notices.lookForRecords()
        await tellLate()
      }
      // The end of a backoff, of a park and of a breaker's wait changes nothing until a claim finds it over.
      line.changed("anew")
      sockets?.tidy()
      sockets?.changed(true)
    })
    if (waits()) alarm.wake(Date.now() + UntoldAfter)
  }

  return {
    fetch: async (request: Request): Promise<Response> => {
      // The object without a scope answers by itself what needs no record.
      if (scope !== undefined && !ready) return unmigrated(scope)
      restoreDatabase()
      answering++
      try {
        return await answer(request)
      } finally {
        answering--
        if (!registered() && alarm?.isSet() === false) alarm.wake(Date.now() + UnusedAfter)
      }
    },
    find: (kind: Kind, id: string): number | undefined => {
      needReady()
      if (scope === undefined) return undefined
      const age = sql.exec(finders[kind], kind === "draft" ? Number(id) : id, scope).toArray()[0]?.["age"]
      return typeof age === "number" ? age : undefined
    },
    machines: Machines.make(storage, scope, needReady),
    /** Takes a message from a socket. */
    heard: (socket: WebSocket, message: string | ArrayBuffer): void => {
      restoreDatabase()
      sockets?.heard(socket, message)
    },
    /** A socket has ended. */
    ended: (socket: WebSocket): void => sockets?.ended(socket),
    /** Answers the claims that wait and closes the sockets, because the server stops. */
    close: () => {
      line.close()
      if (sockets?.close() !== true) return
      // workerd keeps the connection of a socket that the server closed until its object sleeps, ten seconds later. It
      // would wait for that, so the object ends before, when it has answered what is under way.
      const end = (): void =>
        platform.later(EndPause, () => {
          if (answering + dutiesRunning > 0) end()
          else void storage.sync().then(() => state.abort("The server stops."))
        })
      end()
    },
    /** Does the duties of the cron. */
    duties: async (): Promise<void> => {
      dutiesRunning++
      try {
        await doDuties()
      } finally {
        dutiesRunning--
      }
    }
  }
}
