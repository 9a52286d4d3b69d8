/**
 * The configuration. It is read once, at the start. A value that cannot be read stops the server, and the message names
 * it.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { MaxOverlapSeconds } from "../domain/access/ApiKey.ts"
import { excerpt } from "../domain/Excerpt.ts"
import { MaxLeaseSeconds } from "../domain/lease/Lease.ts"
import { MaxStatements } from "../sql/Database.ts"
import { CurrentKeyLifetime } from "../sql/Idempotency.ts"

// Stands for a binding that is not text, such as one of a secrets store.
const NotText = "\0"

const isText = (value: unknown) => value == null || !["object", "function"].includes(typeof value)

/**
 * The variables of the Worker. Empty values and bindings that are not text are kept, and refused later: without a
 * secret the server would be open.
 */
export const environment = (env: object) => {
  const texts = Object.entries(env).map(([name, value]) => [name, isText(value) ? value : NotText])
  return ConfigProvider.fromUnknown(Object.fromEntries(texts), { preserveEmptyStrings: true })
}

const check = (test: (text: string) => boolean, otherwise: string) =>
  Schema.String.check(Schema.makeFilter((text: string) => test(text) || otherwise))

/** A variable that may be absent, but not empty: it is unclear what an empty value means. */
const optional = <A, B = undefined>(
  name: string,
  config: (name: string) => Config.Config<A>,
  otherwise?: B,
  advice = "remove it, or give it a value"
): Config.Config<A | B> => {
  const filled = Config.schema(
    check((text) => text !== NotText, `${name} has to be text.`).check(
      Schema.makeFilter((text: string) => text.trim() !== "" || `${name} is set but empty: ${advice}.`)
    ),
    name
  )
  const value = Config.map(Config.all([filled, config(name)]), ([, value]) => value)
  return Config.withDefault(value, otherwise as B)
}

/** Text that is checked whole, so that the message has the name of the variable first, and its value. */
const named = <A>(name: string, what: string, read: (text: string) => A | undefined): Config.Config<A> =>
  Config.map(
    Config.schema(
      Schema.String.check(
        Schema.makeFilter((text: string) =>
          read(text) !== undefined || `${name} has to be ${what}, and is "${excerpt(text, 60)}".`
        )
      ),
      name
    ),
    (text) => read(text)!
  )

const within = (minimum: number, maximum: number) => (name: string) =>
  named(name, `a whole number from ${minimum} to ${maximum}`, (text) => {
    const n = Number(text)
    return text.trim() !== "" && Number.isInteger(n) && n >= minimum && n <= maximum ? n : undefined
  })

const switches = new Map([
  ...["true", "yes", "on", "1", "y"].map((word) => [word, true] as const),
  ...["false", "no", "off", "0", "n"].map((word) => [word, false] as const)
])
const onOrOff = (name: string) => named(name, "true or false", (text) => switches.get(text.toLowerCase()))

const seconds = within(1, MaxLeaseSeconds)
const turns = within(1, 1_000_000)
const days = (name: string) => optional(name, within(0, 36_500), 0)
const times = (name: string) => optional(name, within(0, 1_000_000), 0)

// Redacted, so that the message about a bad secret does not contain it.
const secret = (name: string) =>
  Config.schema(
    Schema.Redacted(
      check((text) => text.length >= 16, `${name} is too short: take at least 16 characters.`).check(
        Schema.makeFilter((text: string) =>
          text.trim() === text || `${name} begins or ends with white space, which no client can send: remove it.`
        )
      )
    ),
    name
  )

/** Words separated by commas. Each has to fit. */
const list = (fits: (word: string) => boolean, otherwise: string) => (name: string) =>
  Config.map(
    Config.schema(check((text) => words(text).every(fits), `${name} has to be ${otherwise}.`), name),
    words
  )
const words = (text: string) => text.toLowerCase().split(",").map((word) => word.trim()).filter((word) => word !== "")

// `null` would allow every page in a sandbox, and any page can put itself into one.
const isOrigin = (word: string) =>
  /^https?:/.test(word)
    ? URL.canParse(word) && new URL(word).origin === word
    : /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+$/.test(word)
const origins = list(
  (word) => word === "*" || isOrigin(word),
  "* or origins such as https://app.example, separated by commas"
)
const hosts = list(
  (word) => /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(word),
  "host names without a port, separated by commas"
)

