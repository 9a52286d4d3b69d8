/**
 * The measured cases besides the plain request to each endpoint (test/support/access.ts): the same requests where they
 * cost something else.
 */
import * as Effect from "effect/Effect"
import { importKinds } from "../../src/domain/transfer/Import.ts"
import { good } from "../import/Good.ts"
import { type Admin, claimed, machine, type Question, table, task } from "../support/access.ts"

export interface Case {
  readonly method: string
  /** What it has to be answered, or the measurement is of something else. */
  readonly status: number
  readonly headers?: Record<string, string>
  /** Whether it is asked by a client that knows the answer (`If-None-Match`). */
  readonly known?: boolean
  /** Makes what it is about, and answers the request. */
  readonly ask: (scope: string, admin: Admin) => Question | Effect.Effect<Question>
}

const post = (ask: Case["ask"], status = 200, headers: Record<string, string> = {}): Case => ({
  method: "POST",
  status,
  headers,
  ask
})

/** A claim of a machine that is registered, of the tasks that the filter leaves. */
const claim = (filter: object, status = 200, headers = {}) =>
  post(
    (scope, admin) =>
      Effect.map(machine(scope, admin), (orchestrator_id): Question => [
        "/api/v1/tasks/claim",
        { scope, orchestrator_id, agent_name: "ann", ...filter }
      ]),
    status,
    headers
  )

/** A request about a task that is held, with `dependents` tasks that wait for it. */
const about = (
  move: string,
  body: object,
  { dependents = 0, headers = {}, status = 200, ...edge }: {
    readonly dependents?: number
    readonly on_failure?: string
    readonly status?: number
    readonly headers?: Record<string, string>
  } = {}
) =>
  post(
    Effect.fnUntraced(function*(scope, admin) {
      const id = yield* claimed(scope, admin)
      const depends_on = [{ task_id: id, ...edge }]
      for (let n = 0; n < dependents; n++) {
        const waiting = yield* task(scope, admin)
        yield* admin("PUT", `/api/v1/tasks/${waiting}/dependencies`, { depends_on })
      }
      return [`/api/v1/tasks/${id}/${move}`, body] as const
    }),
    status,
    headers
  )

const newTask = (rest: object, headers = {}) =>
  post((scope) => ["/api/v1/tasks", { scope, id: "one", file_path: "TASK-one.md", branch: "b", ...rest }], 201, headers)

const ready = (id: string) => ({
  id,
  file_path: `TASK-${id}.md`,
  branch: "b",
  queue: "incoming",
  created_at: "2026-01-01T00:00:00Z"
})

const key = { "idempotency-key": "one" }
const result = { commits_count: 1, turns_used: 1 }

