/** What every client may send: bodies, and the conventions of query strings. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import { claim, create, defaultFlow, get, message, patch, post, propose, register, submit } from "./support/requests.ts"

const ids = (rows: ReadonlyArray<{ readonly id: string }>) => rows.map(({ id }) => id.replace(/^id-\d+-/, ""))

const writes = [
  "POST /api/v1/tasks",
  "PATCH /api/v1/tasks/{id}",
  "POST /api/v1/tasks/claim",
  "POST /api/v1/tasks/{id}/submit",
  "POST /api/v1/tasks/{id}/accept",
  "POST /api/v1/tasks/{id}/reject",
  "POST /api/v1/tasks/{id}/force-queue",
  "POST /api/v1/tasks/{id}/hooks/h/complete",
  "POST /api/v1/orchestrators/register",
  "PUT /api/v1/flows/default",
  "POST /api/v1/messages",
  "POST /api/v1/actions",
  "POST /api/v1/roles/register",
  "POST /api/v1/projects",
  "POST /api/v1/drafts"
] as const

/** Three tasks that differ in priority, role and queue, the last one the newest. */
const three: ReadonlyArray<Step> = [
  create({ id: "{id}-a", file_path: "a", priority: "P1", role: "x y" }),
  create({ id: "{id}-b", file_path: "b", priority: "P0", role: "test" }),
  create({ id: "{id}-c", file_path: "c", priority: "P2", role: "test", queue: "failed" })
]

const list = (query: string, found: ReadonlyArray<string>, rest: object = {}) =>
  get(`tasks?scope={scope}&${query}`, {
    answer: { total: found.length, ...rest },
    check: ({ tasks }) => assert.sameMembers(ids(tasks), [...found])
  })

