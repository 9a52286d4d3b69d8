/** Faults in what stops work: terminal failures, caps on review rounds, questions that hold a task, and parked accounts. */
import type { Fault } from "../Fault.ts"

export const stops: ReadonlyArray<Fault> = [
  {
    name: "terminal-redriven",
    breaks: "A failure that no retry mends is redriven only by a request that says so.",
    symbol: "Move.redrivable",
    find: "AND (:terminal OR NOT terminal OR queue <> 'failed')",
    replace: "AND (:terminal OR NOT terminal OR queue = 'failed')"
  },
  {
    name: "terminal-stays",
    breaks: "A task that leaves `failed` by a PATCH is no terminal failure any more.",
    symbol: "LeasePatch.endColumns",
    find: "queue !== \"failed\" ? { terminal: 0 } : {}",
    replace: "queue !== \"failed\" ? {} : {}"
  },
  {
    name: "review-rounds-ignored",
    breaks: "The cap of a project on review rounds fails a task, if it is shorter than the limit of the task.",
    symbol: "Move.byProject",
    find: "coalesce(${own} > rounds, rounds IS NOT NULL)",
    replace: "coalesce(${own} < rounds, rounds IS NOT NULL)"
  },
  {
    name: "question-holds-nothing",
    breaks: "Nobody may claim a task that waits for a reply.",
    symbol: "sql/task/Move.changed",
    find: "NULL, ${Never})`",
    replace: "NULL, NULL)`"
  },
  {
    name: "question-without-lease",
    breaks: "Only the holder of a task may hold it with a question.",
    step: "sent",
    find: "FROM planned WHERE id = :id RETURNING *",
    replace: "FROM tasks WHERE id = :id RETURNING *"
  },
  {
    name: "reply-frees-twice",
    breaks: "A reply frees only the task that waits for it.",
    step: "answered",
    find: "AND waiting_for_reply = :parent_message_id",
    replace: "AND question_id = :parent_message_id"
  },
  {
    name: "answers-pile-up",
    breaks: "A task keeps its latest answers only.",
    step: "freed",
    find: "json_remove(answers, '$[0]')",
    replace: "answers"
  },
  {
    name: "parked-account-claims",
    breaks: "A claim that names a parked account gets nothing.",
    symbol: "Claim.make",
    find: " AND ${Parked.mayClaim}",
    replace: ""
  },
  {
    name: "parked-for-ever",
    breaks: "A parked account may claim when its time is over.",
    symbol: "Parked.isParked",
    find: "AND until > :now",
    replace: "AND until > 0"
  },
  {
    name: "parked-without-lease",
    breaks: "Only the holder of a task may park an account.",
    step: "parked",
    find: "FROM planned CROSS JOIN tasks ON tasks.id = planned.id WHERE planned.id = :id",
    replace: "FROM tasks WHERE tasks.id = :id"
  },
  {
    name: "park-shortened",
    breaks: "A later request never shortens the time for which an account is parked.",
    step: "parked",
    find: "WHERE excluded.until > parked_accounts.until",
    replace: ""
  },
  {
    name: "park-of-the-past",
    breaks: "A time that is over parks nothing.",
    step: "parked",
    find: "AND :until > :now",
    replace: ""
  },
  {
    name: "parks-without-limit",
    breaks: "A scope has a limited number of parked accounts.",
    symbol: "Move.parkable",
    find: "AND ${Parked.mayPark}",
    replace: ""
  },
  {
    name: "unparks-every-account",
    breaks: "An operator unparks one account.",
    symbol: "Parked.ended",
    find: "AND account = :account AND until",
    replace: "AND until"
  },
  {
    name: "overview-keeps-parks",
    breaks: "The overview is no 304 after an account was unparked.",
    symbol: "feed/Overview.revision",
    find: "json_group_array(account || ' ' || until)",
    replace: "NULL"
  },
  {
    name: "question-without-parent",
    breaks: "A question with `hold` that names a parent is refused.",
    symbol: "record/question.make",
    find: "if (question.parent_message_id) return yield* InvalidQuestion.parent()",
    replace: ""
  },
  {
    name: "handler-asks-in-vain",
    breaks: "A handler that asks a question ends its attempt with it.",
    symbol: "client/work.conclude",
    find: "stop?.why === \"ask\" || stop?.why === \"park\"",
    replace: "stop?.why === \"park\""
  },
  {
    name: "handler-parks-in-vain",
    breaks: "A handler that parks its account ends its attempt with that.",
    symbol: "client/work.conclude",
    find: "stop?.why === \"ask\" || stop?.why === \"park\"",
    replace: "stop?.why === \"ask\""
  },
  {
    name: "breaker-counts-every-failure",
    breaks: "Only failures that are alike open a breaker.",
    symbol: "Breakers.alike",
    find: "value ->> 0 = :fingerprint AND",
    replace: ""
  },
  {
    name: "breaker-counts-a-task-twice",
    breaks: "Each task counts once for a breaker.",
    symbol: "Breakers.remembered",
    find: "AND (key = json_array_length(failures) OR NOT (value ->> 0 = :fingerprint AND value ->> 1 = :id))",
    replace: ""
  },
  {
    name: "breaker-counts-what-nobody-held",
    breaks: "Only the failure of a held task counts for a breaker.",
    view: "watching",
    find: "AND claimed_by IS NOT NULL",
    replace: ""
  },
  {
    name: "breaker-stops-nothing",
    breaks: "Nothing is claimed in a scope whose breaker is open.",
    view: "open_breakers",
    find: "iif(half_open, 9007199254740991, retry_at)",
    replace: "0"
  },
  {
    name: "second-canary",
    breaks: "One canary is claimed at a time.",
    view: "open_breakers",
    find: "iif(half_open, 9007199254740991, retry_at)",
    replace: "retry_at"
  },
  {
    name: "canary-by-task",
    breaks: "A breaker closes only by the lease that was granted as its canary.",
    view: "closing",
    find: "AND tasks.grants = own.canary_token",
    replace: ""
  },
  {
    name: "failed-canary-closes",
    breaks: "A breaker stays open if its canary fails, and waits longer.",
    view: "watching",
    find: "canary_task IS tasks.id AND canary_token IS tasks.grants",
    replace: "0"
  },
  {
    name: "unclaimable-each-look",
    breaks: "A task that no machine will claim is reported once.",
    symbol: "Unclaimable.found",
    find: "AND newest.event <> 'unclaimable'",
    replace: ""
  },
  {
    name: "unclaimable-with-a-machine",
    breaks: "No task is reported while a machine of the scope is active and knows its role.",
    symbol: "Unclaimable.heads",
    find: "WHERE status = 'active')",
    replace: "WHERE status = 'x')"
  }
]
