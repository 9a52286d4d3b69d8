import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Api } from "../api/Api.ts"
import { Health, Unhealthy, Version } from "../api/System.ts"
import { Access } from "../services/access/Access.ts"
import { Database } from "../sql/Database.ts"
import * as SchemaVersion from "../sql/upkeep/SchemaVersion.ts"
import { prefersPage } from "./docs/Browser.ts"
import { endpoints } from "./Endpoints.ts"
import { Push } from "./Push.ts"
import * as Routes from "./Routes.ts"

export const SystemHandlers = Routes.group(
  Api,
  "system",
  Effect.fn(function*(handlers) {
    const { batch } = yield* Database
    const { open } = yield* Access

    const health = Effect.gen(function*() {
      const timestamp = yield* DateTime.now
      const unhealthy = (database: "disconnected" | "unmigrated", error: string) =>
        new Unhealthy({ error, status: "unhealthy", version: Version, timestamp, database })
      const migration = yield* batch({ schemaVersion: SchemaVersion.select() }).pipe(
        Effect.map(({ schemaVersion: [row] }) => row?.migration as number | undefined),
        // Health checks use a shorter timeout.
        Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.die("no answer within 5 seconds") }),
        Effect.catchDefect((defect) =>
          defect instanceof SchemaVersion.Unmigrated
            ? Effect.succeed(defect.migration)
            : Effect.logError("health check failed", defect).pipe(
              Effect.andThen(Effect.fail(unhealthy("disconnected", "The database does not answer. Try again later.")))
            )
        )
      )
      if (SchemaVersion.isBehind(migration)) {
        const at = migration === undefined
          ? `older than migration ${SchemaVersion.FirstNumbered}`
          : `at migration ${migration}`
        return yield* unhealthy(
          "unmigrated",
          `The database is ${at}, and this release needs migration ${SchemaVersion.NeededMigration}. Apply the migrations.`
        )
      }
      const push = yield* Push
      return Health.make({
        status: "healthy",
        version: Version,
        timestamp,
        database: "connected",
        access: open ? "open" : "keys",
        ...(push === undefined ? {} : { push })
      })
    })

    return handlers.handleAll({
      info: () =>
        Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) =>
          HttpServerResponse.setHeader(
            prefersPage(headers["accept"])
              // Relative, so that it stays behind the prefix of a proxy.
              ? HttpServerResponse.redirect("app/")
              : HttpServerResponse.jsonUnsafe({
                name: "Octopoid Server",
                version: Version,
                documentation: "/docs",
                endpoints: endpoints.map(({ method, path }) => `${method} ${path}`)
              }),
            "vary",
            "Accept"
          )),
      health: () => health
    })
  })
)
