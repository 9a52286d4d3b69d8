/** The moves the orchestrator makes by PATCH: each caller with the body it sends. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { accept, claim, claimed, create, defaultFlow, register, sdk, submit, submitted } from "./support/python.ts"

const released = { claimed_by: null, claimed_at: null, orchestrator_id: null, lease_expires_at: null }

/** `reset_task`, `retry_task` and `unclaim_task`. */
const reset = {
  queue: "incoming",
  claimed_by: null,
  claimed_at: null,
  checks: null,
  check_results: null,
  rejection_count: 0
}

const continuing = { agent_name: "continuer-1", queue: "needs_continuation" }

compatible("the orchestrator's PATCHes", [
  {
    line: "continuation: queue=needs_continuation keeps the work so far, and the continuer claims it from there",
    steps: [
      defaultFlow,
      ...claimed,
      sdk.patch("tasks/{id}", { pr_number: 3, needs_intervention: false }),
      sdk.patch("tasks/{id}", { queue: "needs_continuation" }, {
        answer: {
          queue: "needs_continuation",
          pr_number: 3,
          attempt_count: 0,
          branch: "main",
          content: "# Do it\n\nAll of it."
        }
      }),
      sdk.get("scheduler/poll", { orchestrator_id: "c-{id}" }, { answer: { "queue_counts.needs_continuation": 1 } }),
      claim(continuing, { answer: { id: "{id}", queue: "claimed", claimed_by: "continuer-1" } }),
      submit({}, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "a continuer that vanishes leaves the task in needs_continuation, not at the start",
    steps: [
      defaultFlow,
      ...claimed,
      sdk.patch("tasks/{id}", { queue: "needs_continuation" }),
      claim({ ...continuing, lease_duration_seconds: 1 }, { answer: { id: "{id}" } }),
      { send: "cron", after: 1100 },
      sdk.get("tasks/{id}", {}, { answer: { queue: "needs_continuation", attempt_count: 1, claimed_by: null } })
    ]
  },
  {
    line: "8.1#7, C12: mark_needs_continuation: reason, branch_name and agent_name are kept in the history",
    steps: [
      ...claimed,
      sdk.patch("tasks/{id}", {
        queue: "needs_continuation",
        reason: "max_turns",
        branch_name: "agent/x",
        agent_name: "implementer-1"
      }, {
        answer: { queue: "needs_continuation", branch: "main" },
        check: (task) => assert.notProperty(task, "branch_name")
      }),
      sdk.get("tasks/{id}/history", {}, {
        check: ({ history }) => {
          const { actor, details, reason } = history.at(-1)
          assert.deepStrictEqual([actor, reason, details.branch_name], ["implementer-1", "max_turns", "agent/x"])
        }
      })
    ]
  },
  {
    line: "8.1#7, A16: resume_task: queue=claimed with an agent and a machine gets a lease, and its submit works",
    steps: [
      defaultFlow,
      ...claimed,
      sdk.patch("tasks/{id}", { queue: "needs_continuation" }),
      sdk.patch("tasks/{id}", { queue: "claimed", claimed_by: "implementer-2", orchestrator_id: "c-{id}" }, {
        answer: { queue: "claimed", claimed_by: "implementer-2", orchestrator_id: "c-{id}" },
        check: ({ claimed_at, lease_expires_at }) => {
          assert.isString(claimed_at)
          assert.isAbove(Date.parse(lease_expires_at), Date.now())
        }
      }),
      submit({ commits_count: 1, turns_used: 5 }, { answer: { queue: "provisional" } })
    ]
  },
  {
    line: "check_and_evaluate_checks: back to incoming from review; 8.1#6: why the checks failed is kept",
    steps: [
      defaultFlow,
      ...submitted,
      claim({ agent_name: "gatekeeper-1", queue: "provisional" }),
      sdk.patch("tasks/{id}", {
        queue: "incoming",
        claimed_by: null,
        lease_expires_at: null,
        context: "CI failed: lint"
      }, { answer: { queue: "incoming", execution_notes: "CI failed: lint", ...released } }),
      sdk.get("tasks/{id}/history", {}, {
        check: ({ history }) => assert.strictEqual(history.at(-1).reason, "CI failed: lint")
      })
    ]
  },
  {
    line: "_perform_transition to a queue of the flow's own, and accept from there",
    steps: [
      sdk.put("flows/default", {
        states: ["incoming", "claimed", "provisional", "human_review", "done", "failed"],
        transitions: [
          { from: "incoming", to: "claimed" },
          { from: "claimed", to: "provisional" },
          { from: "provisional", to: "human_review" },
          { from: "human_review", to: "done" }
        ]
      }),
      ...submitted,
      sdk.patch("tasks/{id}", { queue: "human_review" }, { answer: { queue: "human_review", claimed_by: null } }),
      accept({ answer: { queue: "done" } })
    ]
  },
  {
    line:
      "8.2#17: hold, escalate, breakdown and recycle by PATCH work under a registered default flow; a bogus queue is 400",
    steps: [
      defaultFlow,
      create(),
      ...["escalated", "breakdown", "rejected", "recycled", "requires-intervention", "needs_continuation"].map((
        queue
      ) => sdk.patch("tasks/{id}", { queue }, { answer: { queue } })),
      sdk.patch("tasks/{id}", { queue: "bogus" }, {
        status: 400,
        error: "Invalid queue \"bogus\". Valid queues for flow \"default\": incoming, claimed"
      }),
      sdk.get("tasks/{id}", {}, { answer: { queue: "needs_continuation" } }),
      create({ id: "{id}-2", file_path: "2", queue: "bogus" }, { status: 400, error: "Invalid queue \"bogus\"" }),
      register,
      claim({ queue: "bogus" }, { status: 400, error: "Invalid queue \"bogus\"" }),
      sdk.post("tasks/{id}/force-queue", { queue: "bogus", reason: "r" }, {
        status: 400,
        error: "Invalid queue \"bogus\""
      })
    ]
  },
  {
    line: "8.2#17: send_to_breakdown creates in `breakdown` under a registered flow",
    steps: [
      defaultFlow,
      create({ queue: "breakdown", role: "breakdown" }, { answer: { queue: "breakdown" } }),
      sdk.get("scheduler/poll", {}, { answer: { "queue_counts.breakdown": 1 } })
    ]
  },
  {
    line: "4.1: without a registered flow any queue name is accepted",
    steps: [create(), sdk.patch("tasks/{id}", { queue: "backlog" }, { answer: { queue: "backlog" } })]
  },
  {
    line: "reset_task, retry_task and unclaim_task: ready again from claimed, from failed and from done",
    steps: [
      defaultFlow,
      ...claimed,
      sdk.patch("tasks/{id}", reset, { answer: { queue: "incoming", ...released, checks: null, rejection_count: 0 } }),
      sdk.patch("tasks/{id}", { queue: "failed" }),
      sdk.patch("tasks/{id}", reset, { answer: { queue: "incoming" } }),
      claim({}, { answer: { id: "{id}" } }),
      submit(),
      accept(),
      sdk.patch("tasks/{id}", reset, { answer: { queue: "incoming", completed_at: null } }),
      claim({}, { answer: { id: "{id}" } })
    ]
  },
  {
    line: "A10: a PATCH to incoming that says nothing of the claim leaves none behind",
    steps: [...claimed, sdk.patch("tasks/{id}", { queue: "incoming" }, { answer: { queue: "incoming", ...released } })]
  },
  {
    line: "8.5: `updated_at` stays when a PATCH changes nothing and moves when it does",
    steps: [
      create({}, { keep: { updated: "updated_at" } }),
      sdk.patch("tasks/{id}", { title: "Do it", priority: "P1", queue: "incoming", claimed_by: null }, {
        after: 20,
        answer: { updated_at: "{updated}", version: 1 }
      }),
      sdk.patch("tasks/{id}", { title: "other" }, { answer: { version: 2 }, keep: { later: "updated_at" } }),
      sdk.get("tasks/{id}", {}, { answer: { updated_at: "{later}" } })
    ]
  },
  {
    line: "8.5: `updated_at` of a task just accepted is now, and `completed_at` goes when it leaves done",
    steps: [
      ...submitted,
      sdk.post("tasks/{id}/accept", { accepted_by: "scheduler" }, {
        after: 20,
        check: ({ completed_at, created_at, updated_at }) => {
          assert.strictEqual(updated_at, completed_at)
          assert.isAbove(Date.parse(updated_at), Date.parse(created_at))
        }
      }),
      sdk.patch("tasks/{id}", { queue: "incoming" }, { answer: { completed_at: null } })
    ]
  }
])
