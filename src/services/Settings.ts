/** The server's configuration. Read once, when it starts: a value that cannot be read stops it and is named. */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { MaxOverlapSeconds } from "../domain/ApiKey.ts"
import { MaxLeaseSeconds } from "../domain/Lease.ts"
import { CurrentKeyLifetime } from "../sql/KeyLifetime.ts"

const within = (minimum: number, maximum: number) => (name: string) =>
  Config.schema(Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum })), name)

const seconds = within(1, MaxLeaseSeconds)
// Redacted, so that the message of a secret that is too short does not tell it.
const secret = Config.schema(
  Schema.Redacted(Schema.String.check(
    Schema.makeFilter((text: string) => text === "" || text.length >= 16, { expected: "at least 16 characters" })
  )),
  "API_SECRET_KEY"
).pipe(Config.map((text) => Redacted.value(text) === "" ? undefined : text))

const turns = within(1, 1_000_000)
const days = (name: string) => Config.withDefault(within(0, 36_500)(name), 0)
const times = (name: string) => Config.withDefault(within(0, 1_000_000)(name), 0)

export const SettingsConfig = Config.all({
  /** The administrator's token. Without one the server is open: it answers requests that carry no key. */
  apiSecretKey: Config.withDefault(secret, undefined),
  /** How long a key goes on working after it was rotated, in seconds. */
  keyOverlapSeconds: Config.withDefault(within(0, MaxOverlapSeconds)("KEY_OVERLAP_SECONDS"), 86_400),
  /** Whether a request that needs a scope and names none is refused instead of getting the default scope. */
  requireScope: Config.withDefault(Config.Boolean("REQUIRE_SCOPE"), false),
  /** Whether calls about a task that is held have to name its lease. Clients of the old server know no tokens. */
  requireFencingToken: Config.withDefault(Config.Boolean("REQUIRE_FENCING_TOKEN"), false),
  /** The lease of a claim that does not say how long, in seconds. */
  defaultLeaseSeconds: Config.withDefault(seconds("DEFAULT_LEASE_SECONDS"), 300),
  /** How long an attempt may take, in seconds, when neither the task nor the claim says; nothing limits it unless given. */
  maxAttemptSeconds: Config.withDefault(within(1, 1_000_000_000)("MAX_ATTEMPT_SECONDS"), undefined),
  /** The silence after which an orchestrator counts as offline, in seconds. */
  orchestratorTimeoutSeconds: Config.withDefault(seconds("ORCHESTRATOR_TIMEOUT_SECONDS"), 120),
  /** Turns without a commit after which a submitted task goes to `needs_continuation`. */
  burnoutIdleTurns: Config.withDefault(turns("BURNOUT_IDLE_TURNS"), 80),
  /** Turns after which it does so in any case. */
  burnoutTotalTurns: Config.withDefault(turns("BURNOUT_TOTAL_TURNS"), 100),
  /** How often each may happen to a task that does not say before it fails; 0 is no limit. */
  limits: Config.all({
    max_attempts: times("MAX_ATTEMPTS"),
    max_lease_losses: times("MAX_LEASE_LOSSES"),
    max_rejections: times("MAX_REJECTIONS")
  }),
  /** How long a task that was given up waits before it is handed out again, at first and at most; 0 is not at all. */
  backoff: Config.all({
    baseSeconds: Config.withDefault(within(0, MaxLeaseSeconds)("BACKOFF_SECONDS"), 0),
    maxSeconds: Config.withDefault(seconds("BACKOFF_MAX_SECONDS"), 3600)
  }),
  /**
   * After how many days records leave that nobody needs any more, 0 being never: the history of tasks that are over, messages,
   * and the tasks themselves. How many of each are removed a minute, at most, and how long idempotency keys are remembered.
   */
  retain: Config.all({
    historyDays: days("RETAIN_HISTORY_DAYS"),
    messagesDays: days("RETAIN_MESSAGES_DAYS"),
    finishedTasksDays: days("RETAIN_FINISHED_TASKS_DAYS"),
    perMinute: Config.withDefault(within(1, 200)("RETAIN_PER_MINUTE"), 5),
    // Clients count on a day.
    idempotencyHours: Config.withDefault(within(24, 8760)("RETAIN_IDEMPOTENCY_HOURS"), 24)
  }),
  /** The origins browsers may call from, separated by commas; `*` is every origin. */
  corsOrigins: Config.withDefault(Config.NonEmptyString("CORS_ORIGINS"), "*"),
  /** The least important log entries that are written. */
  logLevel: Config.withDefault(Config.LogLevel("LOG_LEVEL"), "Info")
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
