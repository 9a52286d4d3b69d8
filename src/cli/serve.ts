/** `octopoid-server serve`: the server on this machine. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { refused } from "./ask/Failure.ts"
import { interrupt } from "./ask/interrupt.ts"
import { described, examples, given } from "./command.ts"
import * as Screen from "./show/Screen.ts"
import { line, styled } from "./show/Text.ts"

export const serve = Command.make("serve", {
  data: Flag.String("data").pipe(
    Flag.withMetavar("dir"),
    Flag.withDescription(
      "The folder of the data (OCTOPOID_DATA); otherwise octopoid-server in XDG_DATA_HOME, which is ~/.local/share unless set"
    ),
    Flag.optional
  ),
  port: Flag.Int("port").pipe(
    Flag.withMetavar("n"),
    Flag.withDescription("The port; 8787 unless given, and 0 for any that is free"),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
    Flag.withDefault(8787)
  ),
  host: Flag.String("host").pipe(
    Flag.withMetavar("address"),
    Flag.withDescription("The address to listen on; 127.0.0.1 unless given, and 0.0.0.0 for all of this machine"),
    Flag.withDefault("127.0.0.1")
  )
}, ({ data, host, port }) =>
  Effect.scoped(Effect.gen(function*() {
    const { usual } = yield* Effect.promise(() => import("../serve/Folder.ts"))
    const { start } = yield* Effect.promise(() => import("../serve/Server.ts"))
    const env = process.env
    let hasSpoken = false
    const started = yield* start({
      data: given(data) ?? (env["OCTOPOID_DATA"] || usual(env)),
      host,
      port,
      env,
      log: (text) => {
        hasSpoken = true
        process.stderr.write(text)
      }
    }).pipe(Effect.mapError(({ message }) => refused(message)))
    const { data: folder, ended, key, keyFile, url } = started
    yield* Screen.show({ url, data: folder, key: key ?? null, page: `${url}/app/` }, () =>
      [
        `${styled("green", "✓")} Ready on ${line(url)}`,
        `  The page is ${line(`${url}/app/`)}, and the data is in ${line(folder)}`,
        ...(key === undefined
          ? []
          : [`  The key of the administrator, which is not shown again: ${styled("bold", key)}`]),
        ...(keyFile === undefined
          ? []
          : [`  The key of the administrator is in ${line(keyFile)}, which only you may read`])
      ].join("\n"))
    // A stop is no failure: otherwise what watches the process, such as systemd, would start it again.
    const stopped = Effect.callback<undefined>((resume) => {
      interrupt.by = () => resume(Effect.succeed(undefined))
      return Effect.sync(() => void (interrupt.by = undefined))
    })
    const how = yield* Effect.raceFirst(ended, stopped)
    if (how === undefined) return
    const said = hasSpoken ? "What it said before is above." : "It said nothing."
    return yield* refused(`The server ended by itself: workerd ended with ${how}. ${said}`)
  }))).pipe(
    described(
      "Run the server on this machine, with its data in a folder.",
      "{ url, data, key, page } once it is ready; key is null unless it was made at this start.",
      "The first start makes a key of the administrator and prints it. The settings are variables of the environment (docs/configuration.md). Ctrl-C or SIGTERM stops the server. docs/self-host.md says how to keep it running, and how to back it up."
    ),
    examples(
      ["serve", "On http://127.0.0.1:8787"],
      ["serve --data /srv/octopoid --port 9000", "Another folder, another port"]
    )
  )
