/** What may be done to the server: the commands that random sequences are made of. */
import * as Schema from "effect/Schema"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const OnFailure = Schema.Literals(["wait", "skip", "fail"])
// Some are met more often than others, so that more happens to the same task.
const Id = Schema.Literals(["a", "a", "b", "b", "c", "d"])
const Agent = Schema.Literals(["ann", "bob"])
const Role = Schema.NullOr(Schema.Literals(["build", "review"]))
const ScopeOf = Schema.Literals(["red", "blue"])

const Create = Schema.TaggedStruct("Create", {
  id: Id,
  scope: ScopeOf,
  role: Role,
  priority: Schema.Literals(["P0", "P1", "P2", "P10"]),
  blockers: Schema.Array(Id).check(Schema.isMaxLength(2)),
  onFailure: OnFailure,
  /** What makes it fail when it happens for the first or the second time. */
  budget: Schema.NullOr(Schema.Literals(["attempts", "losses", "rejections"])),
  limit: Schema.Literals([1, 2]),
  hasty: Schema.Boolean,
  /** Whether it belongs to a project that requires evidence, if its scope has one. */
  ofProject: Schema.Literals([true, false, false]),
  /** How many tokens may be used for it. */
  cap: Schema.NullOr(Schema.Literals([5, 50])),
  /** Whether the other scope asks for a task under the same id in the same millisecond, with an input that is refused. */
  twin: Schema.Boolean,
  /** Whether a search finds more in it than its id and its title. */
  telling: Schema.Literals([true, true, false]),
  /** Whether it is made by the promotion of a draft. */
  promoted: Schema.Literals([false, false, true])
})
const Claim = Schema.TaggedStruct("Claim", {
  scope: ScopeOf,
  agent: Agent,
  roles: Schema.Array(Schema.Literals(["build", "review"])).check(Schema.isMaxLength(2)),
  /** How many tasks its machine may hold. */
  most: Schema.Literals([1, 2, 9, 9, 9]),
  /** The account that it names. */
  account: Schema.NullOr(Schema.Literals(["x", "y"]))
})
const Lapse = Schema.TaggedStruct("Lapse", { early: Schema.Literals([true, false, false]) })
/** What a result names besides: nothing, evidence, or a new commit and perhaps evidence of it. */
const Shows = Schema.Literals(["nothing", "evidence", "commit", "both"])
/** An agent renews the lease of its task as late as that may be: when it ends, or after the server took it back. */
const Late = Schema.TaggedStruct("Late", {
  id: Id,
  reaped: Schema.Boolean,
  off: Schema.Literals([-1, 0, 0, 1])
})
const Redrive = Schema.TaggedStruct("Redrive", { id: Id, terminal: Schema.Literals([true, true, false]) })
const Requeue = Schema.TaggedStruct("Requeue", { id: Id })
/** Some searches, one after the other. Some of them name an id, a path or an external key exactly. */
const searching = {
  texts: Schema.Literals(["a x fix/", "B b MD", "main TASK-a.md 00", "c.md D task- _ *"]),
  sort: Schema.Literals(["created_at", "priority"]),
  queues: Schema.Literals(["", "", "incoming", "claimed,provisional,failed"]),
  limit: Schema.Literals([1, 3, 50])
}
// What keeps tasks going is more frequent than what ends them, or most sequences would end with nothing left to do.
const driving = [
  Create,
  Create,
  Claim,
  Claim,
  Claim,
  Claim,
  Lapse,
  Lapse,
  Late,
  Late,
  Redrive,
  Redrive,
  Requeue,
  Requeue
] as const

