/** What `docs/schema.sql` says about each table, column, index and view. The order of the tables is that of the file. */

export interface TableWords {
  readonly about: string
  /** What the name of a column does not say. */
  readonly columns?: Readonly<Record<string, string>>
  /** The question that each index answers. */
  readonly indexes?: Readonly<Record<string, string>>
}

export const head = `The schema of the database as it is after all migrations.

Written by \`npm run schema -- --write\` from a migrated database. Wrangler does not apply this file: it applies \`migrations/\`.

Tables. \`tasks\` has the present state of each task: its queue, its lease and its counters. \`history\` has one row for each version
of each task, and outlives it. \`dependencies\` says which task waits for which. \`queue_counts\` has the counters that lists and polls
read. \`usage\` and \`usage_caps\` have what a scope used on each day, and may use. \`breakers\` stop claims. \`projects\`, \`orchestrators\`, \`roles\`, \`flows\`, \`messages\`, \`actions\` and \`drafts\` are records of clients. \`api_keys\` and
\`idempotency_keys\` belong to access and to repeated requests. \`webhooks\` and \`webhook_deliveries\` send the feed to others. \`d1_costs\`, \`sweeps\`, \`fencing_floor\` and \`schema_version\` belong to the server.

A change of a task is one batch of three steps: plan, apply, count. D1 carries a batch out whole or not at all.

  plan    \`recorded\` inserts the history row of the next version (tasks.version + 1), with \`from_queue\` and \`to_queue\`. Only this
          statement asks whether the change may be made. If it may not, it inserts nothing, and the next two change nothing.
  apply   the step with the name of the change (\`moved\`, \`granted\` and so on) reads the plan, sets the columns of the task, and raises its version to that of
          the plan.
  count   \`counted\` moves the counters of the scope and of the project, and the number of the scope's newest change.

Each history row has the next number of its scope's feed, \`seq\`. Until it is counted, it is above \`queue_counts.seq\`, and the view
\`plans\` has it. Until it is applied, its version is ahead of its task, and the view \`planned\` has it. After a batch both are empty. A batch
may plan changes of several tasks, such as those that fail with a blocker, and two changes of one task: first its lease expires, then it
fails. A create is the exception: it inserts the task first, and the view \`unrecorded\` finds the task whose first row is missing.

Rules that several statements need are views; they follow the tables. Invariants are CHECKs. There are no triggers.

Times are integers: milliseconds since 1970 in UTC. They are always parameters; no statement asks for the time. Structured values are
JSON text. Booleans are 0 or 1. A table with a text key has no rowid, because D1 bills each index entry as a written row.
\`scope\` is the tenant that a row belongs to.`

