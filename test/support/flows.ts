/** The flows that the Python client ships, as it registers them: with the steps it adds for what fails. */

export const defaultFlow = {
  states: ["claimed", "done", "failed", "incoming", "needs_continuation", "provisional", "requires-intervention"],
  transitions: [
    { from: "incoming", to: "claimed", agent: "implementer" },
    { from: "claimed", to: "provisional", runs: ["push_branch", "run_tests", "create_pr"], on_checks_fail: "incoming" },
    {
      from: "provisional",
      to: "done",
      conditions: [{ name: "review", type: "agent", agent: "gatekeeper", on_fail: "incoming" }],
      checks: ["ci"],
      runs: ["approve_and_merge"]
    },
    { from: "provisional", to: "incoming" },
    { from: "claimed", to: "incoming" },
    { from: "claimed", to: "needs_continuation" }
  ]
}

export const projectFlow = {
  description: "Tasks on one branch, merged together",
  states: [
    "children_complete",
    "claimed",
    "done",
    "failed",
    "incoming",
    "needs_continuation",
    "provisional",
    "requires-intervention"
  ],
  transitions: [
    { from: "children_complete", to: "provisional", runs: ["create_project_pr"] },
    { from: "provisional", to: "done", conditions: [{ name: "human_approval", type: "manual", on_fail: "incoming" }] },
    { from: "provisional", to: "incoming" },
    { from: "claimed", to: "incoming" },
    { from: "claimed", to: "needs_continuation" }
  ],
  child_flow: {
    transitions: [
      { from: "incoming", to: "claimed", agent: "implementer" },
      { from: "claimed", to: "done", runs: ["rebase_on_project_branch", "run_tests"] }
    ]
  }
}

/** A pipeline of its own: results are tested before they are reviewed. */
export const testingFlow = {
  states: ["incoming", "claimed", "testing", "provisional", "done"],
  transitions: [
    { from: "incoming", to: "claimed" },
    { from: "claimed", to: "testing" },
    { from: "testing", to: "provisional" },
    { from: "testing", to: "incoming" },
    { from: "provisional", to: "done" }
  ]
}
