/** Which server a command speaks to, with which key and scope. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ProfileName, Scope, Url } from "../settings.ts"
import { usage } from "./Failure.ts"
import * as Profiles from "./Profiles.ts"

export interface Server {
  readonly url: string
  readonly key: string | undefined
  readonly scope: string | undefined
  /** The profile it comes from, if any. */
  readonly profile: string | undefined
}

export const DefaultUrl = "http://localhost:8787"

/** The address without slashes at its end. Fails if it is not an address. */
export const address = (text: string) =>
  /^https?:\/\//.test(text) && URL.canParse(text)
    ? Effect.succeed(text.replace(/\/+$/, ""))
    : Effect.fail(usage(`${text} is not an address. Write it as ${DefaultUrl}.`))

/**
 * The server that flags, environment and profile name. The key of a profile goes only to the address of that profile.
 */
export const chosen = Effect.gen(function*() {
  const asked = Option.getOrUndefined(yield* ProfileName) ?? (yield* Profiles.variable("OCTOPOID_PROFILE"))
  const stated = Option.getOrUndefined(yield* Url) ?? (yield* Profiles.variable("OCTOPOID_URL"))
  const profiles = yield* Profiles.read
  const name = asked ?? profiles.current
  const profile = name === undefined ? undefined : yield* Profiles.named(profiles, name)
  const url = yield* address(stated ?? profile?.url ?? DefaultUrl)
  const own = profile !== undefined && profile.url.replace(/\/+$/, "") === url ? profile : undefined
  const server: Server = {
    url,
    key: (yield* Profiles.variable("OCTOPOID_API_KEY")) ?? own?.key,
    scope: Option.getOrUndefined(yield* Scope) ?? (yield* Profiles.variable("OCTOPOID_SCOPE")) ?? own?.scope,
    profile: own === undefined ? undefined : name
  }
  addressed.url = url
  return server
})

/** The address of the last server that was chosen, for errors. */
export const addressed: { url: string | undefined } = { url: undefined }

/** A client of the server. It is loaded here, because it takes longer to load than everything else. */
export const open = (server: Server) =>
  Effect.flatMap(Effect.promise(() => import("./client.ts")), (ask) => ask.open(server))

/** A client of the chosen server, and the server. */
export const connect = Effect.gen(function*() {
  const server = yield* chosen
  return { api: yield* open(server), server }
})
