/** What clients send and the old server ignored: each thing is kept or acted upon. */
import { assert } from "@effect/vitest"
import { compatible, type Step } from "./support/cases.ts"
import {
  claim,
  claimed,
  create,
  flow,
  get,
  patch,
  post,
  propose,
  register,
  reject,
  submit
} from "./support/requests.ts"

const history = (check: (last: any, all: ReadonlyArray<any>) => void): Step =>
  get("tasks/{id}/history", { check: ({ history }) => check(history.at(-1), history) })

const ids = (body: any) => body.tasks.map(({ id }: { readonly id: string }) => id.split("-").at(-1))

compatible("8.1: sent, and no longer ignored", [
  {
    line: "8.1#1 max_claimed on claim: 429 when the machine holds as many, reviews not counted",
    steps: [
      ...claimed,
      create({ id: "{id}-2", file_path: "2" }),
      create({ id: "{id}-3", file_path: "3", queue: "provisional" }),
      claim({ max_claimed: 1 }, { status: 429, error: "{id}", answer: { claimed: 1, max_claimed: 1 } }),
      claim({ max_claimed: 1, queue: "provisional" }, { answer: { id: "{id}-3", queue: "provisional" } }),
      claim({ max_claimed: 2 }, { answer: { id: "{id}-2" } })
    ]
  },
  {
    line: "8.1#2 execution_notes on PATCH: why it failed stays on the task and in its history",
    steps: [
      ...claimed,
      patch("tasks/{id}", {
        queue: "failed",
        needs_intervention: false,
        execution_notes: "Max attempts",
        scope: "{scope}"
      }, { answer: { queue: "failed", execution_notes: "Max attempts" } }),
      get("tasks/{id}", { answer: { execution_notes: "Max attempts" } }),
      history(({ reason, to_queue }) => assert.deepStrictEqual([reason, to_queue], ["Max attempts", "failed"]))
    ]
  },
  {
    line: "8.1#3 metadata on create is kept as an object, and does not become the task's checks",
    steps: [
      create({ metadata: { created_by: "human", checks: ["gk-testing"], breakdown_depth: 1 } }, {
        answer: {
          metadata: { created_by: "human", checks: ["gk-testing"], breakdown_depth: 1 },
          checks: null,
          check_results: null
        }
      }),
      get("tasks?scope={scope}", { answer: { "tasks.0.metadata.created_by": "human", "tasks.0.checks": null } })
    ]
  },
  {
    line: "8.1#4 description and child_flow on flow PUT are answered and listed",
    steps: [
      {
        ...flow("project", [["incoming", "done"]], {
          description: "Many tasks, one branch",
          child_flow: { transitions: [{ from: "incoming", to: "claimed", agent: "implementer" }] }
        }),
        answer: { description: "Many tasks, one branch" }
      },
      get("flows?scope={scope}", {
        answer: {
          "flows.0.name": "project",
          "flows.0.description": "Many tasks, one branch",
          "flows.0.child_flow": { transitions: [{ from: "incoming", to: "claimed", agent: "implementer" }] }
        }
      })
    ]
  },
  {
    line: "8.1#5 pr_number and pr_url alone on project PATCH are stored",
    steps: [
      post("projects", { id: "{id}", title: "t", branch: "b", scope: "{scope}" }, { status: 201 }),
      patch("projects/{id}", { pr_url: "https://x/7", pr_number: 7, scope: "{scope}" }, {
        answer: { pr_url: "https://x/7", pr_number: 7 }
      }),
      get("projects/{id}", { answer: { pr_url: "https://x/7", pr_number: 7 } })
    ]
  },
  {
    line: "8.1#6 context on PATCH: why a check failed reaches the next agent and the history",
    steps: [
      ...claimed,
      submit(),
      patch("tasks/{id}", {
        queue: "incoming",
        claimed_by: null,
        lease_expires_at: null,
        context: "lint failed",
        scope: "{scope}"
      }, { answer: { queue: "incoming", execution_notes: "lint failed" } }),
      history(({ reason }) => assert.strictEqual(reason, "lint failed"))
    ]
  },
  {
    line: "8.1#7 reason, branch_name and agent_name on PATCH (mark_needs_continuation) are in the history",
    steps: [
      ...claimed,
      patch("tasks/{id}", {
        queue: "needs_continuation",
        reason: "out of turns",
        branch_name: "agent/{id}",
        agent_name: "ann",
        scope: "{scope}"
      }, { answer: { queue: "needs_continuation" } }),
      history(({ actor, details, reason }) => {
        assert.deepStrictEqual([actor, reason], ["ann", "out of turns"])
        assert.match(details.branch_name, /^agent\//)
      })
    ]
  },
  {
    line: "8.1#7 orchestrator_id on PATCH (resume_task): a resumed task has its machine, a lease, and can be submitted",
    steps: [
      register,
      create({ queue: "needs_continuation" }),
      patch("tasks/{id}", {
        queue: "claimed",
        claimed_by: "ann",
        orchestrator_id: "k-{id}",
        scope: "{scope}"
      }, {
        answer: { queue: "claimed", claimed_by: "ann", orchestrator_id: "k-{id}" },
        check: ({ lease_expires_at }) => assert.isAbove(Date.parse(lease_expires_at), Date.now())
      }),
      submit({}, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "8.1#8 id, max_agents and max_claimed on register: the machine keeps its own id, and its limit holds",
    steps: [
      post("orchestrators/register", {
        id: "host{id}",
        cluster: "default",
        machine_id: "host{id}",
        version: "2.0.0",
        max_agents: 3,
        max_claimed: 1,
        scope: "{scope}"
      }, { status: 201, answer: { orchestrator_id: "host{id}" } }),
      get("orchestrators/host{id}", { answer: { max_agents: 3, max_claimed: 1, machine_id: "host{id}" } }),
      get("scheduler/poll?orchestrator_id=host{id}&scope={scope}", { answer: { orchestrator_registered: true } }),
      create(),
      create({ id: "{id}-2", file_path: "2" }),
      claim({ orchestrator_id: "host{id}" }),
      claim({ orchestrator_id: "host{id}" }, { status: 429, error: "host{id}" })
    ]
  },
  {
    line: "8.1#9 reason on reject is on the task and in its history",
    steps: [
      ...claimed,
      submit(),
      reject("no tests", { answer: { last_rejection_reason: "no tests" } }),
      claim({}, { answer: { last_rejection_reason: "no tests", rejection_count: 1 } }),
      get("tasks/{id}/history", {
        check: ({ history }) =>
          assert.include(history.find(({ event }: any) => event === "rejected"), { reason: "no tests", actor: "ben" })
      })
    ]
  },
  {
    line: "8.1#10 pr_number, type, flow, has_plan, auto_accept and needs_rebase filter the list",
    steps: [
      create({ id: "{id}-a", file_path: "a", type: "bug", flow: "fast", auto_accept: true, pr_number: 7 }),
      create({ id: "{id}-b", file_path: "b", type: "feature" }),
      patch("tasks/{id}-a", { has_plan: true, needs_rebase: true }),
      ...["pr_number=7", "type=bug", "flow=fast", "has_plan=true", "auto_accept=true", "needs_rebase=true"].map((
        query
      ) =>
        get(`tasks?scope={scope}&${query}`, {
          answer: { total: 1 },
          check: (body) => assert.deepStrictEqual(ids(body), ["a"])
        })
      ),
      get("tasks?scope={scope}&has_plan=false&type=bug,feature", {
        check: (body) => assert.deepStrictEqual(ids(body), ["b"])
      })
    ]
  },
  {
    line: "8.1#11 needs_intervention=True (capital) filters",
    steps: [
      create(),
      create({ id: "{id}-2", file_path: "2", queue: "requires-intervention", needs_intervention: true }),
      get("tasks?needs_intervention=True&scope={scope}", { answer: { total: 1, "tasks.0.id": "{id}-2" } })
    ]
  },
  {
    line: "8.1#12 status=pending on actions are the proposals that wait for somebody",
    steps: [
      propose(),
      get("actions?entity_type=draft&status=pending&scope={scope}", {
        answer: { total: 1, "actions.0.id": "{action}", "actions.0.status": "proposed" }
      }),
      post("actions/{action}/execute"),
      get("actions?entity_type=draft&status=pending&scope={scope}", { answer: { total: 0 } })
    ]
  },
  {
    line: "8.1#13 version on PATCH is an optimistic lock",
    steps: [
      create(),
      patch("tasks/{id}", { priority: "P0", version: 1 }, { answer: { version: 2 } }),
      patch("tasks/{id}", { priority: "P3", version: 1 }, { status: 409, error: "version 2" }),
      get("tasks/{id}", { answer: { priority: "P0", version: 2 } })
    ]
  },
  {
    line: "8.1#14 priority_order on claim is the order in which priorities are looked through",
    steps: [
      register,
      create({ priority: "P0" }),
      create({ id: "{id}-2", file_path: "2", priority: "P2" }),
      claim({ priority_order: ["P2", "P1", "P0"] }, { answer: { id: "{id}-2" } }),
      claim({ priority_order: ["P2", "P1"] }, { answer: { id: "{id}" } })
    ]
  },
  {
    line: "8.1#15 draft slug id is kept as `slug`; the id is still a number",
    steps: [
      post("drafts", { id: "idea-{id}", title: "t", author: "a", scope: "{scope}" }, {
        status: 201,
        answer: { slug: "idea-{id}" },
        check: ({ id }) => assert.isNumber(id)
      }),
      get("drafts?scope={scope}&slug=idea-{id}", { answer: { total: 1 } })
    ]
  },
  {
    line: "8.1#16 breakdown_depth on create is kept in the metadata",
    steps: [create({ breakdown_depth: 2 }, { answer: { metadata: { breakdown_depth: 2 } } })]
  }
])
