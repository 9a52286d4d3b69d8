/** Faults in what a call states about the task it is made for: the token of its lease, and its version. */
import type { Fault } from "../Fault.ts"

export const fencing: ReadonlyArray<Fault> = [
  {
    name: "no-fence",
    breaks: "A call with a token that is not the lease's changes nothing.",
    symbol: "Move.fenced",
    find: "(coalesce(fencing_token, lapsed_token) = :token OR",
    replace: "(:token IS NOT NULL OR"
  },
  {
    name: "fence-passes-older",
    breaks: "A call with an older token changes nothing.",
    symbol: "Move.fenced",
    find: "coalesce(fencing_token, lapsed_token) = :token",
    replace: "coalesce(fencing_token, lapsed_token) >= :token"
  },
  {
    name: "patch-passes-older",
    breaks: "A PATCH or a change of dependencies with an older token changes nothing.",
    symbol: "fenceProblem",
    find: ": token === (fencing_token ?? lapsed_token)",
    replace: ": token <= (fencing_token ?? lapsed_token ?? 0)"
  },
  {
    name: "work-moves-unheld",
    breaks: "A key of the rank `work` moves only what its caller holds.",
    symbol: "Fence.movesOnlyHeld",
    find: "rank === \"work\"",
    replace: "rank === \"read\""
  },
  {
    name: "push-after-expiry",
    breaks: "The answer about a token does not turn from no to yes when an expired lease is taken back.",
    symbol: "Push.survives",
    find: "task.queue === \"claimed\" &&",
    replace: "task.queue !== \"claimed\" &&"
  },
  {
    name: "push-of-anyone",
    breaks: "Only the token of the present lease, or of an expired one that nobody has superseded, may push.",
    symbol: "Push.pushOf",
    find: "token === task.fencing_token ?",
    replace: "task.fencing_token !== null ?"
  },
  {
    name: "renewal-ignores-token",
    breaks: "Only the holder renews a lease, by its token.",
    step: "renewed",
    find: "+claimed_by IS NOT NULL AND fencing_token = asked.value ->> 'token'",
    replace: "+claimed_by IS NOT NULL"
  },
  {
    name: "reattach-without-token",
    breaks: "Only the last holder gets an expired lease back.",
    symbol: "lease/Renewal.lapsed",
    find: "tasks.lapsed_token = asked.value ->> 'token'",
    replace: "tasks.lapsed_token IS NOT NULL"
  },
  {
    name: "lapse-outlives-move",
    breaks: "The last holder does not get a task back that was moved since its lease expired.",
    step: "moved",
    find: "lapsed_token = NULL, claimed_by = NULL,",
    replace: "claimed_by = NULL,"
  },
  {
    name: "lapse-outlives-cancel",
    breaks: "The last holder does not get a task back that was cancelled since its lease expired.",
    file: "src/services/task/change/cancel.ts",
    find: "available_at = NULL, lapsed_token = NULL, failure_reason",
    replace: "available_at = NULL, failure_reason"
  },
  {
    name: "token-not-raised",
    breaks: "The token rises with every grant.",
    step: "granted",
    find: "grants = max(grants, coalesce((SELECT token FROM fencing_floor WHERE id = 1), 0)) + 1",
    replace: "grants = max(grants, 1)"
  },
  {
    name: "token-forgets-deleted",
    breaks: "The token keeps rising when a task is created again under the id of a deleted one.",
    symbol: "create.inserted",
    find: "nextToken(lastOf(\"grants\")) : lastOf(\"grants\")",
    replace: "nextToken(\"0\") : \"0\""
  },
  {
    name: "expected-version-ignored",
    breaks: "The server refuses a move that states another version than the task's.",
    symbol: "Move.named",
    find: "(:version IS NULL OR version = :version)",
    replace: "(:version IS NULL OR :version > 0)"
  },
  {
    name: "patch-passes-older-version",
    breaks: "The server refuses a PATCH that states an older version than the task's.",
    symbol: "expectationProblem",
    find: "typeof version === \"number\" && version !== task.version",
    replace: "typeof version === \"number\" && version > task.version"
  }
]
