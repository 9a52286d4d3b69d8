/** The assertions of the old server's own tests about messages, actions, drafts, projects and orchestrators. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import { claim, create, get, message, patch, post, propose, register, remove } from "./support/requests.ts"

const contents = (...expected: ReadonlyArray<string>) => ({ messages }: any) =>
  assert.deepStrictEqual(messages.map(({ content }: any) => content), expected)

const thread: ReadonlyArray<Step> = [
  message({ content: "question", type: "question", to_actor: "human" }, { keep: { root: "id" } }),
  message({ content: "answer", from_actor: "human", to_actor: "ann", parent_message_id: "{root}" }, {
    keep: { reply: "id" },
    answer: { parent_message_id: "{root}" }
  }),
  message({ content: "thanks", parent_message_id: "{reply}" }),
  message({ content: "elsewhere", task_id: "draft-1", to_actor: "human" })
]

const project = (fields: object = {}) =>
  post("projects", { id: "{id}-p", title: "t", branch: "feature/x", scope: "{scope}", ...fields }, { status: 201 })

const draft = (fields: object = {}) =>
  post("drafts", { title: "t", author: "ann", scope: "{scope}", ...fields }, { status: 201, keep: { draft: "id" } })

compatible("the old server's tests, of other records", [
  {
    line: "messages: oldest first, filtered by task, recipient and type; the task need not exist",
    steps: [
      ...thread,
      get("messages?scope={scope}", {
        answer: { total: 4 },
        check: contents("question", "answer", "thanks", "elsewhere")
      }),
      get("messages?scope={scope}&task_id={id}&to_actor=human", { check: contents("question") }),
      get("messages?scope={scope}&type=comment&to_actor=ann", { check: contents("answer") }),
      get("tasks/{id}/messages?scope={scope}&limit=1&offset=1", { answer: { total: 3 }, check: contents("answer") }),
      get("messages?scope={scope}-2", { answer: { messages: [], total: 0 } })
    ]
  },
  {
    line: "messages: unreplied=true, and a thread with its replies at any depth",
    steps: [
      ...thread,
      get("messages?scope={scope}&unreplied=true", { check: contents("thanks", "elsewhere") }),
      get("messages?scope={scope}&thread_id={root}", {
        answer: { total: 3, offset: 0, limit: 3 },
        check: contents("question", "answer", "thanks")
      }),
      get("messages?scope={scope}&thread_id=nobody", { answer: { messages: [], total: 0, limit: 0 } })
    ]
  },
  {
    line: "actions: newest first, filtered by entity and status; from proposed to completed with a result",
    steps: [
      propose({ label: "first", entity_id: "1" }),
      propose({ label: "second", description: "d", action_type: "enqueue" }, { answer: { action_type: "enqueue" } }),
      get("actions?scope={scope}", { answer: { "actions.0.label": "second", "actions.1.label": "first", total: 2 } }),
      get("actions?scope={scope}&entity_type=draft&entity_id=1&status=proposed", { answer: { total: 1 } }),
      post("actions/{action}/execute", undefined, { answer: { status: "execute_requested" } }),
      get("actions?scope={scope}&status=execute_requested", { answer: { total: 1, "actions.0.id": "{action}" } }),
      patch("actions/{action}", { status: "executing" }, { answer: { status: "executing" } }),
      patch("actions/{action}", { status: "completed", result: "{\"ok\":true}" }, {
        answer: { status: "completed", result: "{\"ok\":true}" }
      }),
      patch("actions/nobody", { status: "completed" }, { status: 404, error: "Action not found" })
    ]
  },
  {
    line: "actions: one that expired is not listed, one that expires later is",
    steps: [
      propose({ expires_at: "2020-01-01T00:00:00.000Z" }),
      propose({ expires_at: "2099-01-01T00:00:00.000Z" }, { answer: { expires_at: "2099-01-01T00:00:00.000Z" } }),
      get("actions?scope={scope}", { answer: { total: 1, "actions.0.id": "{action}" } })
    ]
  },
  {
    line: "drafts: numbered, listed by status, author, domain and links, changed and deleted",
    steps: [
      draft({ domain: "ui", status: "proposed", linked_task_id: "t1", linked_project_id: "p1", tags: ["a"] }),
      ...["status=proposed", "author=ann", "domain=ui", "linked_task_id=t1", "linked_project_id=p1"].map((query) =>
        get(`drafts?scope={scope}&${query}`, { answer: { total: 1 } })
      ),
      get("drafts?scope={scope}&status=idea", { answer: { drafts: [], total: 0 } }),
      patch("drafts/{draft}", { status: "approved", file_path: "drafts/1.md", tags: null }, {
        answer: { status: "approved", file_path: "drafts/1.md", tags: null }
      }),
      patch("drafts/{draft}", {}, { status: 400, error: "No fields to update" }),
      get("drafts/1abc", { status: 400, error: "Draft ID must be an integer" }),
      remove("drafts/{draft}", { answer: { message: "Draft {draft} deleted" } }),
      get("drafts/{draft}", { status: 404, error: "Draft {draft} not found" })
    ]
  },
  {
    line: "projects: created once, filtered by status, completed once",
    steps: [
      project({ status: "active", created_by: "ann", auto_accept: true }),
      { ...project(), status: 409, error: "Project {id}-p already exists" },
      get("projects?scope={scope}&status=active&created_by=ann", { answer: { total: 1 } }),
      get("projects?scope={scope}&status=active,draft", { answer: { total: 0 } }),
      patch("projects/{id}-p", {}, { status: 400, error: "No fields to update" }),
      patch("projects/{id}-p", { status: "completed" }, { keep: { completed: "completed_at" } }),
      patch("projects/{id}-p", { status: "active" }, { answer: { completed_at: "{completed}" } })
    ]
  },
  {
    line: "projects: a task gets the project's branch, whatever it was sent, and is listed with the project",
    steps: [
      project(),
      create({ project_id: "{id}-p", branch: "mine" }, { answer: { branch: "feature/x", project_id: "{id}-p" } }),
      get("projects/{id}-p/tasks", { answer: { project_id: "{id}-p", total: 1, "tasks.0.id": "{id}" } }),
      get("projects/{id}-p/tasks?scope=other", { status: 404 }),
      remove("projects/{id}-p", { status: 409, error: "has 1 tasks" }),
      remove("tasks/{id}"),
      remove("projects/{id}-p", { answer: { message: "Project {id}-p deleted" } })
    ]
  },
  {
    line: "orchestrators: 201, then 200; maintenance is no work and no end of it by a heartbeat (one ended it before)",
    steps: [
      { ...register, answer: { orchestrator_id: "k-{id}", status: "active" } },
      { ...register, status: 200 },
      create(),
      patch("orchestrators/k-{id}", { status: "maintenance" }, { answer: { status: "maintenance" } }),
      post("orchestrators/k-{id}/heartbeat"),
      claim({}, { status: 404, answer: { message: "No tasks available", reason: "maintenance" } }),
      patch("orchestrators/k-{id}", { status: "active" }),
      claim({}, { answer: { id: "{id}" } })
    ]
  },
  {
    line: "orchestrators are listed by their last heartbeat, the latest first",
    steps: [
      register,
      post("orchestrators/register", { cluster: "k", machine_id: "{id}-2", repo_url: "r", scope: "{scope}" }, {
        status: 201
      }),
      { ...post("orchestrators/k-{id}/heartbeat"), after: 5 },
      get("orchestrators?scope={scope}&cluster=k", {
        answer: { total: 2, "orchestrators.0.id": "k-{id}", "orchestrators.1.id": "k-{id}-2" }
      })
    ]
  },
  {
    line: "poll: counts, reviews, flows of this scope only, and whether the machine is known",
    steps: [
      register,
      create({ queue: "provisional", hooks: "[]" }),
      {
        send: "PUT /api/v1/flows/f",
        body: { scope: "{scope}-2", states: ["incoming", "claimed", "done", "failed"], transitions: [] }
      },
      get("scheduler/poll?orchestrator_id=k-{id}&scope={scope}", {
        answer: {
          queue_counts: { incoming: 0, claimed: 0, provisional: 1 },
          provisional_tasks: [{ id: "{id}", hooks: "[]", pr_number: null, claimed_by: null }],
          orchestrator_registered: true,
          scope: "{scope}",
          flows: {}
        }
      }),
      get("scheduler/poll?orchestrator_id=nobody&scope={scope}", { answer: { orchestrator_registered: false } }),
      get("scheduler/poll?scope={scope}-2", {
        answer: { flows: { f: { states: ["incoming", "claimed", "done", "failed"] } } }
      })
    ]
  }
])