compatible("every client's bodies", [
  {
    line: "1.3: a body that is no JSON, empty, null or a list is a 400 that says so, on every endpoint that needs one",
    steps: writes.flatMap((send) =>
      ["{\"id\":", "", "null", "[]", "\"text\"", "[".repeat(200)].map((body): Step => ({
        send,
        body,
        status: 400,
        error: ""
      }))
    )
  },
  {
    line: "1.3: a field that is missing, empty, 0, false or null is missing",
    steps: [
      ...[undefined, "", 0, false, null].map((file_path) =>
        create({ file_path }, { status: 400, error: "Missing required fields: file_path (" })
      ),
      ...[undefined, "", 0, false, null].map((agent_name) =>
        claim({ agent_name }, { status: 400, error: "Missing required fields: agent_name (" })
      ),
      ...["", null].map((branch) =>
        create({ branch }, {
          status: 400,
          error: "Missing required field: branch. Caller must set branch explicitly."
        })
      )
    ]
  },
  {
    line: "1.3: a submit asks only whether its counts are there, so 0 is a count",
    steps: [
      register,
      create(),
      claim(),
      submit({ commits_count: undefined }, {
        status: 400,
        error: "Missing required fields: commits_count ("
      }),
      submit({ commits_count: 0, turns_used: 0 }, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "1.3: empty text in an optional field of a new task is none, or its default",
    steps: [create({
      title: "",
      queue: "",
      priority: "",
      complexity: "",
      role: "",
      type: "",
      blocked_by: "",
      project_id: "",
      hooks: "",
      flow: "",
      flow_overrides: ""
    }, {
      answer: {
        title: "{id}",
        queue: "incoming",
        priority: "P2",
        complexity: null,
        role: null,
        type: null,
        blocked_by: null,
        project_id: null,
        hooks: null,
        flow: "default",
        flow_overrides: null
      }
    })]
  },
  {
    line: "1.3: fields that nobody knows are ignored",
    steps: [
      create({ nobody: { knows: "this" } }),
      patch("tasks/{id}", { title: "new", nobody: 1 }, { answer: { title: "new" }, absent: ["nobody"] }),
      patch("tasks/{id}", { nobody: 1 }, { status: 400, error: "No fields to update" }),
      get("tasks?scope={scope}&nobody=1", { answer: { total: 1 } })
    ]
  },
  {
    line:
      "1.3: a draft's number names it in a message and in an action, as text (\"42\" where the old server kept \"42.0\")",
    steps: [
      message({ task_id: 42 }, { answer: { task_id: "42" } }),
      get("messages?scope={scope}&task_id=42", { answer: { total: 1 } }),
      propose({ entity_id: 42 }, { answer: { entity_id: "42" } }),
      get("actions?scope={scope}&entity_type=draft&entity_id=42", { answer: { total: 1 } })
    ]
  },
  {
    line: "1.2: what was a 500 is a refusal that names the field: duplicates, unknown references, wrong types",
    steps: [
      register,
      create(),
      create({}, { status: 409, error: "{id}" }),
      create({ id: "{id}-2" }, { status: 409, error: "file_path" }),
      create({ id: "{id}-2", file_path: "2", project_id: "nobody" }, { status: 400, error: "project_id" }),
      patch("tasks/{id}", { project_id: "nobody" }, { status: 400, error: "project_id" }),
      patch("tasks/{id}", { title: ["a"] }, { status: 400, error: "title" }),
      patch("tasks/{id}", { queue: null, branch: null }, { answer: { queue: "incoming", branch: "b" } }),
      claim({ orchestrator_id: "nobody" }, { status: 400, error: "orchestrator_id" }),
      claim({ lease_duration_seconds: "abc" }, { status: 400, error: "lease_duration_seconds" }),
      claim({ lease_duration_seconds: -5 }, { status: 400, error: "lease_duration_seconds" }),
      claim({ role_filter: [], type_filter: [], lease_duration_seconds: 0 }, { answer: { id: "{id}" } })
    ]
  },
  {
    line: "1.2: objects and lists where JSON text is kept are written as text",
    steps: [
      create({ hooks: [{ name: "tests" }] }, { answer: { hooks: "[{\"name\":\"tests\"}]" } }),
      propose({ action_data: { a: 1 }, metadata: [2] }, { answer: { action_data: "{\"a\":1}", metadata: "[2]" } })
    ]
  }
])

compatible("every client's queries", [
  {
    line: "1.4: the first of a repeated parameter counts, an empty one does not count",
    steps: [
      ...three,
      get("tasks?scope={scope}&scope=other&queue=failed&queue=incoming", { answer: { total: 1 } }),
      list("queue=&role=&priority=&claimed_by=&needs_intervention=&limit=&offset=&sort=", ["a", "b", "c"], {
        limit: 50
      })
    ]
  },
  {
    line: "1.4: values are decoded, and + is a space",
    steps: [...three, list("role=x+y", ["a"]), list("role=x%20y", ["a"]), list("role=%74est", ["b", "c"])]
  },
  {
    line: "1.4: a,b is a or b, exactly, without trimming",
    steps: [
      ...three,
      list("queue=incoming,failed", ["a", "b", "c"]),
      list("priority=P0,P0,P2", ["b", "c"]),
      list("priority=P0,%20P2", ["b"]),
      list("role=tes,nobody", [])
    ]
  },
  {
    line: "1.4: 50 values are no error, and more are a 400 (what fitted into an address was taken before)",
    steps: [
      ...three,
      list(`priority=${Array.from({ length: 50 }, (_, n) => `P${n}`).join(",")}`, ["a", "b", "c"]),
      get(`tasks?scope={scope}&priority=${Array.from({ length: 51 }, (_, n) => `P${n}`).join(",")}`, {
        status: 400,
        error: "priority: a list of at most 50 items"
      })
    ]
  },
  {
    line: "1.4: pages echo their limit and offset, 50 and 0 unless given, and count all rows",
    steps: [
      ...three,
      list("", ["a", "b", "c"], { limit: 50, offset: 0 }),
      get("tasks?scope={scope}&limit=2&offset=1", { answer: { total: 3, limit: 2, offset: 1, "tasks.length": 2 } }),
      get("tasks?scope={scope}&limit=0", { answer: { total: 3, limit: 0, tasks: [] } }),
      get("tasks?scope={scope}&offset=9", { answer: { total: 3, tasks: [] } }),
      get("tasks?scope={scope}&limit=1000", { answer: { total: 3, limit: 500, "tasks.length": 3 } }),
      ...["projects", "drafts", "messages", "actions"].map((kind) =>
        get(`${kind}?scope={scope}`, { answer: { [kind]: [], total: 0, limit: 50, offset: 0 } })
      ),
      ...["projects", "drafts", "messages", "actions"].map((kind) =>
        get(`${kind}?scope={scope}&limit=7&offset=0`, { answer: { [kind]: [], total: 0, limit: 7, offset: 0 } })
      )
    ]
  },
  {
    line: "1.4: a limit that is no number, or negative, is a 400 (a 500 or everything, before)",
    steps: ["abc", "-1", "1.5", "1e3"].flatMap((limit) =>
      ["tasks", "projects", "drafts", "messages", "actions"].map((kind) =>
        get(`${kind}?scope={scope}&limit=${limit}`, { status: 400, error: "limit" })
      )
    )
  },
  {
    line: "8.3: booleans in a query are spelled as anybody spells them",
    steps: [
      ...three,
      patch("tasks/{id}-b", { needs_intervention: true }),
      ...["true", "True", "TRUE", "1"].map((yes) => list(`needs_intervention=${yes}`, ["b"])),
      ...["false", "False", "0"].map((no) => list(`needs_intervention=${no}`, ["a", "c"]))
    ]
  },
  {
    line: "5.2: tasks are listed newest first, and by priority, then age, when asked",
    steps: [
      ...three,
      get("tasks?scope={scope}", { check: ({ tasks }) => assert.deepStrictEqual(ids(tasks), ["c", "b", "a"]) }),
      get("tasks?scope={scope}&sort=priority", {
        check: ({ tasks }) => assert.deepStrictEqual(ids(tasks), ["b", "a", "c"])
      })
    ]
  },
  {
    line: "4.1: a queue to read from is not validated, a queue to move to is once the flow is registered",
    steps: [
      create(),
      defaultFlow,
      list("queue=bogus", []),
      patch("tasks/{id}", { queue: "bogus" }, { status: 400, error: "Invalid queue \"bogus\". Valid queues for flow" }),
      post("tasks/{id}/force-queue", { queue: "bogus", reason: "x" }, { status: 400, error: "Invalid queue" }),
      create({ id: "{id}-2", file_path: "2", queue: "bogus" }, { status: 400, error: "Invalid queue" })
    ]
  }
])