export const tables: Readonly<Record<string, TableWords>> = {
  tasks: {
    about:
      `A unit of work. It is in one queue at any time. A lease is not a queue: a task is leased while \`claimed_by\` is set. A worker's lease
has the queue \`claimed\`; under a review claim the task stays in its queue. Each task is in one of the indexes \`tasks_ready\`,
\`tasks_waiting\` and \`tasks_leased\`, so a move writes one entry.`,
    columns: {
      file_path: "The client's file for the task, usually `TASK-<id>.md`.",
      queue: "The state of the task.",
      version: "Rises by one with each change. History has a row for each version.",
      priority: "As the caller wrote it.",
      priority_rank: "The number of the priority (`domain/task/Priority.ts`). Claims sort by it.",
      role: "The role that may claim the task; null: any.",
      blocked_by: "The ids of its blockers that are not done, joined by commas; null if there are none.",
      claimed_by: "The agent that holds the lease; null if the task is not leased.",
      claimed_from: "The queue the task returns to when the lease expires.",
      orchestrator_id: "The machine that holds the lease.",
      lease_expires_at: "When the lease ends unless it is renewed.",
      grants: "How many leases were granted. The fencing token of the present lease is this number.",
      lapsed_token:
        "The token of a lease that expired, until the task is moved or granted again. Its holder may still submit.",
      attempt_count: "Attempts that ended without a result, lost leases included.",
      rejection_count: "How often a result was rejected.",
      lease_losses: "How many leases expired.",
      needs_intervention: "A person has to look at the task.",
      completed_at: "When the task became done.",
      pr_number: "From here to `needs_breakdown`: values that clients keep and the server only stores.",
      hooks: "The checks that clients run, with their outcomes: a JSON list.",
      flow: "The state machine that the task follows.",
      lane: "The role as a claim looks it up: '' without one.",
      intervention_from: "The queue the task was in before `requires-intervention`.",
      lease_seconds: "The length of the lease. A renewal that names none extends by as much.",
      max_attempt_seconds: "How long one attempt may take, renewals included.",
      deadline_at: "When the present attempt has to end.",
      cancel_requested_at: "When a cancellation of the held task was requested.",
      cancel_reason: "Why the task is or will be cancelled.",
      max_attempts: "Limits of this task; null: the server's default; 0: no limit.",
      failure_reason: "Why the task is in `failed`.",
      question_id: "The question that held the task last.",
      waiting_for_reply: "The question that the task waits for a reply to.",
      answers: "The latest questions and their answers, oldest first: a JSON list.",
      terminal: "The failure is terminal: no retry mends it. It is set while the task is in `failed`.",
      available_at:
        "The end of the backoff, or the year 9999 while the task waits for a reply. The first claim after it clears this.",
      external_key: "The id of the task in the client's own system.",
      checkpoint: "What the last holder wrote down for the next attempt: JSON.",
      setbacks:
        "The latest setbacks (rejections, requeues, failures, expired leases, missed deadlines), oldest first: a JSON list.",
      draft_id: "The draft that it was promoted from.",
      named_holder: "The `claimed_by` that a client gave a task in `failed` or `cancelled`, which has no lease.",
      loss_limit: "The limits in force when the present lease was granted; null: none.",
      bytes: "The size of those texts of the task that had no limit in earlier releases.",
      submitted_by: "The agent and the machine that held the lease when the last result was submitted.",
      session_url:
        "How a person gets into the session of an agent: of the one whose lease had the token `session_token`.",
      cost_usd: "What was used for it in all attempts: millionths of a dollar, tokens, milliseconds.",
      max_cost_usd: "Its caps, in the same units; null: none.",
      capped: "It has used as much as it may, and is not claimed.",
      by_project:
        "Whether `tasks_ready_by_project` has the task while it is ready: not in a scope where no project can be stopped.",
      head_commit: "The newest commit that a checkpoint or a result named. Evidence of other commits does not count.",
      evidence: "The evidence of the last result that had any: a JSON list."
    },
    indexes: {
      tasks_ready: "The tasks that a claim may take, in the order of claims.",
      tasks_ready_for: "The same for each role: one seek for each role that is asked for.",
      tasks_ready_by_project: "The same for each role and project: a claim looks past projects that are stopped.",
      tasks_waiting: "Tasks that wait for a blocker or a time, and tasks that are done.",
      tasks_leased: "The leases of a scope by their end, and those of a machine or a queue.",
      tasks_backing_off: "The tasks whose backoff may be over.",
      tasks_project: "The tasks of a project.",
      tasks_flagged: "The tasks that need a person.",
      tasks_external_key: "The tasks of an external key. At most one of them is open.",
      tasks_file_path: "Whether a path is taken. A path that is named after its task is found by the id."
    }
  },
  history: {
    about:
      "The record of changes: a row for each version of each task. It has no foreign key, because it outlives its task.",
    columns: {
      from_queue: "Null for a create.",
      to_queue: "Null for a deletion.",
      details: "What is particular to the event: JSON.",
      seq:
        "The number of the change in the feed of its scope, in the order of commits; null if it was recorded before there was a feed.",
      title: "The title of the task before the change.",
      project_id: "Its project before the change.",
      grants: "The value of `tasks.grants` then. A task that is created again under its old id continues from it."
    },
    indexes: {
      history_deleted: "The deleted tasks, for exports.",
      history_feed: "The feed of a scope.",
      history_failures: "What failed, and the leases that were lost, in the order of time."
    }
  },
  dependencies: {
    about:
      "A task waits for a blocker. The blocker is named as the caller named it and need not exist; `TASK-x` also means the task `x`.",
    columns: {
      blocker_key: "The id of the blocker without `TASK-`.",
      position: "The place in the caller's list.",
      satisfied_at: "When the blocker became done; null before.",
      on_failure: "What happens to the task if the blocker fails or is cancelled."
    },
    indexes: { dependencies_of: "What a task waits for." }
  },
  queue_counts: {
    about:
      `The counters of a scope in one row, so that lists and polls count nothing. A project has a row too, under char(31) and its id.`,
    columns: {
      counts: `How many tasks are in each queue, as {"incoming": 3}. A queue without tasks is left out.`,
      revision: "The revisions rise with each change of a list. A conditional read compares them (`sql/Revisions.ts`).",
      messages_total: "The totals are null until the cron has counted them.",
      leases_revision: "Rises with each renewal.",
      seq: "The number of the newest change in the feed of the scope. Without meaning in the row of a project.",
      events: `How often each event happened, as {"claimed": 3}. Empty in the row of a project, as the next column is.`,
      lives:
        "How many tasks became done in each of the last 24 hours: the slot `hour % 24` has the hour since 1970 and the number.",
      machines_revision: "Rises when a machine of the scope comes, goes, or has another status.",
      by_project:
        "Whether a project of the scope may be stopped, or could be before: `tasks_ready_by_project` has its tasks."
    },
    indexes: {
      queue_counts_uncounted: "The scopes whose totals are not counted yet.",
      queue_counts_by_project: "Whether a new task is in `tasks_ready_by_project`."
    }
  },
  d1_costs: {
    about:
      "What all requests and turns of the cron cost in D1. An isolate adds what it has counted once a minute at most (`services/feed/D1Costs.ts`)."
  },
  projects: {
    about: "A group of tasks that share a branch.",
    columns: {
      evidence_required: "The kinds of evidence that an accept of its tasks requires: a JSON list.",
      cost_usd: "What its tasks used: millionths of a dollar, tokens, milliseconds.",
      max_cost_usd: "Its caps, in the same units; null: none.",
      capped: "It has used as much as it may. No task of it is claimed.",
      max_review_rounds: "How often a result of one of its tasks may be rejected before the task fails; null: no limit."
    },
    indexes: {
      projects_newest: "The newest projects of a scope.",
      projects_capped: "The projects at a cap, for a claim that looks past their tasks."
    }
  },
  parked_accounts: {
    about: "The accounts with providers that get no task before a time, because they have reached a limit.",
    columns: {
      until: "When the limit is over. Parking another account forgets what is over.",
      task_id: "The task whose holder parked the account. It may be gone.",
      reason: "What the provider said: the beginning."
    }
  },
  usage: {
    about: "What a scope used on a day, for the caps on the day and for lists.",
    columns: {
      day: "The number of the day in UTC, from 1970 on.",
      cost_usd: "Millionths of a dollar, tokens, milliseconds.",
      models: "The same sums for each model: JSON lists by the names of the models.",
      max_cost_usd: "The caps of the scope, as `usage_caps` has them.",
      capped: "The scope has used as much on this day as it may."
    }
  },
  usage_caps: {
    about: "The caps on each day of a scope. New rows of `usage` get them."
  },
  breakers: {
    about:
      "What stops the claims of a scope or a project when different tasks fail alike. A breaker that is off has no row.",
    columns: {
      project_id: "The project; '' for the scope.",
      failures: "The newest failures, oldest first: a JSON list of fingerprint, task and time.",
      opened_at: "When it opened; null while it is closed.",
      tripped_by: "The task whose failure opened it.",
      retry_at: "When the next canary may be claimed, unless one is held.",
      probes: "How many canaries have failed since it opened.",
      canary_task: "The last canary, and the token of its lease."
    },
    indexes: {
      breakers_canary: "The breakers that a task is the canary of.",
      breakers_open: "The breakers of a scope that are open."
    }
  },
  orchestrators: {
    about: "A machine in a scope. The same machine may be registered in several scopes.",
    columns: {
      max_claimed: "How many tasks it may hold at once if its claims set no limit.",
      status: "active; offline: silent for too long; maintenance: gets no work."
    },
    indexes: {
      orchestrators_of_scope: "The machines of a scope.",
      orchestrators_active:
        "The machines that may have fallen silent. It leaves `last_heartbeat` out, so a heartbeat writes no entry."
    }
  },
  roles: {
    about: "A role of agents. A scope with roles knows no others; a scope without roles accepts every name.",
    columns: {
      claims_from: "The queue that its agents claim from if they name none.",
      orchestrator_id: "The machine that registered it last."
    }
  },
  flows: {
    about: "A state machine that replaces the default one for the tasks that name it.",
    columns: { rules: "What the flow means for each move, computed at registration (`domain/flow/`)." },
    indexes: { flows_named: "The scopes that have a flow of a name." }
  },
  messages: {
    about: "A message between actors.",
    columns: {
      seq: "The order of arrival.",
      task_id: "What it is about. It need not be a task.",
      replied: "Whether it has a reply. It is set for questions only."
    },
    indexes: {
      messages_of_scope: "The messages of a scope.",
      messages_questions: "The questions to people that are not done and have no reply.",
      messages_about: "The messages about a task.",
      messages_to: "The messages to an actor.",
      messages_replies: "The replies to a message."
    }
  },
  actions: {
    about: "A proposal that one actor makes, another approves, and another carries out.",
    indexes: { actions_about: "The actions about a record.", actions_newest: "The newest actions of a scope." }
  },
  drafts: {
    about: "An idea that may become a task.",
    columns: { slug: "The name that the client gave it." },
    indexes: { drafts_newest: "The newest drafts of a scope." }
  },
  api_keys: {
    about: "The key of a caller in a scope. Only its SHA-256 is kept. A revoked key has no row.",
    columns: {
      rank: "What the key may do in its scope (`domain/access/Rank.ts`).",
      starts_with: "The beginning of the key, by which people recognise it.",
      last_used_at: "To the hour.",
      issued_until: "The expiry it was issued with, before a rotation shortened it."
    },
    indexes: { api_keys_of_scope: "The keys of a scope." }
  },
  webhooks: {
    about:
      "An address to which the server sends the events of a scope: a reader of its feed (`services/feed/Deliveries.ts`).",
    columns: {
      url: "May be a secret of the receiver.",
      secret: "Signs each message, so it is kept as it is.",
      previous_secret: "The secret before the last rotation. It signs too until `previous_until`.",
      older_secrets: "Those before it that sign too, as [[secret, until]].",
      types: "The events that are sent; null means all.",
      project_id: "The project whose events are sent; null means all.",
      position: "The number of the last event that was accepted, or left out by a filter.",
      attempts: "How often the next event was sent and not accepted.",
      failures: "How many messages were not accepted, ever.",
      delivered_at: "When the last event was accepted.",
      tried_at: "When an isolate last claimed it.",
      sender: "The isolate that sends just now, or whose claim was left: only it may store a new position.",
      sending_until: "Until then nobody else sends.",
      entries: "How many attempts were written into the log in all."
    },
    indexes: { webhooks_of_scope: "The webhooks of a scope." }
  },
  webhook_deliveries: {
    about: "The log of a webhook: its last 100 attempts.",
    columns: {
      slot: "`number % 100`, so that an attempt replaces the one 100 before it.",
      seq: "The number of the event; null for a test.",
      attempt: "How often the event had been sent and not accepted before, plus one.",
      status: "The HTTP status of the answer; null if there was none.",
      error: "Why it counts as not accepted; null if it was accepted.",
      response: "The beginning of the answer."
    }
  },
  idempotency_keys: {
    about: "The keys of POST requests with their answers. A key is written in the batch that has the effect.",
    columns: {
      id: "SHA-256 of the caller and the key.",
      fingerprint: "SHA-256 of the request.",
      answer: "The rows that the answer is made from: a JSON list."
    }
  },
  sweeps: {
    about: "How far the cron is in each of its walks through a table.",
    columns: { position: "The key it has reached.", due_at: "When it continues." }
  },
  fencing_floor: {
    about: "The token above which a restored database grants. There is no row if nothing was restored."
  },
  schema_version: { about: "The number of the newest migration. One row." }
}