export const Command = Schema.Union([
  ...driving,
  Schema.TaggedStruct("Review", { scope: ScopeOf, agent: Agent }),
  Schema.TaggedStruct("Continue", { scope: ScopeOf, agent: Agent }),
  Schema.TaggedStruct("Test", { agent: Agent }),
  Schema.TaggedStruct("Submit", { id: Id, turns: between(0, 120), fenced: Schema.Boolean, shows: Shows }),
  Schema.TaggedStruct("Accept", { id: Id }),
  Schema.TaggedStruct("Reject", { id: Id }),
  Schema.TaggedStruct("Move", {
    id: Id,
    queue: Schema.Literals([
      "incoming",
      "claimed",
      "provisional",
      "failed",
      "cancelled",
      "needs_continuation",
      "requires-intervention",
      "testing",
      "done",
      "done"
    ])
  }),
  Schema.TaggedStruct("Fail", { id: Id, terminal: Schema.Literals([true, false]) }),
  Schema.TaggedStruct("Force", {
    id: Id,
    queue: Schema.Literals(["incoming", "claimed", "provisional", "done", "failed", "requires-intervention"])
  }),
  Schema.TaggedStruct("Assign", { id: Id, agent: Schema.NullOr(Agent) }),
  Schema.TaggedStruct("Block", { id: Id, blockers: Schema.Array(Id).check(Schema.isMaxLength(2)) }),
  Schema.TaggedStruct("Depend", { id: Id, blocker: Id, onFailure: OnFailure }),
  Schema.TaggedStruct("Undepend", { id: Id, blocker: Id }),
  Schema.TaggedStruct("Retitle", { id: Id, title: Schema.Literals(["x", "y"]) }),
  Schema.TaggedStruct("Bulk", {
    action: Schema.Literals(["Accept", "Reject", "Requeue", "Release", "Cancel", "Redrive", "Delete"]),
    ids: Schema.Array(Id).check(Schema.isMaxLength(4)),
    /** Whether it is only said what would be done. */
    dry: Schema.Literals([true, false, false])
  }),
  Schema.TaggedStruct("StaleVersion", { id: Id }),
  Schema.TaggedStruct("StaleToken", { id: Id, off: Schema.Literals([-1, 1]) }),
  Schema.TaggedStruct("WrongScope", { id: Id, scope: ScopeOf }),
  Schema.TaggedStruct("Delete", { id: Id }),
  Schema.TaggedStruct("Wait", { seconds: Schema.Literals([1, 30, 60, 300]) }),
  Schema.TaggedStruct("Reap", {}),
  Schema.TaggedStruct("Renew", { id: Id, off: Schema.Literals([-1, 0, 0, 0, 1]), noted: Schema.Boolean }),
  Schema.TaggedStruct("RenewAll", {}),
  /** An operator sets or lifts a cap. */
  Schema.TaggedStruct("Cap", {
    of: Schema.Literals(["red", "blue", "project"]),
    tokens: Schema.NullOr(Schema.Literals([1, 10, 40]))
  }),
  /** An operator sets a breaker or turns it off, or closes it. */
  Schema.TaggedStruct("Breaker", {
    of: Schema.Literals(["red", "blue", "project"]),
    on: Schema.Literals([true, true, true, false])
  }),
  Schema.TaggedStruct("CloseBreaker", { of: Schema.Literals(["red", "blue", "project"]) }),
  Schema.TaggedStruct("Repeat", { back: Schema.Literals([0, 1, 4]) }),
  Schema.TaggedStruct("Cancel", { id: Id }),
  Schema.TaggedStruct("Release", { id: Id }),
  Schema.TaggedStruct("Ask", { id: Id, off: Schema.Literals([-1, 0, 0, 0]) }),
  Schema.TaggedStruct("Answer", { id: Id }),
  Schema.TaggedStruct("Park", {
    id: Id,
    account: Schema.Literals(["x", "y"]),
    seconds: Schema.Literals([0, 30, 300]),
    off: Schema.Literals([-1, 0, 0, 0])
  }),
  Schema.TaggedStruct("Heartbeat", {}),
  /** The cron runs, at once or in the next minute in which it looks for tasks that no machine will claim. */
  Schema.TaggedStruct("Cron", { waits: Schema.Literals([true, true, false]) }),
  /** A machine registers the roles of its agents, and those that are left out are deleted. */
  Schema.TaggedStruct("Roles", { names: Schema.Literals(["none", "build", "build,review"]) }),
  Schema.TaggedStruct("TakeBack", { id: Id }),
  Schema.TaggedStruct("CompleteHook", { id: Id, fenced: Schema.Boolean }),
  Schema.TaggedStruct("Look", { scope: ScopeOf }),
  Schema.TaggedStruct("Search", {
    scope: ScopeOf,
    ...searching
  }),
  Schema.TaggedStruct("Retain", { kind: Schema.Literals(["history", "tasks"]) }),
  Schema.TaggedStruct("Outage", { lost: Schema.Literals(["request", "answer"]), after: Schema.Literals([0, 1]) })
])
export type Command = typeof Command.Type

/**
 * A start with work waiting, so that no sequence spends itself on an empty queue: four tasks, a second apart. In half of
 * them two of the tasks wait for the others.
 */
