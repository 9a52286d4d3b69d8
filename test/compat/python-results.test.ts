/** What becomes of a claimed task: the result handler, failures, interventions and continuations. */
import { assert } from "@effect/vitest"
import { compatible } from "./support/cases.ts"
import { accept, claim, claimed, create, defaultFlow, sdk, submit, submitted } from "./support/python.ts"

const released = { claimed_by: null, claimed_at: null, orchestrator_id: null, lease_expires_at: null }

const intervene = sdk.patch("tasks/{id}", {
  queue: "requires-intervention",
  needs_intervention: true,
  execution_notes: "push_branch failed: no remote"
}, {
  answer: {
    queue: "requires-intervention",
    needs_intervention: 1,
    execution_notes: "push_branch failed: no remote"
  }
})

/** The requests of the client after a fixer has fixed the task. */
const fixed = (previous_queue: string) =>
  sdk.patch("tasks/{id}", {
    queue: previous_queue,
    claimed_by: null,
    lease_expires_at: null,
    needs_intervention: false
  }, { answer: { needs_intervention: 0 } })

compatible("results", [
  {
    line: "_perform_transition: submit of (0, 0) goes to provisional and clears the claim; burnout does not fire",
    steps: [
      defaultFlow,
      ...claimed,
      submit({}, { answer: { queue: "provisional", ...released, commits_count: 0, turns_used: 0 } }),
      sdk.get("tasks/{id}", {}, { check: ({ submitted_at }) => assert.isString(submitted_at) })
    ]
  },
  {
    line: "submit_completion: real numbers and execution_notes are stored; a later submit without notes shows none",
    steps: [
      ...claimed,
      submit({ commits_count: 3, turns_used: 42, execution_notes: "done so" }, {
        answer: { commits_count: 3, turns_used: 42, execution_notes: "done so" }
      }),
      sdk.post("tasks/{id}/reject", { reason: "r", rejected_by: "gatekeeper" }),
      claim(),
      submit({}, { answer: { execution_notes: null } }),
      sdk.get("tasks/{id}/history", {}, {
        check: ({ history }) =>
          assert.deepStrictEqual(
            history.filter(({ event }: { readonly event: string }) => event === "submitted")
              .map(({ details }: { readonly details: { readonly execution_notes?: string } }) =>
                details.execution_notes
              ),
            ["done so", undefined]
          )
      })
    ]
  },
  {
    line: "4.4: turns without a commit, and very many turns, end in needs_continuation",
    steps: [
      defaultFlow,
      ...claimed,
      submit({ commits_count: 0, turns_used: 80 }, { answer: { queue: "needs_continuation", ...released } })
    ]
  },
  {
    line:
      "accept by flow-engine under the default flow: done, completed_at set, and the PATCH after it changes nothing",
    steps: [
      defaultFlow,
      ...submitted,
      accept({
        answer: { queue: "done", ...released },
        check: ({ completed_at }) => assert.isString(completed_at),
        keep: { updated: "updated_at" }
      }),
      sdk.patch("tasks/{id}", { needs_intervention: false }, { answer: { queue: "done", updated_at: "{updated}" } })
    ]
  },
  {
    line:
      "4.2: accept from claimed works where no flow is registered, and is 409 under a default flow without that step",
    steps: [
      ...claimed,
      defaultFlow,
      accept({
        status: 409,
        error: "Failed to accept task",
        answer: { details: ["Invalid transition: flow \"default\" does not allow claimed → done"] }
      }),
      sdk.delete("flows/default?scope={scope}"),
      accept({ answer: { queue: "done" } })
    ]
  },
  {
    line: "8.2#12: who accepted the task can be read",
    steps: [
      ...submitted,
      accept(),
      sdk.get("tasks/{id}/history", {}, {
        check: ({ history }) =>
          assert.deepInclude(history.at(-1), { event: "accepted", actor: "flow-engine", to_queue: "done" })
      })
    ]
  },
  {
    line: "reject by the gatekeeper step under the default flow: incoming, counted, ready for the next claim",
    steps: [
      defaultFlow,
      ...submitted,
      sdk.post("tasks/{id}/reject", { reason: "no tests", rejected_by: "gatekeeper" }, {
        answer: { queue: "incoming", rejection_count: 1, ...released }
      }),
      claim({}, { answer: { id: "{id}", rejection_count: 1, attempt_count: 0 } })
    ]
  },
  {
    line: "_handle_agent_failure: reject of a claimed task goes back to incoming by the client's implicit step",
    steps: [
      defaultFlow,
      ...claimed,
      sdk.post("tasks/{id}/reject", { reason: "agent failed", rejected_by: "orchestrator" }, {
        answer: { queue: "incoming", ...released }
      })
    ]
  },
  {
    line: "octopoid requeue: no arguments but the scope, one attempt more",
    steps: [
      defaultFlow,
      ...claimed,
      sdk.post("tasks/{id}/requeue", {}, { answer: { queue: "incoming", attempt_count: 1, ...released } })
    ]
  },
  {
    line: "steps.create_pr: pr_number and pr_url are there when it reads the task again",
    steps: [
      ...claimed,
      sdk.patch("tasks/{id}", { pr_number: 12, pr_url: "https://example.com/pull/12" }, {
        answer: { queue: "claimed", claimed_by: "implementer-1" }
      }),
      sdk.get("tasks/{id}", {}, { answer: { pr_number: 12, pr_url: "https://example.com/pull/12" } })
    ]
  }
])