const changes: Record<string, Case> = {
  "POST /api/v1/tasks: with a file that is not named after it": newTask({ file_path: "one.md" }),
  "POST /api/v1/tasks: waits for two others": newTask({ blocked_by: "deep-waiting-0,deep-waiting-1" }),
  "POST /api/v1/tasks: of a project, under an external key": newTask({ project_id: "deep-0", external_key: "one" }),
  "POST /api/v1/tasks: under an idempotency key": newTask({}, key),

  "POST /api/v1/tasks/claim: of a role": claim({ role_filter: "builder" }),
  "POST /api/v1/tasks/claim: of two roles": claim({ role_filter: ["reviewer", "builder"] }),
  "POST /api/v1/tasks/claim: of a type": claim({ type_filter: "product" }, 404),
  "POST /api/v1/tasks/claim: low priorities first": claim({ priority_order: ["P3", "P2"] }),
  "POST /api/v1/tasks/claim: with a limit on the machine": claim({ max_claimed: 3 }),
  "POST /api/v1/tasks/claim: under an idempotency key": claim({}, 200, key),
  "POST /api/v1/tasks/claim: nothing for the role": claim({ role_filter: "nobody" }, 404),
  "POST /api/v1/tasks/claim: nothing, of a machine that 85 other scopes have too": post(
    Effect.fnUntraced(function*(scope, admin) {
      const orchestrator_id = yield* machine(scope, admin)
      // A claim says that each of those which are silent is there again, if it is.
      const silence = (of: string) =>
        admin("PATCH", `/api/v1/orchestrators/${orchestrator_id}?scope=${of}`, { status: "offline" })
      const machine_id = orchestrator_id.replace("k-", "")
      for (let n = 0; n < 85; n++) {
        yield* admin("POST", "/api/v1/orchestrators/register", { scope: `${scope}-${n}`, cluster: "k", machine_id })
        yield* silence(`${scope}-${n}`)
      }
      yield* silence(scope)
      return ["/api/v1/tasks/claim", { scope, orchestrator_id, agent_name: "ann", role_filter: "nobody" }] as const
    }),
    404
  ),
  "POST /api/v1/tasks/claim: for review": post(
    Effect.fnUntraced(function*(scope, admin) {
      const id = yield* claimed(scope, admin)
      yield* admin("POST", `/api/v1/tasks/${id}/submit`, result)
      const orchestrator_id = yield* machine(scope, admin)
      return [
        "/api/v1/tasks/claim",
        { scope, orchestrator_id, agent_name: "bob", queue: "provisional" }
      ] as const
    })
  ),

  "POST /api/v1/tasks/:id/submit: under the fencing token": about("submit", { ...result, fencing_token: 1 }),
  "POST /api/v1/tasks/:id/submit: under an idempotency key": about("submit", result, { headers: key }),
  "POST /api/v1/tasks/:id/submit: another token": about("submit", { ...result, fencing_token: 7 }, { status: 409 }),
  "POST /api/v1/tasks/:id/accept: three wait for it": about("accept", { accepted_by: "x" }, { dependents: 3 }),
  "POST /api/v1/tasks/:id/fail: three wait for it": about("fail", { reason: "r" }, { dependents: 3 }),
  "POST /api/v1/tasks/:id/fail: three fail with it": about("fail", { reason: "r" }, {
    dependents: 3,
    on_failure: "fail"
  }),

  "POST /api/v1/orchestrators/:id/heartbeat: with five leases": post(Effect.fnUntraced(function*(scope, admin) {
    const leases: Array<object> = []
    while (leases.length < 5) leases.push({ task_id: yield* claimed(scope, admin), fencing_token: 1 })
    const id = yield* machine(scope, admin)
    return [`/api/v1/orchestrators/${id}/heartbeat`, { scope, leases }] as const
  })),
  "POST /api/v1/scopes/:scope/import: ten tasks": post((scope) => [
    `/api/v1/scopes/${scope}/import`,
    {
      tasks: Array.from({ length: 10 }, (_, n) => ({
        id: `imported-${n}`,
        file_path: `TASK-imported-${n}.md`,
        branch: "b",
        queue: "incoming",
        created_at: "2026-01-01T00:00:00Z"
      }))
    }
  ]),
  "POST /api/v1/scopes/:scope/import: some of each kind, under an idempotency key": post(
    (scope) => [
      `/api/v1/scopes/${scope}/import`,
      {
        ...Object.fromEntries(importKinds.map((kind) => [kind, [good[kind](`imported-${kind}`, 9_000_001)]])),
        tasks: [
          good.tasks("imported-held", 0),
          { ...ready("imported-done"), queue: "done" },
          { ...ready("imported-waiting"), blocked_by: "imported-done,imported-held" }
        ]
      }
    ],
    200,
    key
  ),
  ...Object.fromEntries(
    ([
      ["cancel", {}],
      ["accept", { by: "x" }],
      ["reject", { by: "x", reason: "r" }],
      ["requeue", {}],
      ["reprioritise", { priority: "P0" }],
      ["delete", {}]
    ] as const).map(([action, rest]): [string, Case] => [
      `POST /api/v1/tasks/bulk: ${action} of three, under an idempotency key`,
      post(
        Effect.fnUntraced(function*(scope, admin) {
          const ids: Array<string> = []
          for (let n = 0; n < 3; n++) ids.push(yield* claimed(scope, admin))
          return ["/api/v1/tasks/bulk", { scope, action, ids, ...rest }] as const
        }),
        200,
        key
      )
    ])
  ),
  "POST /api/v1/tasks/bulk: a dry run of a filter": post((scope) => [
    "/api/v1/tasks/bulk",
    { scope, action: "cancel", filter: { queue: "incoming", type: "infra", priority: "P0" }, dry_run: true }
  ]),
  "POST /api/v1/tasks/bulk: create three": post((scope) => [
    "/api/v1/tasks/bulk",
    {
      scope,
      action: "create",
      tasks: ["one", "two", "three"].map((id) => ({ id, file_path: `TASK-${id}.md`, branch: "b" }))
    }
  ]),
  "POST /api/v1/drafts/:id/promote: to a project, under an idempotency key": post(
    (scope, admin) =>
      Effect.map(admin("POST", "/api/v1/drafts", { scope, title: "t", author: "a" }), ({ id }): Question => [
        `/api/v1/drafts/${id}/promote`,
        { project: { id: "promoted", branch: "b" } }
      ]),
    201,
    key
  ),
  "POST /api/v1/tasks/:id/force-queue: under an idempotency key, three wait for it": about(
    "force-queue",
    { queue: "done", reason: "r" },
    { dependents: 3, headers: key }
  ),
  "POST /api/v1/tasks/:id/reject: under an idempotency key, three wait for it": about(
    "reject",
    { reason: "r", rejected_by: "x" },
    { dependents: 3, headers: key }
  ),
  "POST /api/v1/messages: to somebody": post((scope) => [
    "/api/v1/messages",
    { scope, task_id: "deep-0", from_actor: "a", to_actor: "b", type: "comment", content: "c" }
  ], 201)
}

