import { rulesOf } from "../../domain/FlowRules.ts"
import { ImportedFlow } from "../../domain/ImportedRecords.ts"
import { planTable } from "./table.ts"

export const planFlows = planTable({
  kind: "flows",
  identity: ["name"],
  schema: ImportedFlow,
  row: (flow, now) => ({
    name: flow.name,
    description: flow.description ?? null,
    states: JSON.stringify(flow.states),
    transitions: JSON.stringify(flow.transitions),
    child_flow: flow.child_flow === undefined ? null : JSON.stringify(flow.child_flow),
    rules: JSON.stringify(rulesOf(
      flow,
      flow.child_flow && {
        states: flow.child_flow.states ?? [],
        transitions: flow.child_flow.transitions ?? []
      }
    )),
    registered_at: flow.registered_at ?? now,
    updated_at: flow.updated_at ?? flow.registered_at ?? now
  }),
  taken: (name) => `The flow ${name} cannot be written.`
})
