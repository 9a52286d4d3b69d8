import * as Result from "effect/Result"
import { readFlow } from "../../../domain/flow/FlowDefinition.ts"
import { ImportedFlow, reader } from "../../../domain/transfer/ImportedRecords.ts"
import { planTable } from "./table.ts"

const readRecord = reader(ImportedFlow)

export const planFlows = planTable({
  kind: "flows",
  raises: "tasks",
  identity: ["name"],
  unique: "scope",
  // The other server may have accepted a flow that this one would refuse.
  read: (record) =>
    Result.flatMap(readRecord(record), (flow) =>
      Result.mapBoth(readFlow(flow), {
        onFailure: ({ error }) => error,
        onSuccess: ({ columns }) => ({ flow, columns })
      })),
  row: ({ columns, flow }, now) => ({
    name: flow.name,
    ...columns,
    registered_at: flow.registered_at ?? now,
    updated_at: flow.updated_at ?? flow.registered_at ?? now
  }),
  taken: (name) => `The flow ${name} cannot be written.`
})
