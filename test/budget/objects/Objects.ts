/** The Worker on Durable Objects in workerd, which says of each request what it cost (`worker.ts`). */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import { convertV4MiniflareOptions, Miniflare, Response } from "miniflare"
import { bundled } from "../../support/InWorkerd.ts"
import { type Bound, prepare } from "../RealD1.ts"

export interface Execution {
  /** The scope of the object; undefined for the control object. */
  readonly scope: string | undefined
  readonly text: string
  readonly read: number
  readonly written: number
}

/** What the objects did for one request, the control object included. */
export interface Taken {
  readonly executions: ReadonlyArray<Execution>
  readonly transactions: number
  /** How often an alarm was set. The platform bills a written row for each. */
  readonly alarms: number
  /** How many requests objects got. */
  readonly objects: number
}

export type Asked =
  | {
    readonly what: "request"
    readonly now: number
    readonly method: string
    readonly path: string
    readonly headers: Record<string, string>
    readonly body?: unknown
  }
  | { readonly what: "duties"; readonly now: number; readonly scope: string }
  | { readonly what: "batch"; readonly scope: string; readonly statements: ReadonlyArray<Bound> }
  | { readonly what: "end"; readonly scope: string }

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: any
  readonly taken: Taken
}

export const Secret = "a secret of the server"

// An object that is ended when it has nothing to do would wake for some of the requests.
const durable = (className: string) => ({ className, useSQLite: true, unsafePreventEviction: true })

/** The Worker with no scope. It is gone with the scope of the effect. */
export const make = Effect.acquireRelease(
  Effect.promise(async () => {
    const code = await bundled("test/budget/objects/worker.ts")
    const miniflare = new Miniflare(convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path: "worker.js", contents: code }],
      compatibilityDate: "2026-10-01",
      durableObjects: { SCOPES: durable("ScopeObject"), CONTROL: durable("ControlObject") },
      bindings: { API_SECRET_KEY: Secret, LOG_LEVEL: "Error" },
      // Receives webhooks.
      outboundService: () => new Response("ok"),
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      host: "127.0.0.1",
      port: 0
    }))
    await miniflare.ready
    return miniflare
  }),
  (miniflare) => Effect.promise(() => miniflare.dispose())
).pipe(Effect.flatMap((miniflare) =>
  Effect.promise(async () => {
    const url = await miniflare.unsafeGetDirectURL()
    const ask = async (asked: Asked): Promise<any> => {
      const answer = await fetch(url, { method: "POST", body: JSON.stringify(asked) })
      if (answer.status !== 200) throw new Error(await answer.text())
      return answer.json()
    }
    return {
      /** Sends a request as the administrator, at this time. */
      send: (now: number, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
        Effect.promise(async (): Promise<Answer> => {
          const authorization = `Bearer ${Secret}`
          const sent = { what: "request", now, method, path, headers: { authorization, ...headers }, body } as const
          const { text, ...answer } = await ask(sent)
          let parsed: unknown = text
          try {
            parsed = JSON.parse(text)
          } catch {
            /* not JSON: an exposition of metrics */
          }
          return { ...answer, headers: new Headers(answer.headers), body: parsed }
        }),
      /** Does the duties of a scope, as its alarm would have it do. */
      duties: (now: number, scope: string) =>
        Effect.promise(async (): Promise<Taken> => (await ask({ what: "duties", now, scope })).taken),
      /** Ends the object of a scope. The next request wakes it. */
      end: (scope: string) => Effect.promise(() => ask({ what: "end", scope })),
      /** The database of a scope, past its server: only batches of bound statements. */
      database: (scope: string): D1Database => {
        const batch = (statements: ReadonlyArray<Bound>) => ask({ what: "batch", scope, statements })
        return { prepare, batch } as unknown as D1Database
      }
    }
  })
))
