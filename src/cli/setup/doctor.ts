/** `octopoid-server doctor`: whether this machine can work with a server, seen from outside, and what to do if not. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { Client } from "../../client.ts"
import { Ended, failureOf } from "../ask/Failure.ts"
import * as Profiles from "../ask/Profiles.ts"
import { chosen, open, type Server } from "../ask/Server.ts"
import { described } from "../command.ts"
import { count } from "../show/Moment.ts"
import * as Screen from "../show/Screen.ts"
import { line, type Style, styled, wrapped } from "../show/Text.ts"

type Level = "ok" | "warning" | "problem"

interface Finding {
  readonly check: string
  readonly level: Level
  readonly message: string
  /** What to do about it. */
  readonly fix?: string
}

const ok = (check: string, message: string): Finding => ({ check, level: "ok", message })
const warning = (check: string, message: string, fix: string): Finding => ({ check, level: "warning", message, fix })
const problem = (check: string, message: string, fix: string): Finding => ({ check, level: "problem", message, fix })

/** Beyond this the times that the command shows are misleading. Leases go by the clock of the server. */
const MaxSkewSeconds = 5
const HealthMillis = 10_000

const isLoopback = (url: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|.*\.localhost)$/.test(new URL(url).hostname)

/** The file of the profiles holds keys, so nobody else may read it. */
const profileFile = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const { file } = yield* Profiles.place
  const info = yield* Effect.orElseSucceed(files.stat(file), () => undefined)
  if (info === undefined) return ok("profiles", "There are none; octopoid-server login makes one.")
  const mode = info.mode & 0o777
  return process.platform !== "win32" && (mode & 0o077) !== 0
    ? problem("profiles", `${file} holds keys, and others may read it (mode ${mode.toString(8)}).`, `chmod 600 ${file}`)
    : ok("profiles", `${file} is only for you.`)
})

interface Health {
  readonly status: number
  readonly body: Record<string, unknown> | undefined
  readonly millis: number
  /** How far the clock of the server is ahead, in seconds. */
  readonly ahead: number | undefined
}

const ask = (url: string): Promise<Health | string> => {
  const begun = Date.now()
  return fetch(`${url}/api/health`, { signal: AbortSignal.timeout(HealthMillis) }).then(
    async (response) => {
      const ended = Date.now()
      const text = await response.text()
      let body: Health["body"]
      try {
        const parsed: unknown = JSON.parse(text)
        if (typeof parsed === "object" && parsed !== null) body = parsed as Record<string, unknown>
      } catch {
        /* a page of something else */
      }
      const time = Date.parse(typeof body?.timestamp === "string" ? body.timestamp : "")
      const ahead = Number.isNaN(time) ? undefined : (time - (begun + ended) / 2) / 1000
      return { status: response.status, body, millis: ended - begun, ahead }
    },
    (error: unknown) => {
      const { cause, message } = error as Error
      return cause instanceof Error && cause.message !== "" ? cause.message : message
    }
  )
}

const server = (url: string, health: Health | string): ReadonlyArray<Finding> => {
  if (typeof health === "string") {
    return [
      problem(
        "server",
        `${url} does not answer: ${health}.`,
        "Check the address, that the server runs, and that no firewall or proxy is in between."
      )
    ]
  }
  const { ahead, body, millis, status } = health
  if (body === undefined || body.version === undefined) {
    return [
      problem(
        "server",
        `${url} answers ${status}, but is no Octopoid server.`,
        "Check the address. It has no path, such as https://octopoid.example.com."
      )
    ]
  }
  const state = body.status === "healthy"
    ? ok("server", `${url} is healthy, and answered in ${millis} ms.`)
    : body.database === "unmigrated"
    ? problem(
      "server",
      "Its database lacks a migration.",
      "npx wrangler d1 migrations apply octopoid-db --remote, in the repository of the server."
    )
    : problem(
      "server",
      `It is ${String(body.status)}: ${String(body.error ?? body.database)}.`,
      "See the log of the server: npx wrangler tail."
    )
  const skew = ahead === undefined
    ? []
    : Math.abs(ahead) > MaxSkewSeconds
    ? [
      warning(
        "clock",
        `The clock of this machine is ${Math.round(Math.abs(ahead))} s ${
          ahead > 0 ? "behind" : "ahead of"
        } that of the server.`,
        "Let the machine set its clock by NTP."
      )
    ]
    : [ok("clock", `It differs by ${Math.abs(ahead).toFixed(1)} s.`)]
  return [state, ...skew]
}

const access = ({ key, url }: Server, body: Record<string, unknown>): ReadonlyArray<Finding> => [
  ...(body.access === "open" && !isLoopback(url)
    ? [
      problem(
        "access",
        "The server answers everybody, without a key.",
        "Set its secret: npx wrangler secret put API_SECRET_KEY."
      )
    ]
    : [
      ok("access", body.access === "open" ? "The server is open, on this machine only." : "The server asks for keys.")
    ]),
  ...(key !== undefined && url.startsWith("http:") && !isLoopback(url)
    ? [
      problem(
        "transport",
        "The key travels without encryption.",
        `Use https: octopoid-server login --url ${url.replace("http:", "https:")}`
      )
    ]
    : [])
]

