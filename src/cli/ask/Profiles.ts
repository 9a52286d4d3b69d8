/** The profiles: servers with their keys, in a file that only its owner may read. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { usage } from "./Failure.ts"

export const Profile = Schema.Struct({
  url: Schema.String,
  key: Schema.optionalKey(Schema.String),
  scope: Schema.optionalKey(Schema.String)
})
export type Profile = typeof Profile.Type

const Profiles = Schema.Struct({
  /** The profile of commands that name none. */
  current: Schema.optionalKey(Schema.String),
  profiles: Schema.Record(Schema.String, Profile)
})
export type Profiles = typeof Profiles.Type

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(Profiles))

export const variable = (name: string) =>
  Config.option(Config.String(name)).pipe(
    Effect.orElseSucceed(() => Option.none<string>()),
    Effect.map(Option.filter((text) => text !== "")),
    Effect.map(Option.getOrUndefined)
  )

/** Where the file is: below `XDG_CONFIG_HOME`, or in `.config` of the home. */
export const place = Effect.gen(function*() {
  const path = yield* Path.Path
  const home = (yield* variable("HOME")) ?? (yield* variable("USERPROFILE")) ?? "."
  const base = (yield* variable("XDG_CONFIG_HOME")) ?? path.join(home, ".config")
  const folder = path.join(base, "octopoid")
  return { folder, file: path.join(folder, "config.json") }
})

const broken = (file: string, why: string) => usage(`${file} cannot be read: ${why}. Mend it or remove it.`)

export const read = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const { file } = yield* place
  const none: Profiles = { profiles: {} }
  const text = yield* files.readFileString(file).pipe(
    Effect.catch((error) =>
      error.reason._tag === "NotFound" ? Effect.succeed(undefined) : Effect.fail(broken(file, error.message))
    )
  )
  if (text === undefined) return none
  // The text of the error would repeat keys.
  return yield* Effect.mapError(decode(text), () => broken(file, "it is not a list of profiles"))
})

/** Replaces the file as a whole, so that a crash leaves the old one or the new one. */
export const write = (profiles: Profiles) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const { file, folder } = yield* place
    yield* files.makeDirectory(folder, { recursive: true, mode: 0o700 })
    yield* files.chmod(folder, 0o700)
    const part = `${file}.part`
    yield* files.remove(part, { force: true })
    yield* files.writeFileString(part, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600, flag: "wx" })
    yield* files.rename(part, file)
    return file
  }).pipe(
    Effect.catchTag("PlatformError", (error) => Effect.fail(usage(`The profiles cannot be written: ${error.message}`)))
  )

/** The profile of this name. */
export const named = (profiles: Profiles, name: string) => {
  const found = Object.hasOwn(profiles.profiles, name) ? profiles.profiles[name] : undefined
  const known = Object.keys(profiles.profiles)
  return found === undefined
    ? Effect.fail(
      usage(
        `There is no profile ${name}${
          known.length === 0 ? ", nor any other" : `, only ${known.join(", ")}`
        }. Make one with: octopoid-server login --profile ${name}`
      )
    )
    : Effect.succeed(found)
}
