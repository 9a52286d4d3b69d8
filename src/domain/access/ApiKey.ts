/** The API keys of a scope. The server keeps only hashes; the key is shown once, when it is issued. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, maybe, Time, TimeColumn } from "../Encoding.ts"
import { ScopeName } from "../Identifier.ts"
import { Label } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"
import { Rank } from "./Rank.ts"

export const KeyId = Schema.NonEmptyString.check(Schema.isMaxLength(200)).pipe(
  describe("The key's id: `key-` and 16 hexadecimal digits. It is no secret.")
)

const fields = <T extends Schema.Top>(time: T) => ({
  id: KeyId,
  name: Schema.String.pipe(describe("What it is for.")),
  scope: ScopeName,
  rank: Rank,
  starts_with: Schema.String.pipe(
    describe("The beginning of the key, by which one recognises the key that a machine uses.")
  ),
  created_by: Schema.String.pipe(
    describe(
      "Who issued it: `administrator`, `anonymous`, an orchestrator that registered, or the key that it replaces."
    )
  ),
  created_at: time,
  last_used_at: Schema.NullOr(time).pipe(describe("When it was used last, to the hour.")),
  expires_at: Schema.NullOr(time).pipe(describe("When it stops being valid, if ever."))
})

export const ApiKey = Schema.Struct(fields(Time)).annotate({ identifier: "ApiKey" })
export type ApiKey = typeof ApiKey.Type
export const ApiKeyRow = Schema.Struct(fields(TimeColumn))

/** The key itself, in the one answer that shows it. */
export const ApiKeyText = Schema.String.pipe(describe("The key itself. It is shown this once: keep it."))

export const IssuedKey = Schema.Struct({ ...ApiKey.fields, api_key: ApiKeyText }).annotate({ identifier: "IssuedKey" })
export type IssuedKey = typeof IssuedKey.Type

export const NewKey = Schema.Struct({
  name: maybe(Schema.String.check(Schema.isMaxLength(200)), "The purpose of the key; its id unless given."),
  expires_at: maybe(
    Schema.Union([Time, Schema.Literal("")]),
    "When it expires. Unless given it is valid until it is revoked or rotated."
  ),
  rank: maybe(
    Rank,
    "What the key may do; `manage` unless given. `read` is for screens and web pages, `work` for machines, `fence` for git hooks."
  )
}).annotate({ identifier: "NewKey" })
export type NewKey = typeof NewKey.Type

/** The longest time for which a replaced key may go on working: a week. */
export const MaxOverlapSeconds = 604_800

export const Rotation = Schema.Struct({
  overlap_seconds: maybe(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: MaxOverlapSeconds })),
    "How long the replaced key goes on working, in seconds; by default `KEY_OVERLAP_SECONDS` of the server, which is a day unless configured."
  ),
  key_id: maybe(
    Label,
    "The key to replace, for the administrator: required if the scope has several. A key replaces itself."
  )
}).annotate({ identifier: "Rotation" })
export type Rotation = typeof Rotation.Type

export const Rotated = Schema.Struct({
  api_key: ApiKeyText,
  scope: ScopeName,
  id: KeyId,
  name: Schema.String.pipe(describe("The purpose of the key: the name of the key that it replaces.")),
  previous_expires_at: Time.pipe(describe("When the replaced key expires."))
}).annotate({ identifier: "Rotated" })
export type Rotated = typeof Rotated.Type

export class KeyNotFound extends TaggedError<KeyNotFound>()(
  "KeyNotFound",
  { error: ErrorText, id: Schema.NullOr(Schema.String).pipe(describe("The id asked for, if one was.")) },
  { httpApiStatus: 404, description: "The scope has no such key, or none at all." }
) {
  static readonly of = (id: string) =>
    new KeyNotFound({ error: `Key ${id} not found in this scope. List the scope's keys for their ids.`, id })
  static readonly none = () =>
    new KeyNotFound({ error: "No API key found for this scope. Issue one instead of rotating.", id: null })
}

/** How many keys an error names. */
export const MaxNamedKeys = 20

export class KeyAmbiguous extends TaggedError<KeyAmbiguous>()(
  "KeyAmbiguous",
  {
    error: ErrorText,
    ids: Schema.Array(Schema.String).pipe(describe(`The keys of the scope, ${MaxNamedKeys} of them at most.`))
  },
  { httpApiStatus: 409, description: "The scope has several keys, and the request does not say which to replace." }
) {
  static readonly of = (ids: ReadonlyArray<string>, total: number) =>
    new KeyAmbiguous({
      error: `The scope has ${total} keys. Say which to replace with key_id, or issue another one and revoke it.`,
      ids
    })
}

export class KeyExpired extends TaggedError<KeyExpired>()(
  "KeyExpired",
  { error: ErrorText, expires_at: Time },
  { httpApiStatus: 400, description: "The requested key would never be valid." }
) {
  static readonly of = (expires_at: KeyExpired["expires_at"]) =>
    new KeyExpired({ error: "expires_at is in the past. Give an instant to come, or none.", expires_at })
}
