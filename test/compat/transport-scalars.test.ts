/** How every client finds values spelled: ids, booleans, times, JSON kept as text, and the fields that are always there. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import {
  accept,
  claim,
  claimed,
  create,
  flow,
  get,
  message,
  patch,
  post,
  propose,
  register,
  reject,
  submit
} from "./support/requests.ts"

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const times = (...names: ReadonlyArray<string>) => (body: any) => {
  for (const name of names) assert.match(body[name], iso, name)
}
const inAnHour = new Date(Date.now() + 3_600_000).toISOString()
const fields = (names: string) => (body: any) => assert.containsAllKeys(body, names.split(" "))

const task = fields(
  "id file_path queue priority complexity role branch blocked_by claimed_by claimed_at commits_count turns_used "
    + "attempt_count has_plan plan_id project_id auto_accept rejection_count pr_number pr_url checks check_results "
    + "needs_rebase last_rebase_attempt_at staging_url submitted_at completed_at created_at updated_at orchestrator_id "
    + "lease_expires_at version needs_breakdown review_round execution_notes title type hooks flow flow_overrides scope "
    + "content needs_intervention"
)
const project = { id: "{id}-p", title: "t", branch: "b", scope: "{scope}" }

compatible("values as every client reads them", [
  {
    line: "3.1: a task has all 43 fields, alone, in a list and in a claim, and no others that clients give a meaning",
    steps: [
      register,
      create({ content: "# Do it" }, { check: task }),
      get("tasks/{id}", {
        check: task,
        absent: [
          "rejection_reason",
          "base_branch",
          "branch_name",
          "agent",
          "assigned_to",
          "breakdown_id",
          "parent_id",
          "expedite",
          "created"
        ]
      }),
      get("tasks?scope={scope}", { check: ({ tasks }) => task(tasks[0]) }),
      claim({}, { check: task, answer: { content: "# Do it", claimed_by: "ann", attempt_count: 0 } })
    ]
  },
  {
    line: "7.2: the counts of a new task are numbers, its other empty fields null",
    steps: [create({}, {
      answer: {
        commits_count: 0,
        turns_used: null,
        attempt_count: 0,
        rejection_count: 0,
        version: 1,
        review_round: 0,
        content: null,
        checks: null,
        check_results: null,
        completed_at: null
      }
    })]
  },
  {
    line: "1.5: the booleans of a task are 0 and 1, whatever they were sent as",
    steps: [
      create({ auto_accept: true }, {
        answer: { auto_accept: 1, has_plan: 0, needs_rebase: 0, needs_breakdown: 0, needs_intervention: 0 }
      }),
      patch("tasks/{id}", { has_plan: 1, needs_rebase: true, needs_intervention: true, auto_accept: false }, {
        answer: { auto_accept: 0, has_plan: 1, needs_rebase: 1, needs_intervention: 1 }
      })
    ]
  },
  {
    line: "1.5: other booleans are true and false",
    steps: [
      register,
      post("orchestrators/k-{id}/heartbeat", undefined, { answer: { success: true } }),
      get("scheduler/poll?orchestrator_id=k-{id}", { answer: { orchestrator_registered: true } }),
      post("projects", project, { status: 201, answer: { auto_accept: false } }),
      patch("projects/{id}-p", { auto_accept: true }, { answer: { auto_accept: true } }),
      get("projects/{id}-p", { answer: { auto_accept: true } })
    ]
  },
  {
    line: "1.5: every time is ISO 8601 with milliseconds and Z, as strict clients parse it",
    steps: [
      ...claimed,
      get("tasks/{id}", { check: times("created_at", "updated_at", "claimed_at", "lease_expires_at") }),
      submit({}, { check: times("submitted_at") }),
      accept({ check: times("completed_at") }),
      message({}, { check: times("created_at") }),
      propose({}, { check: times("proposed_at") }),
      post("actions/{action}/execute", undefined, { check: times("executed_at") }),
      post("projects", project, { status: 201, check: times("created_at") }),
      patch("projects/{id}-p", { status: "completed" }, { check: times("completed_at") }),
      post("drafts", { title: "t", author: "a", scope: "{scope}" }, {
        status: 201,
        check: times("created_at", "updated_at")
      }),
      { ...flow("{id}", [["incoming", "done"]]), check: times("registered_at", "updated_at") },
      get("orchestrators/k-{id}", { check: times("registered_at", "last_heartbeat") }),
      { send: "GET /api/health", check: times("timestamp") }
    ]
  },
  {
    line: "1.5: times that clients write, with microseconds and an offset, come back as the same instant with Z",
    steps: [
      ...claimed,
      patch("tasks/{id}", { last_rebase_attempt_at: "2026-03-02T12:00:00.123456+02:00" }, {
        answer: { last_rebase_attempt_at: "2026-03-02T10:00:00.123Z" }
      }),
      patch("tasks/{id}", { lease_expires_at: inAnHour.replace("Z", "456+00:00") }, {
        answer: { lease_expires_at: inAnHour }
      }),
      post("tasks/{id}/accept", { accepted_by: "ben", completed_at: "2026-01-02T03:04:05Z" }, {
        answer: { completed_at: "2026-01-02T03:04:05.000Z" }
      })
    ]
  },
  {
    line: "1.5: JSON that a client keeps as text comes back as the same text",
    steps: [
      register,
      create({ hooks: "[ {\"name\":\"a\"} ]", flow_overrides: "{ }" }, {
        answer: { hooks: "[ {\"name\":\"a\"} ]", flow_overrides: "{ }" }
      }),
      claim(),
      submit({ check_results: "{\"x\": 1}", execution_notes: "fine" }, {
        answer: { check_results: "{\"x\": 1}", execution_notes: "fine" }
      }),
      propose({ action_data: "{\"b\": [1]}", metadata: "plain" }, {
        answer: { action_data: "{\"b\": [1]}", metadata: "plain" }
      }),
      post("drafts", { title: "t", author: "a", tags: ["x", "y"], scope: "{scope}" }, {
        status: 201,
        answer: { tags: "[\"x\",\"y\"]" }
      })
    ]
  },
  {
    line: "1.5: a machine's capabilities and a flow's states and transitions are JSON text",
    steps: [
      post("orchestrators/register", {
        cluster: "k",
        machine_id: "{id}",
        repo_url: "r",
        scope: "{scope}",
        capabilities: { gpu: true }
      }, { status: 201 }),
      get("orchestrators/k-{id}", { answer: { capabilities: "{\"gpu\":true}" } }),
      {
        ...flow("{id}", [["incoming", "claimed"]]),
        answer: { transitions: "[{\"from\":\"incoming\",\"to\":\"claimed\"}]" },
        check: ({ states }) => assert.include(JSON.parse(states), "done")
      }
    ]
  },
  {
    line: "1.5: ids: a machine's is <cluster>-<machine_id>, a draft's a number, messages' msg-…, actions' act-…",
    steps: [
      { ...register, answer: { orchestrator_id: "k-{id}" } },
      post("drafts", { title: "t", author: "a" }, { status: 201, check: ({ id }) => assert.isNumber(id) }),
      message({}, { check: ({ id }) => assert.match(id, /^msg-\d{13}-[0-9a-z]{1,6}$/) }),
      propose({}, { check: ({ id }) => assert.match(id, /^act-\d{13}-[0-9a-z]{1,6}$/) })
    ]
  },
  {
    line: "3: projects, drafts, messages, actions, roles and machines have the fields that clients read",
    steps: [
      register,
      post("projects", project, {
        status: 201,
        check: fields(
          "id title description status branch base_branch auto_accept created_at created_by completed_at scope"
        ),
        answer: { status: "draft", base_branch: "main", description: null, created_by: null, completed_at: null }
      }),
      post("drafts", { title: "t", author: "a", scope: "{scope}" }, {
        status: 201,
        check: fields(
          "id title status author domain file_path created_at updated_at linked_task_id linked_project_id tags scope"
        ),
        answer: { status: "idea", domain: null, file_path: null, tags: null, scope: "{scope}" }
      }),
      message({}, {
        check: fields("id task_id from_actor to_actor type content created_at scope parent_message_id"),
        answer: { to_actor: null, parent_message_id: null }
      }),
      propose({}, {
        check: fields(
          "id entity_type entity_id action_type label description status proposed_by proposed_at executed_at result "
            + "expires_at metadata scope action_data"
        ),
        answer: { action_type: "proposal", status: "proposed", executed_at: null, result: null, action_data: null }
      }),
      get("orchestrators/k-{id}", {
        check: fields(
          "id cluster machine_id hostname repo_url registered_at last_heartbeat status version capabilities scope"
        )
      }),
      post("roles/register", { orchestrator_id: "k-{id}", roles: [{ name: "{id}-r" }] }, {
        check: ({ roles }) => fields("name description claims_from orchestrator_id created_at")(roles[0]),
        answer: { "roles.0.claims_from": "incoming", "roles.0.orchestrator_id": "k-{id}" }
      })
    ]
  },
  {
    line: "4.2: a reject and a requeue keep the row's counts whole numbers",
    steps: [
      ...claimed,
      submit(),
      reject("bad", { answer: { queue: "incoming", rejection_count: 1, attempt_count: 0 } }),
      claim(),
      post("tasks/{id}/requeue", undefined, { answer: { queue: "incoming", attempt_count: 1, rejection_count: 1 } })
    ]
  }
])
