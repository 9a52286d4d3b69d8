/** The phrases of error sentences that have to stay: clients and tests of the old server look for them. */
import { compatible } from "./support/cases.ts"
import { accept, claim, create, flow, get, message, patch, post, propose, register } from "./support/requests.ts"

compatible("must keep, of errors", [
  {
    line: "error says Missing required fields, and which",
    steps: [
      post("tasks", {}, { status: 400, error: "Missing required fields: id, file_path" }),
      post("tasks/claim", {}, { status: 400, error: "Missing required fields: orchestrator_id, agent_name" }),
      post("tasks/{id}/submit", {}, { status: 400, error: "Missing required fields: commits_count, turns_used" }),
      post("tasks/{id}/accept", {}, { status: 400, error: "Missing required field: accepted_by" }),
      post("tasks/{id}/reject", {}, { status: 400, error: "Missing required fields: reason, rejected_by" }),
      post("tasks/{id}/force-queue", {}, { status: 400, error: "Missing required fields: queue, reason" }),
      post("tasks/{id}/hooks/h/complete", {}, { status: 400, error: "status must be \"passed\" or \"failed\"" }),
      post("orchestrators/register", {}, { status: 400, error: "Missing required fields: cluster, machine_id" }),
      patch("orchestrators/{id}", {}, { status: 400, error: "Missing field: status" }),
      post("messages", {}, { status: 400, error: "Missing required fields: task_id, from_actor, type, content" }),
      post("actions", {}, {
        status: 400,
        error: "Missing required fields: entity_type, entity_id, label, proposed_by"
      }),
      post("roles/register", {}, { status: 400, error: "Missing required fields: orchestrator_id, roles" }),
      post("projects", {}, { status: 400, error: "Missing required fields: id, title, branch" }),
      post("drafts", {}, { status: 400, error: "Missing required fields: title, author" })
    ]
  },
  {
    line: "error says Unknown role, its name and those there are",
    steps: [
      register,
      post("roles/register", { orchestrator_id: "k-{id}", roles: [{ name: "implement" }, { name: "review" }] }),
      create({ role: "paint" }, { status: 400, error: "Unknown role 'paint'. Registered roles: implement, review" }),
      claim({ role_filter: ["implement", "paint"] }, { status: 400, error: "Unknown role 'paint'" }),
      create({ role: "review" })
    ]
  },
  {
    line: "error says Cannot set queue to \"done\", and points to /accept",
    steps: [
      create(),
      patch("tasks/{id}", { queue: "done" }, { status: 400, error: "Cannot set queue to \"done\" via PATCH" }),
      patch("tasks/{id}", { queue: "done" }, { status: 400, error: "/accept" }),
      get("tasks/{id}", { answer: { queue: "incoming" } })
    ]
  },
  {
    line: "error says Parent message not found",
    steps: [
      message({ parent_message_id: "msg-0-none" }, { status: 400, error: "Parent message not found: msg-0-none" }),
      message({}, { keep: { parent: "id" } }),
      message({ parent_message_id: "{parent}", task_id: "other" }, {
        status: 400,
        error: "Parent message belongs to a different task"
      })
    ]
  },
  {
    line: "error says Invalid status",
    steps: [
      propose(),
      patch("actions/{action}", { status: "bogus" }, {
        status: 400,
        error:
          "Invalid status \"bogus\". Valid statuses: proposed, execute_requested, executing, completed, failed, expired"
      }),
      patch("actions/{action}", { label: "x" }, { status: 400, error: "Updatable fields: status, result" })
    ]
  },
  {
    line: "error says expired",
    steps: [
      propose({ expires_at: "2020-01-01T00:00:00.000Z" }),
      post("actions/{action}/execute", undefined, { status: 400, error: "expired" }),
      get("actions?scope={scope}", { answer: { actions: [] } })
    ]
  },
  {
    line: "error says execute_requested",
    steps: [
      propose(),
      post("actions/{action}/execute", undefined, { answer: { status: "execute_requested" } }),
      post("actions/{action}/execute", undefined, {
        status: 400,
        error: "Cannot execute action with status \"execute_requested\". Only \"proposed\" actions can be executed."
      })
    ]
  },
  {
    line: "error says Failed to accept task, and details says why",
    steps: [
      create(),
      accept({
        status: 409,
        error: "Failed to accept task",
        answer: { details: ["Invalid transition: task is in incoming, expected provisional or claimed"] }
      }),
      create({ id: "{id}-2", file_path: "2", flow: "strict", queue: "claimed" }),
      flow("strict", [["incoming", "claimed"]]),
      post("tasks/{id}-2/accept", { accepted_by: "ben" }, {
        status: 409,
        error: "Failed to accept task",
        answer: { details: ["Invalid transition: flow \"strict\" does not allow claimed → done"] }
      })
    ]
  },
  {
    line: "error says Invalid API key",
    steps: [get("tasks", {
      headers: { authorization: `Bearer oct_${"0".repeat(64)}` },
      status: 401,
      error: "Invalid API key"
    })]
  },
  {
    line: "error says oct_",
    steps: [
      get("tasks", { headers: { authorization: "Bearer secret" }, status: 401, error: "Keys must start with oct_" })
    ]
  },
  {
    line: "error says mismatch",
    steps: [
      { ...register, keep: { key: "api_key" } },
      get("tasks?scope=other", { headers: { authorization: "Bearer {key}" }, status: 403, error: "Scope mismatch" })
    ]
  }
])

compatible("must keep, where a scope is required", [
  {
    line: "error says scope",
    steps: [
      get("tasks", {
        status: 400,
        error: "Missing required query parameter: scope. Cannot list tasks across all scopes."
      }),
      create({ scope: undefined }, {
        status: 400,
        error: "Missing required field: scope. All tasks must belong to a scope."
      })
    ]
  }
], { REQUIRE_SCOPE: "true" })
