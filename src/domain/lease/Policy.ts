/** What the server's configuration says about tasks that are given up. */
import type { Backoff } from "./Backoff.ts"
import type { Limits } from "./Budget.ts"

export interface Policy {
  /** How often each may happen to a task that does not say. */
  readonly limits: Limits
  /** How long a task waits after it was given up. */
  readonly backoff: Backoff
}
