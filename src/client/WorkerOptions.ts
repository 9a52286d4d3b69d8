/** The options of a worker. */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as client from "../client.ts"
import type { Attempt, Stop } from "./call/Attempt.ts"

export interface WorkerOptions<in E = never> {
  /** The server: its address (requests then use the platform's `fetch`), or a client. */
  readonly client: client.Client | client.Options
  /** The registration of the machine: `cluster`, `machine_id` and further fields. */
  readonly machine: client.Registration
  /**
   * The name in `claimed_by`. No other worker of the machine may use it: `resume` finds the tasks of this worker by it.
   * Random by default.
   */
  readonly agentName?: string | undefined
  /** The queue to claim from. The default is that of the first role, or `incoming`. */
  readonly queue?: string | undefined
  /** Only tasks of these roles. */
  readonly roles?: ReadonlyArray<string> | undefined
  /** Only tasks of these types. */
  readonly types?: ReadonlyArray<string> | undefined
  /** The account with a provider that the agents work with. While it is parked, nothing is claimed. */
  readonly account?: string | undefined
  /** How many tasks the worker works on at once, from 1 to 200. The default is 1. */
  readonly concurrency?: number | undefined
  /** The length of a lease. The default is that of the server. */
  readonly leaseSeconds?: number | undefined
  /** The limit of an attempt, however often its lease is renewed. The default is that of the task or the server. */
  readonly maxAttemptSeconds?: number | undefined
  /**
   * How long a claim waits at the server for a task, where the server offers that and the worker has no WebSocket: from
   * 0 to 20 seconds. The default is 20. A claim that waits gets a task at once, and keeps a Durable Object in memory
   * meanwhile.
   */
  readonly waitSeconds?: number | undefined
  /**
   * Whether the worker waits for work on a WebSocket, where the server and the platform have one (Node from 22 on). The
   * default is `true`. It needs the address of the server: a worker that is given a client cannot open one.
   */
  readonly push?: boolean | undefined
  /** How long handlers may go on after the worker is interrupted, before they are interrupted too. The default is 0. */
  readonly grace?: Duration.Input | undefined
  /**
   * What happens to a task whose handler failed: `fail` fails it; `retry` requeues it as a spent attempt, and its
   * budgets and backoff decide; `terminal` fails it for a reason that no retry mends. The default is `fail`. A failed
   * review is always released.
   */
  readonly onFailure?: ((cause: Cause.Cause<E>, attempt: Attempt) => "fail" | "retry" | "terminal") | undefined
  /** Runs after a lease was lost and its handler has stopped. Nothing is submitted for it. */
  readonly onLost?:
    | ((lost: Extract<Stop, { readonly why: "lost" }>, attempt: Attempt) => Effect.Effect<void>)
    | undefined
  /** Runs after the registration. The answer to the first registration of a scope contains its first key. */
  readonly onRegistered?: ((registered: client.Registered) => Effect.Effect<void>) | undefined
  /**
   * Where results are saved before they are handed in. Only this worker may use the store. If a store on disk holds
   * results when the worker starts, they are handed in. The default is memory: then a crash loses results that were not
   * handed in.
   */
  readonly outbox?: KeyValueStore.KeyValueStore | undefined
  /**
   * Whether to go on with tasks that a worker of this `agentName` held before, for example after a crash. The worker
   * watches these leases for 75 seconds first. If one is renewed, the other process still runs, and this one ends with
   * `AgentNameTaken`.
   */
  readonly resume?: boolean | undefined
  /** `idle`: the worker ends when it has no task and finds none. By default it does not end by itself. */
  readonly until?: "idle" | undefined
}