/** What the key may do. It asks for something that needs the highest rank: the refusal names the rank of the key. */
const rank = (api: Client, { key, scope }: Server) =>
  // The first request shows whether the key is valid and reaches the scope, the second which rank it has.
  Effect.andThen(api.events.list({ query: { after: "latest", limit: 1 } }), api.webhooks.list({ query: {} })).pipe(
    Effect.as("manage"),
    Effect.catchTag("RankTooLow", (error) => Effect.succeed<string>(error.rank)),
    Effect.map((rank) =>
      key === undefined
        ? ok("key", "None is needed.")
        : rank === "fence"
        ? warning(
          "key",
          "It has the rank fence: it may only ask whether a token may push.",
          "Ask the administrator for a key of the rank read, work or manage."
        )
        : rank === "manage"
        ? ok("key", "It may do everything in its scope.")
        : warning(
          "key",
          `It has the rank ${rank}: ${
            rank === "read" ? "it changes nothing" : "it does what a machine does, and accepts and creates nothing"
          }.`,
          "To review and to create tasks, ask the administrator for a key of the rank manage."
        )
    ),
    Effect.catchTag("ScopeRequired", () =>
      Effect.succeed(
        problem(
          "scope",
          "The server wants every call to name a scope.",
          "Give --scope, or keep it: octopoid-server login --scope name."
        )
      )),
    Effect.catchTag("Unauthorized", ({ error }) =>
      Effect.succeed(problem(
        "key",
        error,
        key === undefined
          ? "octopoid-server login, or OCTOPOID_API_KEY."
          : "Ask the administrator for a new key: octopoid-server keys create."
      ))),
    Effect.catchTag("ScopeMismatch", ({ error }) =>
      Effect.succeed(problem("scope", error, `Leave out ${scope ?? "the scope"}, or use a key of that scope.`)))
  )

/** Whether the server knows what this command asks for. */
const endpoints = Effect.fnUntraced(function*(api: Client) {
  const { endpoints, version } = yield* api.info()
  const has = new Set(endpoints)
  const { Api } = yield* Effect.promise(() => import("../../api/Api.ts"))
  const missing = Object.values(Api.groups).flatMap((group) =>
    Object.values(group.endpoints as Record<string, { readonly method: string; readonly path: string }>).map((
      { method, path }
    ) => `${method} ${path}`)
  ).filter((endpoint) => !has.has(endpoint))
  return missing.length === 0
    ? ok("version", `The server has the API ${version}, with all that this command uses.`)
    : warning(
      "version",
      `The server is older than this command: it lacks ${missing.slice(0, 5).join(", ")}${
        missing.length > 5 ? ` and ${missing.length - 5} more` : ""
      }.`,
      "Update the server, or use the command of its release."
    )
})

const scope = Effect.fnUntraced(function*(api: Client) {
  const feed = yield* api.events.list({ query: { after: "latest", limit: 1 } })
  const { machines, queues, scope } = yield* api.overview.read({ query: {} })
  const active = machines.items.filter(({ status }) => status === "active").length
  const waits = queues.incoming ?? 0
  return [
    ok("feed", `The feed of scope ${scope} can be read. Its newest change has the number ${feed.latest}.`),
    active === 0 && waits > 0
      ? warning(
        "machines",
        `${count(waits, "task")} of scope ${scope} ${waits === 1 ? "waits" : "wait"}, and no machine is active.`,
        "Start an orchestrator. octopoid-server machines list shows which were heard, and when."
      )
      : ok("machines", `${count(active, "machine")} of scope ${scope} ${active === 1 ? "is" : "are"} active.`)
  ]
})

const findings = Effect.gen(function*() {
  const file = yield* profileFile
  const chosenServer = yield* chosen
  const { url } = chosenServer
  const health = yield* Effect.promise(() => ask(url))
  const found: Array<Finding> = [file, ...server(url, health)]
  if (typeof health === "string" || health.body?.status !== "healthy") return { url, findings: found }
  found.push(...access(chosenServer, health.body))
  const api = yield* open(chosenServer)
  const rest = Effect.gen(function*() {
    const key = yield* rank(api, chosenServer)
    found.push(key, yield* endpoints(api))
    if (key.level !== "problem" && !key.message.includes("fence")) found.push(...(yield* scope(api)))
  })
  yield* Effect.catch(
    rest,
    (error) =>
      Effect.sync(() =>
        found.push(
          problem(
            "request",
            failureOf(error, url).message,
            "If it goes on, see the log of the server: npx wrangler tail."
          )
        )
      )
  )
  return { url, findings: found }
})

const marks: Readonly<Record<Level, readonly [string, Style]>> = {
  ok: ["✓", "green"],
  warning: ["!", "yellow"],
  problem: ["✗", "red"]
}

const text = (found: ReadonlyArray<Finding>): string => {
  const width = Screen.width() - 15
  return found.map(({ check, fix, level, message }) => {
    const [mark, style] = marks[level]
    const lines = [
      ...wrapped(line(message), width),
      ...(fix === undefined ? [] : wrapped(`→ ${line(fix)}`, width).map((one) => styled("cyan", one)))
    ]
    return lines.map((one, at) =>
      at === 0 ? `${styled(style, mark)} ${check.padEnd(12)} ${one}` : `${" ".repeat(15)}${one}`
    ).join("\n")
  }).join("\n")
}

export const doctor = Command.make("doctor", {}, () =>
  Effect.gen(function*() {
    const { findings: found, url } = yield* findings
    const problems = found.filter(({ level }) => level === "problem").length
    const warnings = found.filter(({ level }) => level === "warning").length
    yield* Screen.show({ url, healthy: problems === 0, findings: found }, () =>
      `${text(found)}\n\n${
        problems + warnings === 0 ? "All is well." : `${count(problems, "problem")}, ${count(warnings, "warning")}.`
      }`)
    if (problems > 0) {
      return yield* new Ended({ code: 1 })
    }
  })).pipe(
    described(
      "Check that this machine can work with the server, and say what to do if not.",
      "{ url, healthy, findings }, each finding with check, level (ok, warning, problem), message and fix.",
      "It looks at the profile, the address, the health of the server and its database, the clock, the key and its rank, the version, the feed and the machines. Exits with 1 if there is a problem. The records in the database are checked by npm run doctor, in the repository of the server."
    )
  )
