/** The server's configuration. Read once, when it starts: a value that cannot be read stops it and is named. */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { MaxOverlapSeconds } from "../domain/access/ApiKey.ts"
import { MaxLeaseSeconds } from "../domain/lease/Lease.ts"
import { CurrentKeyLifetime } from "../sql/Idempotency.ts"

// What stands for a binding that is no text, such as one of a secrets store.
const NotText = "\0"

const isText = (value: unknown) => value == null || !["object", "function"].includes(typeof value)

/** The variables of the Worker. What is empty or no text is kept: a setting that is absent may open the server. */
export const environment = (env: object) => {
  const texts = Object.entries(env).map(([name, value]) => [name, isText(value) ? value : NotText])
  return ConfigProvider.fromUnknown(Object.fromEntries(texts), { preserveEmptyStrings: true })
}

const check = (test: (text: string) => boolean, otherwise: string) =>
  Schema.String.check(Schema.makeFilter((text: string) => test(text) || otherwise))

/** A variable that may be left out, but not be empty: what somebody meant by that can only be guessed. */
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

const within = (minimum: number, maximum: number) => (name: string) =>
  Config.schema(Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum })), name)

const seconds = within(1, MaxLeaseSeconds)
const turns = within(1, 1_000_000)
const days = (name: string) => optional(name, within(0, 36_500), 0)
const times = (name: string) => optional(name, within(0, 1_000_000), 0)

// Redacted, so that the message of a secret that does not fit does not tell it.
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

/** Words that are separated by commas, each of which fits. */
const list = (fits: (word: string) => boolean, otherwise: string) => (name: string) =>
  Config.map(
    Config.schema(check((text) => words(text).every(fits), `${name} has to be ${otherwise}.`), name),
    words
  )
const words = (text: string) => text.toLowerCase().split(",").map((word) => word.trim()).filter((word) => word !== "")

// `null` would be every page in a sandbox, and so every page that wants to be.
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

export const SettingsConfig = Config.all({
  /** The administrator's token. Without one the server is open: it answers requests that carry no key. */
  apiSecretKey: optional(
    "API_SECRET_KEY",
    secret,
    undefined,
    "remove it to run an open server, or set a secret of at least 16 characters"
  ),
  /** How long a key goes on working after it was rotated, in seconds. */
  keyOverlapSeconds: optional("KEY_OVERLAP_SECONDS", within(0, MaxOverlapSeconds), 86_400),
  /** Whether a request that needs a scope and names none is refused instead of getting the default scope. */
  requireScope: optional("REQUIRE_SCOPE", Config.Boolean, false),
  /** Whether calls about a task that is held have to name its lease. Clients of the old server know no tokens. */
  requireFencingToken: optional("REQUIRE_FENCING_TOKEN", Config.Boolean, false),
  /** The lease of a claim that does not say how long, in seconds. */
  defaultLeaseSeconds: optional("DEFAULT_LEASE_SECONDS", seconds, 300),
  /** How long an attempt may take, in seconds, when neither the task nor the claim says; nothing limits it unless given. */
  maxAttemptSeconds: optional("MAX_ATTEMPT_SECONDS", within(1, 1_000_000_000)),
  /** The silence after which an orchestrator counts as offline, in seconds. */
  orchestratorTimeoutSeconds: optional("ORCHESTRATOR_TIMEOUT_SECONDS", seconds, 120),
  /** Turns without a commit after which a submitted task goes to `needs_continuation`. */
  burnoutIdleTurns: optional("BURNOUT_IDLE_TURNS", turns, 80),
  /** Turns after which it does so in any case. */
  burnoutTotalTurns: optional("BURNOUT_TOTAL_TURNS", turns, 100),
  /** How often each may happen to a task that does not say before it fails; 0 is no limit. */
  limits: Config.all({
    max_attempts: times("MAX_ATTEMPTS"),
    max_lease_losses: times("MAX_LEASE_LOSSES"),
    max_rejections: times("MAX_REJECTIONS")
  }),
  /** How long a task that was given up waits before it is handed out again, at first and at most; 0 is not at all. */
  backoff: Config.all({
    baseSeconds: optional("BACKOFF_SECONDS", within(0, MaxLeaseSeconds), 0),
    maxSeconds: optional("BACKOFF_MAX_SECONDS", seconds, 3600)
  }),
  /**
   * After how many days records leave that nobody needs any more, 0 being never: the history of tasks that are over, messages,
   * and the tasks themselves. How many of each are removed a minute, at most, and how long idempotency keys are remembered.
   */
  retain: Config.all({
    historyDays: days("RETAIN_HISTORY_DAYS"),
    messagesDays: days("RETAIN_MESSAGES_DAYS"),
    finishedTasksDays: days("RETAIN_FINISHED_TASKS_DAYS"),
    perMinute: optional("RETAIN_PER_MINUTE", within(1, 200), 5),
    // Clients count on a day.
    idempotencyHours: optional("RETAIN_IDEMPOTENCY_HOURS", within(24, 8760), 24)
  }),
  /** The origins of web pages that may call the server; `*` is every origin, though on an open server it allows none. */
  corsOrigins: optional("CORS_ORIGINS", origins, ["*"]),
  /** Host names under which a local server answers, besides `localhost` and addresses. */
  allowedHosts: optional("ALLOWED_HOSTS", hosts, []),
  /** Whether this is `wrangler dev`. The Worker says so itself, whatever its environment says. */
  local: Config.withDefault(Config.Boolean("LOCAL"), false),
  /** The least important log entries that are written. */
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
