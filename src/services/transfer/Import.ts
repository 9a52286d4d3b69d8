/** Import: copies the records of another server into a scope, all of a request or none, and never over what is there. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ScopeName } from "../../domain/Identifier.ts"
import { type ImportBatch, type ImportKind, importKinds, type ImportReport } from "../../domain/transfer/Import.ts"
import { type Answers, Database } from "../../sql/Database.ts"
import { CurrentIdempotency } from "../../sql/Idempotency.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import * as JsonRow from "../../sql/legacy/JsonRow.ts"
import { planActions } from "./import/actions.ts"
import { planDrafts } from "./import/drafts.ts"
import { planFlows } from "./import/flows.ts"
import { planMessages } from "./import/messages.ts"
import { planOrchestrators } from "./import/orchestrators.ts"
import type { Outcome, Plan, Planner } from "./import/plan.ts"
import { planProjects } from "./import/projects.ts"
import { planRoles } from "./import/roles.ts"
import { planTasks } from "./import/tasks.ts"

type Plans = ReadonlyArray<readonly [ImportKind, Plan]>

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

const remembered = (plans: Plans, { rows: [kept] }: Idempotency.Replay): Answers =>
  plans.flatMap(([kind, { statements }]) => statements.map(() => JSON.parse(String(kept![kind])) ?? []))

const outcomes = (plans: Plans, answers: Answers) => {
  let at = 0
  const all = new Map<ImportKind, Outcome>()
  for (const [kind, plan] of plans) {
    all.set(kind, plan.outcome(answers.slice(at, at += plan.statements.length), all))
  }
  return all
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
      const { sql } = yield* Database
      const once = yield* Idempotency.make

      /** What a dry run would find now, from which the report can be made again: all that is kept of an import. */
      const found = ({ columns, statements: [verdicts] }: Plan) => {
        // What identifies a record is text that happens to be JSON.
        const row = Object.fromEntries(
          columns.map((name) => [name, name === "identity" ? sql`identity || ''` : sql`${sql(name)}`])
        )
        return verdicts === undefined ? sql`NULL` : sql`(SELECT ${JsonRow.listOf(sql, row)} FROM (${verdicts}))`
      }

      const run = Effect.fn("Import.run")(function*(scope: ScopeName, records: ImportBatch) {
        const dryRun = records.dry_run ?? false
        const target = { scope, now: yield* Clock.currentTimeMillis, dryRun }
        const plansOf = (dryRun: boolean) =>
          importKinds.map((kind) => [kind, planners[kind](sql, { ...target, dryRun }, records[kind] ?? [])] as const)
        const plans = plansOf(dryRun)
        const rehearsal = (yield* CurrentIdempotency) === undefined ? [] : plansOf(true)
        const statements = plans.flatMap(([, plan]) => plan.statements)
        const { answers, replay } = statements.length + rehearsal.length === 0
          ? { answers: [], replay: undefined }
          : yield* once.batch(statements, {
            after: -1,
            row: Object.fromEntries(rehearsal.map(([kind, plan]) => [kind, found(plan)])),
            from: sql`(SELECT 1)`
          })
        const all = replay === undefined ? outcomes(plans, answers) : outcomes(rehearsal, remembered(rehearsal, replay))
        const report: ImportReport = {
          scope,
          dry_run: dryRun,
          imported: counts(all, ({ written }) => written.length),
          existing: counts(all, ({ existing }) => existing),
          conflicts: [...all.values()].flatMap(({ conflicts }) => conflicts)
        }
        if (replay !== undefined) return report
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
