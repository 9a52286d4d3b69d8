/** `octopoid-server restore`: an export into a server on Durable Objects, as `octopoid-server serve` is one. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { createReadStream } from "node:fs"
import { type Failure, failureOf, fileFailure, refused } from "../ask/Failure.ts"
import { chosen } from "../ask/Server.ts"
import { described, examples } from "../command.ts"
import { count } from "../show/Moment.ts"
import * as Progress from "../show/Progress.ts"
import * as Screen from "../show/Screen.ts"
import { line, styled } from "../show/Text.ts"
import { DumpUnreadable } from "./Dump.ts"

export const restore = Command.make("restore", {
  file: Flag.String("file").pipe(
    Flag.withAlias("f"),
    Flag.withMetavar("file"),
    Flag.withDescription("What octopoid-server export wrote")
  )
}, ({ file }) =>
  Effect.gen(function*() {
    const { key = "", url } = yield* chosen
    const { sendAll } = yield* Effect.promise(() => import("./pieces.ts"))
    const progress = Progress.make("records sent")
    const scopes = yield* Effect.ensuring(
      Effect.tryPromise({
        try: (signal) => sendAll({ bytes: () => createReadStream(file), url, key, signal, progress: progress.at }),
        catch: (error): Failure =>
          error instanceof DumpUnreadable ? refused(error.message) : failureOf(fileFailure(error, file, "read"), url)
      }),
      Effect.sync(progress.end)
    )
    yield* Screen.show({ file, scopes }, () =>
      scopes.map(({ before, counts, scope }) => {
        const what = Object.entries(counts).map(([kind, n]) => `${n} ${kind}`).join(", ") || "nothing"
        return before
          ? `${styled("green", "✓")} ${line(scope)}: this file was restored there before. Nothing was changed.`
          : `${styled("green", "✓")} ${line(scope)}: ${line(what)}`
      }).concat(`${count(scopes.length, "scope")} of ${line(file)}`).join("\n"))
  })).pipe(
    described(
      "Bring an export into a server on Durable Objects, such as one that serve runs.",
      "{ file, scopes }: for each scope its name, how many records of each kind it has now, and whether the file had been restored there before.",
      "Each scope has to be without records, and gets all records of the file or none. Needs the secret of the server: OCTOPOID_API_KEY. The same command again goes on after a failure. A server on D1 is restored by npm run restore (docs/operating.md)."
    ),
    examples(["restore --file backup.jsonl", "Bring back what export --out backup.jsonl wrote"])
  )
