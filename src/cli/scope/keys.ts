/** `octopoid-server keys` */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { IssuedKey, ScopeName } from "../../client.ts"
import { usage } from "../ask/Failure.ts"
import { connect } from "../ask/Server.ts"
import { described, examples, given, group, optional } from "../command.ts"
import { brief, instant } from "../show/Moment.ts"
import * as Screen from "../show/Screen.ts"
import { table } from "../show/Table.ts"
import { line, styled } from "../show/Text.ts"

const key = Argument.String("key").pipe(Argument.withDescription("The id of the key: key- and 16 hexadecimal digits"))

/** Keys belong to a scope, so the command has to name one. */
const scoped = Effect.gen(function*() {
  const { api, server } = yield* connect
  if (server.scope === undefined) return yield* usage("Say which scope: --scope name, or OCTOPOID_SCOPE.")
  return { api, scope: server.scope as ScopeName }
})

const list = Command.make("list", {
  all: Flag.Boolean("all-scopes").pipe(
    Flag.withoutNegation,
    Flag.withDescription("The keys of all scopes"),
    Flag.withDefault(false)
  )
}, (flags) =>
  Effect.gen(function*() {
    const found = flags.all
      ? yield* Effect.flatMap(connect, ({ api }) => api.keys.listAll({ query: {} }))
      : yield* Effect.flatMap(scoped, ({ api, scope }) => api.keys.list({ params: { scope }, query: {} }))
    const now = yield* Clock.currentTimeMillis
    yield* Screen.show(found, ({ keys }) =>
      keys.length === 0 ? "No keys." : table(keys, [
        { head: "key", of: ({ id }) => id, whole: true },
        { head: "name", of: ({ name }) => name },
        { head: "rank", of: ({ rank }) => rank },
        ...(flags.all ? [{ head: "scope", of: ({ scope }: typeof keys[number]) => scope }] : []),
        { head: "begins", of: ({ starts_with }) => starts_with },
        { head: "used", of: ({ last_used_at }) => last_used_at === null ? "never" : brief(last_used_at, now) },
        {
          head: "expires",
          of: ({ expires_at }) => expires_at === null ? "" : brief(expires_at, now),
          style: ({ expires_at }) =>
            expires_at !== null && DateTime.toEpochMillis(expires_at) <= now ? "red" : undefined
        },
        { head: "age", of: ({ created_at }) => brief(created_at, now) }
      ], Screen.width()))
  })).pipe(
    described("List the keys of a scope, without the keys themselves.", "the answer of GET /api/v1/scopes/:scope/keys.")
  )

const issued = (made: IssuedKey) =>
  [
    `${styled("green", "✓")} Key ${line(made.id)} (${line(made.name)}) of the rank ${made.rank} for the scope ${
      line(made.scope)
    }${made.expires_at === null ? "" : `, until ${instant(made.expires_at)}`}:`,
    "",
    `  ${line(made.api_key)}`,
    "",
    styled("yellow", "It is shown this once: keep it.")
  ].join("\n")

const create = Command.make("create", {
  name: Argument.String("name").pipe(Argument.withDescription("What the key is for, such as laptop")),
  rank: Flag.Literals("rank", ["fence", "read", "work", "manage"]).pipe(
    Flag.withDescription(
      "What it may do: read is for screens, work for machines, fence for git hooks, manage for people; manage unless given"
    ),
    Flag.withDefault("manage" as const)
  ),
  expires: Flag.Date("expires").pipe(
    Flag.withMetavar("time"),
    Flag.withDescription("When it expires; never unless given"),
    Flag.optional
  )
}, (flags) =>
  Effect.gen(function*() {
    const { api, scope } = yield* scoped
    const expires = given(flags.expires)
    const made = yield* api.keys.issue({
      params: { scope },
      payload: {
        name: flags.name,
        rank: flags.rank,
        ...optional("expires_at", expires === undefined ? undefined : DateTime.fromDateUnsafe(expires))
      }
    })
    yield* Screen.show(made, issued)
  })).pipe(
    described(
      "Issue a key for a scope, and show it this once. For the administrator.",
      "the key, as POST /api/v1/scopes/:scope/keys answers it."
    ),
    examples(["keys create laptop --rank work --scope home", "A key for a machine"])
  )

const revoke = Command.make("revoke", { key }, (flags) =>
  Effect.gen(function*() {
    const { api, scope } = yield* scoped
    const gone = yield* api.keys.revoke({ params: { scope, id: flags.key } })
    yield* Screen.show(gone, ({ id, scope }) =>
      `${styled("green", "✓")} Key ${line(id)} of ${line(scope)} is no longer valid.`)
  })).pipe(
    described("End a key for good, at once and everywhere.", "the answer of DELETE /api/v1/scopes/:scope/keys/:id.")
  )

export const keys = Command.make("keys").pipe(
  group("List, issue and revoke the keys of a scope."),
  Command.withSubcommands([list, create, revoke])
)