/** Pages of what there is: each is read with `limit=5`. */
const pages = [
  ...[
    "queue=incoming",
    "queue=incoming,claimed,provisional",
    "queue=done",
    "sort=priority",
    "queue=incoming&sort=priority",
    "project_id=deep-0",
    "role=builder",
    "type=infra",
    "priority=P3",
    "claimed_by=ann",
    "orchestrator_id=k-deep",
    "external_key=one",
    "blocked_by=never-0",
    "pr_number=1",
    "needs_intervention=true",
    "has_plan=true",
    "q=deep",
    "q=deep-0",
    "q=deep&queue=incoming&sort=priority",
    "q=deep&project_id=deep-0",
    "offset=5"
  ].map((filter) => `tasks?${filter}`),
  ...[
    "to_actor=deep",
    "from_actor=a",
    "task_id=deep-0",
    "type=comment",
    "status=pending",
    "to_actor=deep&status=pending",
    "unreplied=true",
    "offset=5"
  ].map((filter) => `messages?${filter}`),
  "tasks/deep-0/messages?type=comment",
  ...["entity_type=task&entity_id=deep-0", "status=proposed"].map((filter) => `actions?${filter}`),
  "drafts?offset=5",
  "projects?offset=5",
  "orchestrators?offset=0",
  "projects/deep-0/tasks?offset=5",
  "events?after=5",
  "events?after=latest",
  "events?types=claimed,accepted&limit=5",
  "events?task_id=deep-0",
  "events?project_id=deep-0",
  "events?since=1970-01-01T00:00:05.000Z&limit=5",
  "overview?since=1970-01-01T00:00:05.000Z"
]

/** Lists of which the second page is read, with `limit=2`. */
const turned = [
  "tasks?queue=incoming",
  "tasks?queue=incoming,done",
  "tasks?queue=done&content=false",
  "tasks?sort=priority",
  "tasks?project_id=deep-0",
  "tasks?q=deep",
  "tasks/deep-0/history?",
  "messages?to_actor=deep",
  "messages?offset=0",
  "actions?entity_type=task",
  "drafts?",
  "projects?",
  "projects/deep-0/tasks?"
]

const nextPage = (list: string): Case => ({
  method: "GET",
  status: 200,
  ask: (scope, admin) => {
    const first = `/api/v1/${list}&limit=2&scope=${scope}`
    const begin = list.includes("offset") ? first : `${first}&cursor=first`
    return Effect.map(admin("GET", begin), ({ next_cursor }): Question => [
      `${first.replace("&offset=0", "").replace("offset=0", "")}&cursor=${encodeURIComponent(next_cursor)}`
    ])
  }
})

/** The requests of a client that has the answer already, and gets a 304. */
const repeated = [
  "scheduler/poll?",
  "scheduler/poll?orchestrator_id=k-deep",
  "tasks?",
  "tasks?queue=incoming&limit=500",
  "tasks?project_id=deep-0",
  "projects/deep-0/tasks?cursor=first&limit=5",
  "tasks/deep-0/history?",
  "messages?to_actor=deep",
  "drafts?",
  "projects?",
  "events?after=latest",
  "overview?"
]

const again = (read: string): Case => ({
  method: "GET",
  status: 304,
  known: true,
  ask: (scope) => [`/api/v1/${read}&scope=${scope}`]
})

/** Pages of an export in the middle of a table. */
const exports = ["tasks", "projects", "messages"].flatMap((kind) =>
  ["", "scope=deep&"].map((within): [string, Case] => [
    `GET /api/v1/export: ${kind}${within === "" ? "" : " of a scope"}`,
    {
      method: "GET",
      status: 200,
      ask: () => {
        const key = kind === "messages" ? 3 : "deep-1"
        return [`/api/v1/export?${within}limit=5&cursor=${encodeURIComponent(JSON.stringify([kind, [key]]))}`]
      }
    }
  ])
)

const usage = { model: "m", input_tokens: 1, output_tokens: 1, cost_usd: 0.1 }

