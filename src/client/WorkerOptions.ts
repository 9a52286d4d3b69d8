/** How a worker is set up. */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as client from "../client.ts"
import type { Attempt, Stop } from "./call/Attempt.ts"

export interface WorkerOptions<in E = never> {
  /** The server, by where it is (it is then called with the platform's `fetch`) or by a client of it. */
  readonly client: client.Client | client.Options
  /** The machine, as it registers: `cluster` and `machine_id`, and what else there is to say about it. */
  readonly machine: client.Registration
  /**
   * The name in `claimed_by`. No other worker of the machine may go by it: with `resume` it tells which tasks are this one's.
   * One of its own unless given.
   */
  readonly agentName?: string | undefined
  /** The queue to claim from; the one of the first role, or `incoming`, unless given. */
  readonly queue?: string | undefined
  /** Only tasks of these roles. */
  readonly roles?: ReadonlyArray<string> | undefined
  /** Only tasks of these types. */
  readonly types?: ReadonlyArray<string> | undefined
  /** How many tasks it works on at once, from 1 to 200; one unless given. */
  readonly concurrency?: number | undefined
  /** How long a lease lasts unless it is renewed; the server's default unless given. */
  readonly leaseSeconds?: number | undefined
  /** How long an attempt may take, however often its lease is renewed; what the task or the server says unless given. */
  readonly maxAttemptSeconds?: number | undefined
  /** How long handlers may go on when the worker is interrupted, before they are too; not at all unless given. */
  readonly grace?: Duration.Input | undefined
  /**
   * What becomes of a task whose handler failed: `fail` gives it up, `retry` puts it back as an attempt that was spent,
   * and the server's budgets and backoff decide. `fail` unless given. A review that fails is always only given back.
   */
  readonly onFailure?: ((cause: Cause.Cause<E>, attempt: Attempt) => "fail" | "retry") | undefined
  /** Runs when a lease was lost and its handler has stopped. Nothing is submitted for it. */
  readonly onLost?:
    | ((lost: Extract<Stop, { readonly why: "lost" }>, attempt: Attempt) => Effect.Effect<void>)
    | undefined
  /** Runs when the machine was registered: the first registration of a scope is answered with its first key. */
  readonly onRegistered?: ((registered: client.Registered) => Effect.Effect<void>) | undefined
  /**
   * Where results are written down before they are handed in, of this worker alone. What a store on disk holds when the worker
   * starts is handed in then. In memory unless given: then a crash loses what was not handed in.
   */
  readonly outbox?: KeyValueStore.KeyValueStore | undefined
  /**
   * Whether to take up again what a worker of this `agentName` holds since before, as after a crash. It watches these leases for
   * 75 seconds first: if somebody renews one, the other process is still there, and this one ends with `AgentNameTaken`.
   */
  readonly resume?: boolean | undefined
  /** `idle`: ends when there is nothing to claim and nothing under way. It never ends by itself unless given. */
  readonly until?: "idle" | undefined
}
