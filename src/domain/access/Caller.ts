/** Who sends a request, which scopes it reaches, and how it is refused. */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "../Encoding.ts"
import type { ScopeName } from "../Identifier.ts"
import { TaggedError } from "../TaggedError.ts"
import { DefaultRank, type Rank } from "./Rank.ts"

/** Who sends the request. */
export class Caller extends Context.Service<
  Caller,
  /** A caller without a key, on an open server. */
  | { readonly kind: "anonymous" }
  /** A caller that sent the server's secret. It reaches every scope, and manages the keys of all. */
  | { readonly kind: "administrator" }
  /** A caller that sent the key of a scope. It reaches nothing outside that scope, and does only what its rank may. */
  | {
    readonly kind: "key"
    readonly scope: ScopeName
    readonly id: string
    readonly name: string
    readonly rank: Rank
  }
>()("octopoid-server/domain/Caller") {}

/** The name of a caller in records and logs: the id of its key, or its kind. */
export const callerName = (caller: Caller["Service"]): string => caller.kind === "key" ? caller.id : caller.kind

export class Unauthorized extends TaggedError<Unauthorized>()(
  "Unauthorized",
  { error: ErrorText },
  { httpApiStatus: 401, description: "The request carries no key, or one that is not valid." }
) {
  static readonly missing = () =>
    new Unauthorized({ error: "Authentication required. Send your API key as a bearer token." })
  static readonly notBearer = () =>
    new Unauthorized({ error: "Invalid Authorization header. Expected: Bearer <api_key>" })
  static readonly notKey = () => new Unauthorized({ error: "Invalid API key format. Keys must start with oct_" })
  /** Unknown, revoked and expired keys get the same answer. */
  static readonly invalid = () => new Unauthorized({ error: "Invalid API key. Ask the administrator for a new one." })
  static readonly nothingToRotate = () =>
    new Unauthorized({
      error: "Authentication required. Provide your current API key in the Authorization header."
    })
}

export class ScopeMismatch extends TaggedError<ScopeMismatch>()(
  "ScopeMismatch",
  {
    error: ErrorText,
    scope: Schema.String.pipe(describe("The scope of the key.")),
    requested: Schema.String.pipe(describe("The scope the request names."))
  },
  { httpApiStatus: 403, description: "The request names another scope than the one of its key." }
) {
  static readonly of = (scope: string, requested: string) =>
    new ScopeMismatch({
      error: `Scope mismatch: authenticated as "${scope}" but requested "${requested}"`,
      scope,
      requested
    })
  static readonly rotating = (scope: string, requested: string) =>
    new ScopeMismatch({
      error: `Scope mismatch: authenticated as "${scope}" but rotating key for "${requested}"`,
      scope,
      requested
    })
}

export class AdministratorRequired extends TaggedError<AdministratorRequired>()(
  "AdministratorRequired",
  { error: ErrorText },
  { httpApiStatus: 403, description: "Only the administrator may do this: the caller with the server's secret." }
) {
  static readonly of = (what: string) =>
    new AdministratorRequired({
      error: `Only the administrator may ${what}. Ask the administrator.`
    })
}

export class TooManyFailures extends TaggedError<TooManyFailures>()(
  "TooManyFailures",
  {
    error: ErrorText,
    retry_after_seconds: Schema.Int.pipe(describe("When to try again; also the `Retry-After` header."))
  },
  { httpApiStatus: 429, description: "Too many invalid keys came from this address." }
) {
  static readonly of = (retry_after_seconds: number) =>
    new TooManyFailures({
      error:
        `Too many different keys from your address, not only yours, were not valid. Try again in ${retry_after_seconds} s.`,
      retry_after_seconds
    })
}

export interface Actor {
  /** The name for the history of requests that name no actor. */
  readonly name: string | null
  /**
   * The only scope that the caller reaches, or undefined if it reaches all. The records it refers to have to be in that
   * scope.
   */
  readonly scope: ScopeName | undefined
  /** The rank of its key. A caller without a key has no limits within its reach. */
  readonly rank: Rank
}

export const CurrentActor = Context.Reference<Actor>("octopoid-server/domain/CurrentActor", {
  defaultValue: () => ({ name: null, scope: undefined, rank: DefaultRank })
})