/** A held task of a project that requires evidence. */
const heldOfProject = Effect.fnUntraced(function*(scope: string, admin: Admin) {
  const project_id = `measured-${scope}`
  yield* admin("POST", "/api/v1/projects", {
    id: project_id,
    scope,
    title: "p",
    branch: "b",
    evidence_required: ["test"]
  })
  const orchestrator_id = yield* machine(scope, admin)
  const id = yield* task(scope, admin, { project_id, priority: "P0" })
  yield* admin("POST", "/api/v1/tasks/claim", { scope, orchestrator_id, agent_name: "ann" })
  return id
})

/** A claim with ten tasks of a project at its cap in the way. */
const claimAtCap = post(
  Effect.fnUntraced(function*(scope, admin) {
    const held = yield* heldOfProject(scope, admin)
    const project_id = `measured-${scope}`
    for (let n = 0; n < 10; n++) yield* task(scope, admin, { project_id, priority: "P0" })
    yield* task(scope, admin)
    yield* admin("PATCH", `/api/v1/projects/${project_id}`, { max_tokens: 1 })
    yield* admin("POST", `/api/v1/tasks/${held}/renew`, { fencing_token: 1, usage })
    const orchestrator_id = yield* machine(scope, admin)
    return ["/api/v1/tasks/claim", { scope, orchestrator_id, agent_name: "bob" }] as const
  })
)

/** A claim in a scope where a project at its cap has as many ready tasks as the database is deep. */
const claimPastProject = (rest: object) =>
  post(
    Effect.fnUntraced(function*(_scope, admin) {
      yield* task("stopped", admin, rest)
      const orchestrator_id = yield* machine("stopped", admin)
      const filter = "role" in rest ? { role_filter: rest.role } : {}
      return ["/api/v1/tasks/claim", { scope: "stopped", orchestrator_id, agent_name: "ann", ...filter }] as const
    })
  )

/** A scope whose breaker opens with the next failure, or with `open` is open. */
const nearlyOpen = Effect.fnUntraced(function*(scope: string, admin: Admin, open: boolean) {
  yield* admin("PUT", "/api/v1/breakers", { scope, threshold: 2, wait_seconds: 1 })
  const ids: Array<string> = []
  for (let n = 0; n < 3; n++) ids.push(yield* claimed(scope, admin))
  for (const id of ids.slice(0, open ? 2 : 1)) yield* admin("POST", `/api/v1/tasks/${id}/fail`, { reason: "The same." })
  return ids[2]!
})

/** A claimed task, and the question that holds it. */
const asked = Effect.fnUntraced(function*(scope: string, admin: Admin) {
  const task_id = yield* claimed(scope, admin)
  const question = { scope, task_id, from_actor: "ann", type: "question", content: "c", hold: true, fencing_token: 1 }
  const { id } = yield* admin("POST", "/api/v1/messages", question)
  return { scope, task_id, from_actor: "eve", type: "comment", content: "c", parent_message_id: id as string }
})

const sent = (ask: Case["ask"]): Case => ({ ...post(ask), status: 201 })

/** Requests by id whose statements are others if they name the scope. On objects a request that names it goes to one object. */
const naming = [
  "POST /api/v1/tasks/:id/renew",
  "POST /api/v1/orchestrators/:id/heartbeat",
  "GET /api/v1/orchestrators/:id",
  "PATCH /api/v1/orchestrators/:id",
  "DELETE /api/v1/orchestrators/:id",
  "GET /api/v1/flows/:name",
  "DELETE /api/v1/flows/:name",
  "GET /api/v1/roles/:name",
  "DELETE /api/v1/roles/:name"
]

const named = (name: string): Case => {
  const { ask, success } = table[name]!
  return {
    method: name.split(" ")[0]!,
    status: success,
    ask: Effect.fnUntraced(function*(scope, admin) {
      const question = ask(scope, admin)
      const [path, body] = Effect.isEffect(question) ? yield* question : question
      return [`${path}?scope=${scope}`, body] as const
    })
  }
}

