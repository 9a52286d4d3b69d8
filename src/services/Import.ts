/** Import: copies the records of another server into a scope, all of a request or none, and never over what is there. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ScopeName } from "../domain/Identifier.ts"
import { type ImportBatch, type ImportKind, importKinds, type ImportReport } from "../domain/Import.ts"
import { Database } from "../sql/Database.ts"
import { planActions } from "./Import/actions.ts"
import { planDrafts } from "./Import/drafts.ts"
import { planFlows } from "./Import/flows.ts"
import { planMessages } from "./Import/messages.ts"
import { planOrchestrators } from "./Import/orchestrators.ts"
import type { Outcome, Planner } from "./Import/plan.ts"
import { planProjects } from "./Import/projects.ts"
import { planRoles } from "./Import/roles.ts"
import { planTasks } from "./Import/tasks.ts"

const planners: Record<ImportKind, Planner> = {
  flows: planFlows,
  roles: planRoles,
  orchestrators: planOrchestrators,
  projects: planProjects,
  drafts: planDrafts,
  tasks: planTasks,
  messages: planMessages,
  actions: planActions
}

const counts = (
  outcomes: ReadonlyMap<ImportKind, Outcome>,
  of: (outcome: Outcome) => number
): ImportReport["imported"] => {
  const count = (kind: ImportKind) => {
    const outcome = outcomes.get(kind)
    return outcome === undefined ? 0 : of(outcome)
  }
  return {
    flows: count("flows"),
    roles: count("roles"),
    orchestrators: count("orchestrators"),
    projects: count("projects"),
    drafts: count("drafts"),
    tasks: count("tasks"),
    messages: count("messages"),
    actions: count("actions")
  }
}

export class Import extends Context.Service<Import, {
  /**
   * Writes the records the scope has not got yet, with the ids and times they had. A record that does not fit, or whose
   * id is taken, is reported and does not keep the others from being written. To repeat an import changes nothing. A dry
   * run writes nothing, and reports what would be reported of writing.
   */
  readonly run: (scope: ScopeName, records: ImportBatch) => Effect.Effect<ImportReport>
}>()("octopoid-server/services/Import") {
  static readonly layer = Layer.effect(
    Import,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database

      const run = Effect.fn("Import.run")(function*(scope: ScopeName, records: ImportBatch) {
        const dryRun = records.dry_run ?? false
        const target = { scope, now: yield* Clock.currentTimeMillis, dryRun }
        const plans = importKinds.map((kind) => [kind, planners[kind](sql, target, records[kind] ?? [])] as const)
        const statements = plans.flatMap(([, plan]) => plan.statements)
        const answers = statements.length === 0 ? [] : yield* batch(statements)
        let at = 0
        const outcomes = new Map<ImportKind, Outcome>()
        for (const [kind, plan] of plans) {
          outcomes.set(kind, plan.outcome(answers.slice(at, at += plan.statements.length), outcomes))
        }
        const report: ImportReport = {
          scope,
          dry_run: dryRun,
          imported: counts(outcomes, ({ written }) => written.length),
          existing: counts(outcomes, ({ existing }) => existing),
          conflicts: [...outcomes.values()].flatMap(({ conflicts }) => conflicts)
        }
        yield* Effect.logInfo(dryRun ? "import rehearsed" : "imported").pipe(Effect.annotateLogs({
          scope,
          imported: report.imported,
          conflicts: report.conflicts.length
        }))
        return report
      })

      return Import.of({ run })
    })
  )
}
