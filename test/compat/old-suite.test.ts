/** The known assertions of the old server's own tests: roles, forced moves, claims across scopes, dependencies. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import {
  accept,
  claim,
  claimed,
  create,
  defaultFlow,
  flow,
  get,
  patch,
  post,
  put,
  register,
  reject,
  remove,
  submit
} from "./support/requests.ts"

/** A machine of the scope `{scope}-roles` and its roles, which no other scope has. */
const roles: ReadonlyArray<Step> = [
  post("orchestrators/register", {
    cluster: "k",
    machine_id: "{id}",
    repo_url: "r",
    scope: "{scope}-roles"
  }, { status: 201 }),
  post("roles/register", {
    orchestrator_id: "k-{id}",
    roles: [{ name: "{id}-impl", claims_from: "incoming", description: "writes" }, {
      name: "{id}-review",
      claims_from: "provisional"
    }, { description: "no name" }]
  }, { answer: { "roles.length": 2, "roles.0.description": "writes", "roles.1.claims_from": "provisional" } })
]

compatible("the old server's tests, of tasks", [
  {
    line: "roles: registered ones are listed and read without a scope, items without a name are skipped",
    steps: [
      ...roles,
      get("roles", { check: ({ roles }) => assert.isAtLeast(roles.length, 2) }),
      get("roles/{id}-review", {
        answer: { name: "{id}-review", claims_from: "provisional", orchestrator_id: "k-{id}" }
      }),
      get("roles/nobody", { status: 404, error: "Role not found" }),
      post("roles/register", { orchestrator_id: "nobody", roles: [] }, {
        status: 400,
        error: "Orchestrator 'nobody' not found"
      })
    ]
  },
  {
    line: "roles: an unknown one is refused in the scope of the machine that registered some",
    steps: [
      ...roles,
      create({ scope: "{scope}-roles", role: "{id}-stranger" }, { status: 400, error: "Unknown role '{id}-stranger'" }),
      claim({ role_filter: "{id}-stranger" }, { status: 400, error: "Unknown role '{id}-stranger'" })
    ]
  },
  {
    line: "roles: a task of that role in another scope is created, and claimed there from where the role claims",
    steps: [
      ...roles,
      create({ role: "{id}-review", queue: "provisional" }),
      create({ id: "{id}-2", file_path: "2", role: "{id}-review" }),
      claim({ role_filter: "{id}-review" }, { answer: { id: "{id}", queue: "provisional", claimed_by: "ann" } }),
      claim({ role_filter: "{id}-review", queue: "incoming" }, { answer: { id: "{id}-2", queue: "claimed" } })
    ]
  },
  {
    line: "roles: where none are registered any name goes",
    steps: [
      register,
      create({ role: "anything" }),
      claim({ role_filter: ["anything"] }, { answer: { role: "anything" } })
    ]
  },
  {
    line: "force-queue moves from anywhere to anywhere, and leaves a message and a reason in the history",
    steps: [
      ...claimed,
      post("tasks/{id}/force-queue", { queue: "failed", reason: "hopeless" }, {
        answer: { queue: "failed", claimed_by: null, claimed_at: null, lease_expires_at: null, orchestrator_id: null }
      }),
      post("tasks/{id}/force-queue", { queue: "done", reason: "did it by hand" }, {
        answer: { queue: "done" },
        check: ({ completed_at }) => assert.isString(completed_at)
      }),
      get("tasks/{id}/messages?scope={scope}", {
        answer: {
          total: 2,
          "messages.0.type": "force_queue",
          "messages.0.from_actor": "system",
          "messages.0.to_actor": null,
          "messages.0.content": "hopeless",
          "messages.1.content": "did it by hand"
        }
      }),
      get("tasks/{id}/history", {
        check: ({ history }) => {
          assert.include(history.at(-1), { event: "force_queue", reason: "did it by hand" })
          assert.deepInclude(history.at(-1).details, { from: "failed", to: "done" })
        }
      })
    ]
  },
  {
    line: "force-queue to done releases who waited, to a queue the flow lacks is refused",
    steps: [
      defaultFlow,
      create(),
      create({ id: "{id}-2", file_path: "2", blocked_by: "{id}" }),
      post("tasks/{id}/force-queue", { queue: "bogus", reason: "r" }, {
        status: 400,
        error: "Invalid queue \"bogus\""
      }),
      post("tasks/{id}/force-queue", { queue: "done", reason: "r" }),
      get("tasks/{id}-2", { answer: { blocked_by: null } })
    ]
  },
  {
    line: "a machine of one scope claims in another, and sees only the tasks of that one",
    steps: [
      register,
      create(),
      create({ id: "{id}-2", file_path: "2", scope: "{scope}-2", priority: "P0" }),
      claim({}, { answer: { id: "{id}" } }),
      claim({}, { status: 404 }),
      claim({ scope: "{scope}-2" }, { answer: { id: "{id}-2" } })
    ]
  },
  {
    line: "claim: role and type filters, one or several; an unmet blocker keeps a task back",
    steps: [
      register,
      create({ id: "{id}-a", file_path: "a", role: "impl", type: "bug" }),
      create({ id: "{id}-b", file_path: "b", role: "test", type: "feature", blocked_by: "{id}-a" }),
      claim({ role_filter: "test" }, { status: 404 }),
      claim({ role_filter: ["test", "impl"], type_filter: "feature" }, { status: 404 }),
      claim({ type_filter: ["bug", "feature"] }, { answer: { id: "{id}-a" } }),
      post("tasks/{id}-a/accept", { accepted_by: "ben" }),
      claim({ role_filter: "test" }, { answer: { id: "{id}-b", blocked_by: null } })
    ]
  },
  {
    line: "every transition clears the claim and needs_intervention, and raises the version",
    steps: [
      ...claimed,
      patch("tasks/{id}", { needs_intervention: true }, { keep: { version: "version" } }),
      submit({}, {
        answer: {
          claimed_by: null,
          claimed_at: null,
          orchestrator_id: null,
          lease_expires_at: null,
          needs_intervention: 0
        },
        check: ({ version }) => assert.isAbove(version, 3)
      }),
      patch("tasks/{id}", { needs_intervention: true }),
      reject("bad", { answer: { needs_intervention: 0, queue: "incoming" } })
    ]
  },
  {
    line: "submit: burnout goes to needs_continuation, honest work to provisional",
    steps: [
      ...claimed,
      submit({ commits_count: 0, turns_used: 80 }, { answer: { queue: "needs_continuation", turns_used: 80 } }),
      claim({ queue: "needs_continuation" }),
      submit({ commits_count: 3, turns_used: 100 }, { answer: { queue: "needs_continuation" } }),
      claim({ queue: "needs_continuation" }),
      submit({ commits_count: 1, turns_used: 99 }, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "submit of a task that nobody holds is 409, with what was expected",
    steps: [
      create(),
      submit({}, { status: 409, answer: { details: ["Invalid transition: task is in incoming, expected claimed"] } })
    ]
  },
  {
    line: "a registered flow decides: accept and reject only along its transitions",
    steps: [
      register,
      flow("qa", [["incoming", "claimed"], ["claimed", "provisional"], ["provisional", "testing"], [
        "testing",
        "done"
      ]]),
      create({ flow: "qa" }),
      claim(),
      submit(),
      accept({ status: 409, error: "Failed to accept task" }),
      reject("bad", {
        status: 409,
        answer: { details: ["Invalid transition: flow \"qa\" does not allow provisional → incoming"] }
      }),
      patch("tasks/{id}", { queue: "testing" }, { answer: { queue: "testing" } }),
      accept({ answer: { queue: "done" } })
    ]
  },
  {
    line:
      "flows: states without a built-in one, no states and no transitions are refused; a flow is replaced, read, deleted",
    steps: [
      put("flows/f", { scope: "{scope}", states: ["incoming"], transitions: [] }, {
        status: 400,
        error: "Flow states must include built-in state"
      }),
      put("flows/f", { scope: "{scope}", transitions: [] }, {
        status: 400,
        error: "Missing required field: states (array)"
      }),
      put("flows/f", { scope: "{scope}", states: ["incoming", "claimed", "done", "failed"] }, {
        status: 400,
        error: "Missing required field: transitions (array)"
      }),
      { ...flow("f", [["incoming", "claimed"]]), keep: { registered: "registered_at" } },
      { ...flow("f", [["incoming", "claimed"], ["claimed", "done"]]), answer: { registered_at: "{registered}" } },
      get("flows/f?scope={scope}", {
        answer: { name: "f", scope: "{scope}" },
        check: ({ transitions }) => assert.deepStrictEqual(JSON.parse(transitions)[1], { from: "claimed", to: "done" })
      }),
      get("flows/f?scope={scope}-2", { status: 404, error: "Flow not found" }),
      remove("flows/f?scope={scope}", { answer: { message: "Flow deleted" } }),
      get("flows?scope={scope}", { answer: { flows: [] } })
    ]
  }
])