compatible("failures and interventions", [
  {
    line:
      "8.1#2, C1: request_intervention keeps why; 8.2#9, A4: after the fixer the result can be submitted from there",
    steps: [
      defaultFlow,
      ...claimed,
      intervene,
      submit({}, { answer: { queue: "provisional", needs_intervention: 0 } }),
      accept({ answer: { queue: "done" } })
    ]
  },
  {
    line: "8.2#9: request_intervention with claimed_by null, and _resume_flow by submit",
    steps: [
      defaultFlow,
      ...claimed,
      sdk.patch("tasks/{id}", {
        queue: "requires-intervention",
        needs_intervention: true,
        execution_notes: "boom",
        claimed_by: null
      }, { answer: { queue: "requires-intervention", ...released } }),
      submit({}, { answer: { queue: "provisional", needs_intervention: 0 } })
    ]
  },
  {
    line: "8.2#9: a task that came up in review is accepted out of requires-intervention",
    steps: [defaultFlow, ...submitted, intervene, accept({ answer: { queue: "done", needs_intervention: 0 } })]
  },
  {
    line: "8.2#9: the same where no flow is registered",
    steps: [...submitted, intervene, accept({ answer: { queue: "done" } })]
  },
  {
    line: "fixer results: PATCH back to the previous queue, claimed, and submit from there works",
    steps: [defaultFlow, ...claimed, intervene, fixed("claimed"), submit({}, { answer: { queue: "provisional" } })]
  },
  {
    line: "fixer results: PATCH back to provisional, ready for the next reviewer",
    steps: [
      defaultFlow,
      ...submitted,
      intervene,
      { ...fixed("provisional"), answer: { queue: "provisional", needs_intervention: 0, ...released } },
      claim({ agent_name: "gatekeeper-1", queue: "provisional" }, { answer: { id: "{id}" } })
    ]
  },
  {
    line: "fixer results: PATCH back to incoming, ready for the next implementer",
    steps: [defaultFlow, ...claimed, intervene, fixed("incoming"), claim({}, { answer: { id: "{id}" } })]
  },
  {
    line: "a fixer that claims the task where it waits, and submits it, sends it on from where it came up",
    steps: [
      defaultFlow,
      ...claimed,
      intervene,
      claim({ agent_name: "fixer-1", queue: "requires-intervention" }, { answer: { id: "{id}", queue: "claimed" } }),
      submit({}, { answer: { queue: "provisional", needs_intervention: 0 } })
    ]
  },
  {
    line: "T9: needs_intervention survives a PATCH that does not speak of it",
    steps: [
      create(),
      sdk.patch("tasks/{id}", { needs_intervention: true }, { answer: { needs_intervention: 1 } }),
      sdk.patch("tasks/{id}", { queue: "needs_continuation" }, { answer: { needs_intervention: 1 } }),
      sdk.patch("tasks/{id}", { queue: "incoming", claimed_by: null }, { answer: { needs_intervention: 1 } })
    ]
  },
  {
    line: "8.3: the fixer's needs_intervention=false on a done task, every tick, does not move `updated_at`",
    steps: [
      ...submitted,
      accept({ keep: { updated: "updated_at" } }),
      sdk.patch("tasks/{id}", { needs_intervention: false }, {
        times: 3,
        after: 20,
        answer: { queue: "done", updated_at: "{updated}" }
      })
    ]
  },
  {
    line: "8.1#2, U21: fail_task the second time: failed, released, and the reason kept",
    steps: [
      defaultFlow,
      ...claimed,
      sdk.patch("tasks/{id}", { queue: "failed", needs_intervention: false, execution_notes: "twice: no remote" }, {
        answer: { queue: "failed", execution_notes: "twice: no remote", needs_intervention: 0, ...released }
      }),
      sdk.get("tasks/{id}", {}, { answer: { execution_notes: "twice: no remote" } }),
      sdk.get("tasks/{id}/history", {}, {
        check: ({ history }) => assert.strictEqual(history.at(-1).reason, "twice: no remote")
      })
    ]
  },
  {
    line: "sdk.tasks.fail: queue failed and execution_notes are all it sends",
    steps: [
      ...claimed,
      sdk.patch("tasks/{id}", { queue: "failed", execution_notes: "why" }, {
        answer: { queue: "failed", execution_notes: "why", ...released }
      })
    ]
  },
  {
    line: "9: claimed_by given together with queue=failed is kept",
    steps: [
      ...claimed,
      sdk.patch("tasks/{id}", { queue: "failed", claimed_by: "implementer-1" }, {
        answer: { queue: "failed", ...released, claimed_by: "implementer-1" }
      }),
      sdk.get("tasks/{id}", {}, { answer: { queue: "failed", claimed_by: "implementer-1" } })
    ]
  }
])
