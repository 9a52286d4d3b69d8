/** `octopoid-server login` and `profiles`: the servers that a person works with. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { usage } from "../ask/Failure.ts"
import * as Profiles from "../ask/Profiles.ts"
import { address, DefaultUrl, open } from "../ask/Server.ts"
import { described, examples, given, group, optional } from "../command.ts"
import { ProfileName, Scope, Url } from "../settings.ts"
import * as Screen from "../show/Screen.ts"
import { table } from "../show/Table.ts"
import { line, styled } from "../show/Text.ts"

const firstLine = Effect.promise(async () => {
  let text = ""
  for await (const chunk of process.stdin) {
    text += String(chunk)
    if (text.includes("\n") || text.length > 10_000) break
  }
  return text.split("\n")[0]!.trim()
})

/**
 * The key: of a person who types it, or of a script that pipes it in. It is no argument, because others could see it.
 */
const keyOf = Effect.fnUntraced(function*(piped: boolean) {
  if (piped) return yield* firstLine
  const known = yield* Profiles.variable("OCTOPOID_API_KEY")
  if (known !== undefined || !Screen.interactive()) return known ?? ""
  return Redacted.value(
    yield* Prompt.Hidden({ message: "Key, or the server's secret (it is not shown; empty for an open server)" })
  ).trim()
})

const named = (flag: Option.Option<string>) => given(flag) ?? "default"

/** `__proto__` is refused: as a key of an object it would set the prototype, and the profile would not be saved. */
const validName = (name: string) =>
  /^[\w.-]{1,60}$/.test(name) && name !== "__proto__"
    ? Effect.succeed(name)
    : Effect.fail(
      usage(`${name} is no name of a profile. It has 1 to 60 letters, digits, dots, dashes and underscores.`)
    )

export const login = Command.make("login", {
  keyStdin: Flag.Boolean("key-stdin").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Reads the key from standard input"),
    Flag.withDefault(false)
  )
}, (flags) =>
  Effect.gen(function*() {
    const name = yield* validName(named(yield* ProfileName))
    const stated = given(yield* Url) ?? (yield* Profiles.variable("OCTOPOID_URL"))
    // The prompt has no default: it would stay in the line, before the text that the user types.
    const typed = stated === undefined && Screen.interactive()
      ? yield* Prompt.String({ message: `Address of the server (empty is ${DefaultUrl})` })
      : ""
    const asked = stated ?? (typed.trim() || DefaultUrl)
    const url = yield* address(asked)
    const key = yield* keyOf(flags.keyStdin)
    const scope = given(yield* Scope) ?? (yield* Profiles.variable("OCTOPOID_SCOPE"))
    const before = yield* Profiles.read
    const server = { url, key: key === "" ? undefined : key, scope, profile: name }
    const api = yield* open(server)
    const health = yield* api.health()
    // Any list says whether the key is valid and reaches the scope. This one reads at most one row.
    if (key !== "" || health.access === "open") yield* api.events.list({ query: { after: "latest", limit: 1 } })
    else return yield* usage(`${url} asks for a key. Give one: at the prompt, by --key-stdin, or as OCTOPOID_API_KEY.`)
    const file = yield* Profiles.write({
      ...before,
      current: name,
      profiles: { ...before.profiles, [name]: { url, ...optional("key", server.key), ...optional("scope", scope) } }
    })
    yield* Screen.show(
      {
        profile: name,
        url,
        scope: scope ?? null,
        access: health.access,
        version: health.version,
        key: key !== "",
        file
      },
      () =>
        [
          `${styled("green", "✓")} ${line(url)} answers${key === "" ? " without a key" : ", and takes the key"}.`,
          `  Profile ${line(name)}${scope === undefined ? "" : `, scope ${line(scope)}`}, in ${line(file)}`
        ].join("\n")
    )
  })).pipe(
    described(
      "Keep a server and a key as a profile, after a check that they work.",
      "{ profile, url, scope, access, version, key, file }; key says whether there is one.",
      "The key is kept in the config folder of the user, in a file that only the user may read. OCTOPOID_URL and OCTOPOID_API_KEY come before a profile."
    ),
    examples(
      ["login", "Ask for everything"],
      ["login --profile work --url https://octopoid.example.com --scope home --key-stdin < key.txt", "From a script"]
    )
  )

const list = Command.make("list", {}, () =>
  Effect.gen(function*() {
    const { current, profiles } = yield* Profiles.read
    const rows = Object.entries(profiles).map(([name, { key, scope, url }]) => ({
      name,
      url,
      scope: scope ?? null,
      key: key !== undefined,
      current: name === current
    }))
    yield* Screen.show({ profiles: rows }, ({ profiles }) =>
      profiles.length === 0 ? "No profiles. Make one with: octopoid-server login" : table(profiles, [
        {
          head: "",
          of: ({ current }) =>
            current ? "*" : "",
          style: () => "green"
        },
        { head: "profile", of: ({ name }) => name, whole: true },
        { head: "server", of: ({ url }) => url },
        { head: "scope", of: ({ scope }) => scope },
        { head: "key", of: ({ key }) => key ? "yes" : "no" }
      ], Screen.width()))
  })).pipe(
    described(
      "List the profiles. Keys are never shown.",
      "{ profiles }, each with name, url, scope, key (whether there is one) and current."
    )
  )

const profile = Argument.String("profile").pipe(Argument.withDescription("The name of the profile"))

const choose = Command.make("use", { profile }, (flags) =>
  Effect.gen(function*() {
    const profiles = yield* Profiles.read
    const { url } = yield* Profiles.named(profiles, flags.profile)
    yield* Profiles.write({ ...profiles, current: flags.profile })
    yield* Screen.show({ profile: flags.profile, url }, () =>
      `${styled("green", "✓")} Commands go to ${line(url)} (${line(flags.profile)}).`)
  })).pipe(described("Choose the profile of commands that name none.", "{ profile, url }."))

const remove = Command.make("remove", { profile }, (flags) =>
  Effect.gen(function*() {
    const { current, profiles } = yield* Profiles.read
    yield* Profiles.named({ profiles }, flags.profile)
    const rest = Object.fromEntries(Object.entries(profiles).filter(([name]) => name !== flags.profile))
    yield* Profiles.write({
      profiles: rest,
      ...(current === undefined || current === flags.profile ? {} : { current })
    })
    yield* Screen.show(
      { profile: flags.profile },
      () => `${styled("green", "✓")} Removed ${line(flags.profile)}. Its key stays valid until it is revoked.`
    )
  })).pipe(described("Forget a profile and its key.", "{ profile }."))

export const profiles = Command.make("profiles").pipe(
  group("List the servers that login keeps, and choose one."),
  Command.withSubcommands([list, choose, remove])
)
