/** The flags that every command takes. */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

const text = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Prints one JSON document instead of text, and errors as JSON on standard error"),
    Flag.withDefault(false)
  )
})

export const Url = GlobalFlag.Setting("url")({
  flag: text("url", "address", "The server. Otherwise OCTOPOID_URL, then the profile, then http://localhost:8787")
})

export const Scope = GlobalFlag.Setting("scope")({
  flag: text("scope", "name", "The scope. Otherwise OCTOPOID_SCOPE, then that of the profile, then that of the key")
})

export const ProfileName = GlobalFlag.Setting("profile")({
  flag: text("profile", "name", "The profile to use. Otherwise OCTOPOID_PROFILE, then the chosen one")
})

export const settings = [Json, Url, Scope, ProfileName] as const