export const cases: Record<string, Case> = {
  ...changes,
  ...Object.fromEntries(naming.map((name) => [`${name}: names the scope`, named(name)])),
  ...Object.fromEntries(exports),
  ...Object.fromEntries(turned.map((list) => [`GET /api/v1/${list}: the next page`, nextPage(list)])),
  ...Object.fromEntries(repeated.map((read) => [`GET /api/v1/${read}: not modified`, again(read)])),
  "GET /api/v1/tasks?queue=claimed: not modified, of leases": {
    ...again("tasks?queue=claimed"),
    ask: (scope, admin) => Effect.as(claimed(scope, admin), [`/api/v1/tasks?queue=claimed&scope=${scope}`] as const)
  },
  "POST /api/v1/tasks/:id/renew: with usage and a session": about("renew", {
    fencing_token: 1,
    session_url: "https://s",
    usage
  }),
  "POST /api/v1/tasks/:id/submit: with usage and evidence, of a project": post(
    Effect.fnUntraced(function*(scope, admin) {
      const id = yield* heldOfProject(scope, admin)
      const evidence = [{ kind: "test", exit_code: 0 }]
      return [
        `/api/v1/tasks/${id}/submit`,
        { commits_count: 1, turns_used: 1, head_commit: "c", evidence, usage }
      ] as const
    })
  ),
  "POST /api/v1/tasks/claim: at the cap of a project": claimAtCap,
  "POST /api/v1/tasks/claim: past the tasks of a project at its cap": claimPastProject({}),
  "POST /api/v1/tasks/claim: of a role, past the tasks of a project at its cap": claimPastProject({ role: "builder" }),
  "POST /api/v1/tasks/:id/fail: opens a breaker": post(
    Effect.fnUntraced(function*(scope, admin) {
      const id = yield* nearlyOpen(scope, admin, false)
      return [`/api/v1/tasks/${id}/fail`, { reason: "The same." }] as const
    })
  ),
  "POST /api/v1/tasks/claim: stopped by a breaker": {
    ...post(Effect.fnUntraced(function*(scope, admin) {
      yield* nearlyOpen(scope, admin, true)
      const orchestrator_id = yield* machine(scope, admin)
      return ["/api/v1/tasks/claim", { scope, orchestrator_id, agent_name: "bob" }] as const
    })),
    status: 404
  },
  "GET /metrics: of every scope": { method: "GET", status: 200, ask: () => ["/metrics"] },
  "POST /api/v1/tasks/claim: of an account": post(
    Effect.fnUntraced(function*(scope, admin) {
      const orchestrator_id = yield* machine(scope, admin)
      yield* task(scope, admin)
      return ["/api/v1/tasks/claim", { scope, orchestrator_id, agent_name: "ann", account: "x" }] as const
    })
  ),
  "POST /api/v1/tasks/claim: of a parked account": {
    ...post(Effect.fnUntraced(function*(scope, admin) {
      const id = yield* claimed(scope, admin)
      yield* admin("POST", `/api/v1/tasks/${id}/park`, {
        account: "x",
        until: "1970-02-01T00:00:00Z",
        fencing_token: 1
      })
      const orchestrator_id = yield* machine(scope, admin)
      return ["/api/v1/tasks/claim", { scope, orchestrator_id, agent_name: "ann", account: "x" }] as const
    })),
    status: 404
  },
  "POST /api/v1/messages: a question that holds its task": sent(
    Effect.fnUntraced(function*(scope, admin) {
      const task_id = yield* claimed(scope, admin)
      return ["/api/v1/messages", {
        scope,
        task_id,
        from_actor: "ann",
        type: "question",
        content: "c",
        hold: true,
        fencing_token: 1
      }] as const
    })
  ),
  "POST /api/v1/messages: the reply to a question that holds its task": sent(
    (scope, admin) => Effect.map(asked(scope, admin), (reply) => ["/api/v1/messages", reply] as const)
  ),
  "POST /api/v1/tasks/:id/reject: of a project with a cap on review rounds": post(
    Effect.fnUntraced(function*(scope, admin) {
      const id = yield* heldOfProject(scope, admin)
      yield* admin("PATCH", `/api/v1/projects/measured-${scope}`, { max_review_rounds: 1 })
      return [`/api/v1/tasks/${id}/reject`, { reason: "r", rejected_by: "x" }] as const
    })
  ),
  "GET /api/v1/tasks: after 150 queues were used and emptied": {
    method: "GET",
    status: 200,
    ask: Effect.fnUntraced(function*(scope, admin) {
      const id = yield* task(scope, admin)
      for (let n = 0; n < 150; n++) yield* admin("PATCH", `/api/v1/tasks/${id}`, { queue: `step-${n}` })
      yield* admin("PATCH", `/api/v1/tasks/${id}`, { queue: "incoming" })
      return [`/api/v1/tasks?limit=5&scope=${scope}`] as const
    })
  },
  ...Object.fromEntries(pages.map((page): [string, Case] => [
    `GET /api/v1/${page}`,
    { method: "GET", status: 200, ask: (scope) => [`/api/v1/${page}&limit=5&scope=${scope}`] }
  ]))
}