export const Start = Schema.Struct({
  priorities: Schema.Array(Schema.Literals(["P0", "P1", "P2", "P10"])).check(
    Schema.isMinLength(4),
    Schema.isMaxLength(4)
  ),
  chained: Schema.NullOr(OnFailure),
  /** Whether a task gets a blocker while it is held, and the blocker then fails. */
  overtaken: Schema.Boolean,
  /** Whether all are in one scope, where one is reviewed and another was given by hand when there is room for one more. */
  crowded: Schema.Boolean,
  /** Whether breakers watch the scope red, where two tasks fail alike and come back. */
  watched: Schema.Literals([true, false, false]),
  /** Whether no machine will claim some of the tasks, and the cron says so. */
  idle: Schema.Literals([true, false, false]),
  /** What is searched for then. */
  search: Schema.Struct({ scope: ScopeOf, ...searching }),
  /** Where each of them is put then. */
  places: Schema.Array(Schema.Literals(["incoming", "incoming", "provisional", "needs_continuation", "testing"])).check(
    Schema.isMinLength(4),
    Schema.isMaxLength(4)
  )
})
const budgets = ["losses", "attempts", "rejections", null] as const
const overtaking: ReadonlyArray<Command> = [
  { _tag: "Assign", id: "b", agent: "ann" },
  { _tag: "Depend", id: "b", blocker: "d", onFailure: "fail" },
  { _tag: "Fail", id: "d", terminal: false }
]
const crowding: ReadonlyArray<Command> = [
  { _tag: "Move", id: "b", queue: "provisional" },
  { _tag: "Review", scope: "red", agent: "ann" },
  { _tag: "Assign", id: "d", agent: "bob" },
  { _tag: "Claim", scope: "red", agent: "ann", roles: [], most: 1, account: null }
]
const failing: ReadonlyArray<Command> = [
  { _tag: "Breaker", of: "red", on: true },
  { _tag: "Breaker", of: "project", on: true },
  { _tag: "Claim", scope: "red", agent: "ann", roles: [], most: 9, account: null },
  { _tag: "Claim", scope: "red", agent: "bob", roles: [], most: 9, account: null },
  { _tag: "Fail", id: "d", terminal: false },
  { _tag: "CloseBreaker", of: "red" },
  { _tag: "Fail", id: "b", terminal: false },
  { _tag: "Redrive", id: "d", terminal: true },
  { _tag: "Redrive", id: "b", terminal: true },
  { _tag: "Wait", seconds: 30 }
]
// In red, only the role `review` is unknown at first; later the machine is silent too. The cron reports a task later if
// the task has changed. It reports nothing in blue until the lease of the agent there has expired.
const idling: ReadonlyArray<Command> = [
  { _tag: "Roles", names: "build" },
  { _tag: "Cron", waits: true },
  { _tag: "Cron", waits: true },
  { _tag: "Retitle", id: "b", title: "x" },
  { _tag: "Retitle", id: "d", title: "x" },
  { _tag: "Claim", scope: "blue", agent: "ann", roles: [], most: 9, account: null },
  { _tag: "Cron", waits: false },
  { _tag: "Roles", names: "none" },
  { _tag: "Cron", waits: true }
]
export const begin = (
  { chained, crowded, idle, overtaken, places, priorities, search, watched }: typeof Start.Type
): ReadonlyArray<Command> => [
  ...(["d", "b", "a", "c"] as const).flatMap((id, i): ReadonlyArray<Command> => [
    {
      _tag: "Create",
      id,
      scope: i < 2 || (crowded && !idle) ? "red" : "blue",
      role: i % 2 === 0 ? "build" : "review",
      priority: priorities[i]!,
      blockers: chained === null || i % 2 === 0 ? [] : [id === "b" ? "d" : "a"],
      onFailure: chained ?? "wait",
      budget: budgets[i]!,
      limit: i === 0 ? 1 : 2,
      hasty: i === 1 || i === 2,
      ofProject: i === 0,
      cap: null,
      twin: i > 1,
      telling: i !== 2,
      promoted: i === 1
    },
    { _tag: "Wait", seconds: 1 },
    { _tag: "Move", id, queue: watched || idle ? "incoming" : places[i]! }
  ]),
  ...(watched ? failing : idle ? idling : crowded ? crowding : overtaken && chained === null ? overtaking : []),
  { _tag: "Search", ...search }
]