// The address is a base: `/v1/traces` follows it.
const endpoint = (name: string) =>
  Config.schema(
    check(
      (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !/[?#]/.test(text),
      `${name} has to be an http or https address without a query, such as https://otel.example.com:4318.`
    ),
    name
  )

const pairOf = (pair: string): readonly [string, string] => {
  const [name = "", ...value] = pair.split("=")
  return [name.trim().toLowerCase(), decodeURIComponent(value.join("=").trim())]
}
const isPair = (pair: string): boolean => {
  try {
    const [name, value] = pairOf(pair)
    return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && pair.includes("=") && /^[\x20-\x7e]*$/.test(value)
  } catch {
    return false
  }
}
// Redacted, because they often contain a key.
const headers = (name: string) =>
  Config.map(
    Config.schema(
      Schema.Redacted(
        check(
          (text) => text.split(",").every(isPair),
          `${name} has to be headers such as name=value, separated by commas; other characters as %20.`
        )
      ),
      name
    ),
    (text) => Redacted.make(Object.fromEntries(Redacted.value(text).split(",").map(pairOf)))
  )

export const SettingsConfig = Config.all({
  /** The administrator's token. Without one the server is open: it answers requests without a key. */
  apiSecretKey: optional(
    "API_SECRET_KEY",
    secret,
    undefined,
    "remove it to run an open server, or set a secret of at least 16 characters"
  ),
  /** How long a key goes on working after its rotation, in seconds. */
  keyOverlapSeconds: optional("KEY_OVERLAP_SECONDS", within(0, MaxOverlapSeconds), 86_400),
  /** Whether a request without a scope is refused, instead of getting the default scope. */
  requireScope: optional("REQUIRE_SCOPE", onOrOff, false),
  /** Whether calls about a held task need a fencing token. Clients of the old server send none. */
  requireFencingToken: optional("REQUIRE_FENCING_TOKEN", onOrOff, false),
  /** The lease of a claim that names no length, in seconds. */
  defaultLeaseSeconds: optional("DEFAULT_LEASE_SECONDS", seconds, 300),
  /** The limit of an attempt, in seconds, if neither the task nor the claim has one. There is none by default. */
  maxAttemptSeconds: optional("MAX_ATTEMPT_SECONDS", within(1, 1_000_000_000)),
  /** The silence after which an orchestrator is offline, in seconds. */
  orchestratorTimeoutSeconds: optional("ORCHESTRATOR_TIMEOUT_SECONDS", seconds, 120),
  /** How long a task is ready, while no machine will claim it, before the feed says so, in seconds; 0 means never. */
  unclaimableAfterSeconds: optional("UNCLAIMABLE_AFTER_SECONDS", within(0, 2_592_000), 900),
  /** A submitted task goes to `needs_continuation` after this many turns without a commit. */
  burnoutIdleTurns: optional("BURNOUT_IDLE_TURNS", turns, 80),
  /** It goes there after this many turns in any case. */
  burnoutTotalTurns: optional("BURNOUT_TOTAL_TURNS", turns, 100),
  /** The budgets of tasks that have none of their own; 0 means no limit. */
  limits: Config.all({
    max_attempts: times("MAX_ATTEMPTS"),
    max_lease_losses: times("MAX_LEASE_LOSSES"),
    max_rejections: times("MAX_REJECTIONS")
  }),
  /** The backoff after the first attempt, and the longest one. A task waits for half of it at least. 0 turns it off. */
  backoff: Config.all({
    baseSeconds: optional("BACKOFF_SECONDS", within(0, MaxLeaseSeconds), 0),
    maxSeconds: optional("BACKOFF_MAX_SECONDS", seconds, 3600)
  }),
  /**
   * Retention: after how many days the history of finished tasks, messages, and finished tasks are removed (0 means
   * never), how many of each are removed in a minute at most, and how long idempotency keys are remembered.
   */
  retain: Config.all({
    historyDays: days("RETAIN_HISTORY_DAYS"),
    messagesDays: days("RETAIN_MESSAGES_DAYS"),
    finishedTasksDays: days("RETAIN_FINISHED_TASKS_DAYS"),
    perMinute: optional("RETAIN_PER_MINUTE", within(1, 200), 5),
    // Clients rely on a day.
    idempotencyHours: optional("RETAIN_IDEMPOTENCY_HOURS", within(24, 8760), 24)
  }),
  /** Whether the feed is also sent as a stream of events. A watcher costs CPU all the time. */
  eventStream: optional("EVENT_STREAM", onOrOff, false),
  /**
   * Whether webhooks may be sent to private addresses, and without TLS. Only for tests, and for servers in a network of
   * their own.
   */
  webhookAllowPrivate: optional("WEBHOOK_ALLOW_PRIVATE", onOrOff, false),
  /** How many statements a bulk request may send. D1 allows 50 queries on the free plan, and 1,000 on the paid one. */
  bulkStatements: optional("BULK_STATEMENTS", within(MaxStatements, 950), MaxStatements),
  /** The origins of web pages that may call the server. `*` is every origin; on an open server it allows none. */
  corsOrigins: optional("CORS_ORIGINS", origins, ["*"]),
  /** The names of a local server, besides `localhost` and addresses. */
  allowedHosts: optional("ALLOWED_HOSTS", hosts, []),
  /** Where traces are sent, with which headers, and under which name. Without an address nothing is traced. */
  otlp: Config.all({
    endpoint: optional("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
    headers: optional("OTEL_EXPORTER_OTLP_HEADERS", headers, Redacted.make<Record<string, string>>({})),
    serviceName: optional("OTEL_SERVICE_NAME", Config.String, "octopoid-server")
  }),
  /** Whether this is `wrangler dev`. Only the Worker sets it, and it overrides the environment. */
  local: Config.withDefault(Config.Boolean("LOCAL"), false),
  /** The lowest level of log entries that are written. */
  logLevel: optional("LOG_LEVEL", Config.LogLevel, "Info" as const)
})

export class Settings extends Context.Service<Settings, Config.Success<typeof SettingsConfig>>()(
  "octopoid-server/services/Settings"
) {
  static readonly layer = Layer.effect(Settings, Effect.map(SettingsConfig, Settings.of))
}

export const KeyLifetimeLayer = Layer.effect(
  CurrentKeyLifetime,
  Effect.map(Settings, ({ retain }) => retain.idempotencyHours * 3_600_000)
)
