/** The server that records are copied to: takes them over its API, and says why when it takes none. */
import * as Effect from "effect/Effect"
import * as client from "../../../client.ts"
import type { ImportKind } from "../../../domain/transfer/Import.ts"
import { ImportStopped, type Item } from "./Source.ts"

type Failure = Effect.Error<ReturnType<client.Client["import"]["run"]>>

const secret = "OCTOPOID_API_KEY"

/** Why the server takes no records, and what to do. */
const explain = (failure: Failure, to: string, token: string | undefined): string => {
  switch (failure._tag) {
    case "Unauthorized":
      return token === undefined
        ? `${to} asks for a key. Give its API_SECRET_KEY as ${secret}, or by octopoid-server login.`
        : `${to} does not accept the key. ${secret} must be its API_SECRET_KEY; if it has none, leave the key out.`
    case "AdministratorRequired":
    case "RankTooLow":
    case "ScopeMismatch":
      return `A key of a scope is not enough for ${to}: ${secret} is that server's API_SECRET_KEY.`
    case "TooManyFailures":
      return `${to} answers no key for now. ${failure.error}`
    case "NoUsableAnswer":
      return failure.status === null
        ? `Nothing answers at ${to}. Is the server started, and is this its address (--url)?`
        : `${to} does not answer as this server does: ${failure.message} Is this its address (--url), and its version the one of this program?`
    case "HttpClientError":
    case "SchemaError":
      return `The records cannot be sent to ${to}: ${failure.message}`
    default:
      return `${to} does not take the records: ${failure.error}`
  }
}

export const make = Effect.fnUntraced(function*({ dryRun, scope, to, token }: {
  readonly to: string
  readonly token: string | undefined
  readonly scope: string
  /** Whether this is a dry run. */
  readonly dryRun: boolean
}) {
  const server = yield* client.make({ baseUrl: to, token })
  const run = (records: Readonly<Partial<Record<ImportKind, ReadonlyArray<Item>>>>, dry_run = dryRun) =>
    server.import.run({ params: { scope }, payload: { ...records, dry_run } })
  const stop = (failure: Failure) =>
    new ImportStopped({
      message: explain(failure, to, token),
      why: failure._tag === "NoUsableAnswer" ? "unreachable" : "refused"
    })

  /** Fails if the server would take no records. */
  const knock = Effect.mapError(run({}, true), stop)

  /** Writes records of a kind. A task may refer to a project of `projects`, which a dry run has not written. */
  const write = (kind: ImportKind, records: ReadonlyArray<Item>, projects: ReadonlyArray<Item>) =>
    run(projects.length === 0 ? { [kind]: records } : { projects, [kind]: records }).pipe(
      Effect.map(({ conflicts, existing, imported }) => ({
        created: imported[kind],
        existing: existing[kind],
        conflicts: conflicts.filter((conflict) => conflict.kind === kind)
      })),
      Effect.catchTag("BodyTooLarge", ({ error }) =>
        Effect.succeed({
          created: 0,
          existing: 0,
          conflicts: records.map(({ id, name }) => ({ kind, id: String(id ?? name), error }))
        })),
      Effect.mapError(stop)
    )

  return { knock, write }
})
