/** The settings of the Worker: each is read, left out, or refused by name. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import { environment, SettingsConfig } from "../../src/services/Settings.ts"

const settings = (env: Record<string, unknown>) => Effect.runSync(SettingsConfig.parse(environment(env)))
/** The message of a Worker that does not start. */
const refusal = (env: Record<string, unknown>) => {
  const exit = Effect.runSyncExit(Effect.flip(SettingsConfig.parse(environment(env))))
  assert.isTrue(Exit.isSuccess(exit), `${JSON.stringify(env)} is accepted`)
  return Exit.isSuccess(exit) ? exit.value.message : ""
}

const names = [
  "API_SECRET_KEY",
  "KEY_OVERLAP_SECONDS",
  "REQUIRE_SCOPE",
  "REQUIRE_FENCING_TOKEN",
  "DEFAULT_LEASE_SECONDS",
  "MAX_ATTEMPT_SECONDS",
  "ORCHESTRATOR_TIMEOUT_SECONDS",
  "BURNOUT_IDLE_TURNS",
  "BURNOUT_TOTAL_TURNS",
  "MAX_ATTEMPTS",
  "MAX_LEASE_LOSSES",
  "MAX_REJECTIONS",
  "BACKOFF_SECONDS",
  "BACKOFF_MAX_SECONDS",
  "RETAIN_HISTORY_DAYS",
  "RETAIN_MESSAGES_DAYS",
  "RETAIN_FINISHED_TASKS_DAYS",
  "RETAIN_PER_MINUTE",
  "RETAIN_IDEMPOTENCY_HOURS",
  "CORS_ORIGINS",
  "ALLOWED_HOSTS",
  "LOG_LEVEL",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_SERVICE_NAME"
]

describe("the settings", () => {
  it("are those of an open server by default, which pages of other origins may not call", () => {
    const { allowedHosts, apiSecretKey, corsOrigins, local, logLevel, requireScope } = settings({})
    assert.deepStrictEqual(
      { allowedHosts, apiSecretKey, corsOrigins, local, logLevel, requireScope },
      {
        allowedHosts: [],
        apiSecretKey: undefined,
        corsOrigins: ["*"],
        local: false,
        logLevel: "Info",
        requireScope: false
      }
    )
  })

  it("read where traces go, and the headers for that, which may have encoded characters", () => {
    const { otlp } = settings({
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://otel.example.com:4318/base",
      OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Basic%20YTpi==, x-team = a"
    })
    assert.deepStrictEqual([otlp.endpoint, otlp.serviceName], ["https://otel.example.com:4318/base", "octopoid-server"])
    assert.deepStrictEqual(Redacted.value(otlp.headers), { authorization: "Basic YTpi==", "x-team": "a" })
    assert.isUndefined(settings({}).otlp.endpoint)
    for (const value of ["otel.example.com", "ftp://otel.example.com", "https://otel.example.com?key=1"]) {
      assert.include(
        refusal({ OTEL_EXPORTER_OTLP_ENDPOINT: value }),
        "OTEL_EXPORTER_OTLP_ENDPOINT has to be an http or"
      )
    }
    for (const value of ["secret-key", "a b=secret-key", "a=secret-key%", "a=secret-key%0a", "a=1,,b=2"]) {
      const message = refusal({ OTEL_EXPORTER_OTLP_HEADERS: value })
      assert.include(message, "OTEL_EXPORTER_OTLP_HEADERS has to be headers")
      assert.notInclude(message, "secret-key")
    }
  })

  it.each(names)("%s is refused by name when it is set but empty", (name) => {
    for (const value of ["", " ", "\t", " \r\n "]) {
      assert.include(refusal({ [name]: value }), `${name} is set but empty: remove it`)
    }
  })

  it("a number or a switch that cannot be read is named first, with its value", () => {
    const seconds = "DEFAULT_LEASE_SECONDS has to be a whole number from 1 to 86400, and is"
    for (const value of ["soon", "1.5", "0", "86401", "Infinity"]) {
      assert.match(refusal({ DEFAULT_LEASE_SECONDS: value }), new RegExp(`^SchemaError\\(${seconds} "${value}"\\.`))
    }
    assert.isBelow(refusal({ DEFAULT_LEASE_SECONDS: "x".repeat(5000) }).length, 300)
    assert.strictEqual(settings({ DEFAULT_LEASE_SECONDS: " 60 " }).defaultLeaseSeconds, 60)
    assert.include(refusal({ EVENT_STREAM: "maybe" }), "EVENT_STREAM has to be true or false, and is \"maybe\".")
    assert.isTrue(settings({ EVENT_STREAM: "yes" }).eventStream)
  })

  it("an empty secret does not open the server, and the refusal says what to do", () => {
    assert.include(
      refusal({ API_SECRET_KEY: "" }),
      "API_SECRET_KEY is set but empty: remove it to run an open server, or set a secret of at least 16 characters."
    )
  })

  it("a bad secret is refused, and the refusal does not contain it", () => {
    for (const value of ["x", "fifteen letters", { get: "a secret of the server" }, ["a secret of the server"], 7]) {
      const refused = refusal({ API_SECRET_KEY: value })
      assert.include(refused, "API_SECRET_KEY")
      assert.notInclude(refused, "fifteen")
    }
    for (const value of ["sixteen letters!\n", " sixteen letters!", "                  "]) {
      assert.include(refusal({ API_SECRET_KEY: value }), "API_SECRET_KEY")
    }
    assert.strictEqual(
      Redacted.value(settings({ API_SECRET_KEY: "sixteen letters!" }).apiSecretKey!),
      "sixteen letters!"
    )
  })

  it("CORS_ORIGINS lists origins as browsers send them", () => {
    assert.deepStrictEqual(
      settings({ CORS_ORIGINS: "https://App.example, http://[::1]:3000,,chrome-extension://abc" }).corsOrigins,
      ["https://app.example", "http://[::1]:3000", "chrome-extension://abc"]
    )
    for (
      const value of [
        "null",
        "https://a.example, null",
        "https://a.example/",
        "a.example",
        "https://*.a.example/x",
        "https://a.example:443",
        "https://user@a.example",
        "https://a.example https://b.example",
        "file://"
      ]
    ) assert.include(refusal({ CORS_ORIGINS: value }), "CORS_ORIGINS has to be * or origins such as", value)
  })

  it("ALLOWED_HOSTS lists host names", () => {
    assert.deepStrictEqual(settings({ ALLOWED_HOSTS: "Desk.example , octopoid" }).allowedHosts, [
      "desk.example",
      "octopoid"
    ])
    for (const value of ["desk.example:8787", "http://desk.example", "*", "[::1]", "a b", "*.example", "a..b"]) {
      assert.include(refusal({ ALLOWED_HOSTS: value }), "ALLOWED_HOSTS has to be host names", value)
    }
  })

  it("a binding that is not text is refused by name, and does not count as absent", () => {
    for (const name of names) {
      for (const value of [{ a: "1" }, {}, ["1"], () => "1"]) {
        assert.include(refusal({ [name]: value }), `${name} has to be text.`)
      }
    }
  })
})