export const views: Readonly<Record<string, string>> = {
  ready: "The tasks that a claim may take. The condition is that of `tasks_ready`.",
  ready_for: "Those that have a role. The condition is that of `tasks_ready_for`.",
  expiring:
    "What happens to each held task when its lease expires: the event, and the queue it goes to. `domain/task/Moves.ts` says the same.",
  planned:
    "The changes that the batch has planned and not applied: of each task the newest history row that is ahead of it.",
  feed: "The highest number in the feed of each scope, plans included.",
  plans: "The changes that the batch has recorded and not counted.",
  counts_after:
    "The counters that each owner has after the plans. `owner`: the scope, or char(31) and the id of a project. `counts`: tasks by queue. `events`: events by name, of a scope only. `lives`: by hour of the day, the number of the hour and how many tasks became done in it. `json_each` passes on the sums, because only its argument may depend on a row before it.",
  touched: "The dependencies on the tasks that the plans move.",
  following:
    "What a task gets in its columns if its blockers change or one of them fails. `updated_at` shows when someone worked on the task.",
  unrecorded: "The tasks that the batch has created and not recorded.",
  reclaiming: "What a task whose expired lease is taken back gets in its columns.",
  foreseen:
    "The tasks as they will be after the plans of the batch. `held`: an agent has the task, and the batch does not take it back.",
  failable: "The tasks that may fail with a blocker: not held, and not in `done`, `failed` or `cancelled`.",
  waits:
    "The dependencies with the tasks that are their blockers, in the queue that the batch leaves each blocker in. `met`: the task no longer waits for this blocker. `fails`: the task fails if this blocker fails. `because`: what history says when that changes. `x` and `TASK-x` name the same task, so a name may mean two tasks.",
  caps:
    "Which cap a task is at, and until when: its own, that of its project, or that of the day of its scope. And until when breakers stop it.",
  ready_by_project: "Those that `tasks_ready_by_project` has. The condition is that of the index.",
  open_breakers: "The breakers that stop claims, and until when: the largest safe integer while a canary is held.",
  stopped_projects: "The projects at a cap, and those with an open breaker, and until when.",
  held:
    "All tasks, held or not, with what decides where a move leads. `holder` and `machine`: who holds the task, or held it when its lease expired. `came_from`: the queue in which an intervention became necessary. `stuck`: the task waits for one, or an agent holds it to settle one. `origin`: the queue that it was claimed from. `rounds`: the cap on review rounds of its project.",
  breaker_feed: "The history of the breakers of a scope: the id that stands for them, and its last version.",
  watching:
    "The breakers of a task whose move is planned: whether a failure counts, whether the task is the canary, and whether the batch has recorded that the breaker opens or stays open.",
  closing: "The breakers that close, because the planned move of their canary hands in what the task asked for.",
  probing: "The open breakers of the task that the batch grants, which becomes their canary.",
  lacking: "The kinds of evidence that the project of a task requires and that the task lacks."
}
