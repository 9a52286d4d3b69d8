/** A request that has to name a scope, and does not. */
import { ErrorText } from "./Encoding.ts"
import { TaggedError } from "./TaggedError.ts"

export class ScopeRequired extends TaggedError<ScopeRequired>()(
  "ScopeRequired",
  { error: ErrorText },
  {
    httpApiStatus: 400,
    description:
      "The request names no scope: the server is configured to require one, or several scopes have what it asks for."
  }
) {
  /** A record is named by its name alone, and that is not enough. */
  static readonly several = (kind: string, name: string) =>
    new ScopeRequired({
      error: `Missing required query parameter: scope. Several scopes have a ${kind} named ${name}: say which is meant.`
    })
}
