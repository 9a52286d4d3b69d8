/**
 * Import: copies the records of another server into a scope. It writes all records of a request or none, and overwrites
 * none.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ScopeName } from "../../domain/Identifier.ts"
import { type ImportBatch, type ImportKind, importKinds, type ImportReport } from "../../domain/transfer/Import.ts"
import type { Row, Step, Steps } from "../../sql/Batch.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import * as JsonRow from "../../sql/JsonRow.ts"
import type { Values } from "../../sql/Statement.ts"
import { Settings } from "../Settings.ts"
import { planActions } from "./import/actions.ts"
import { planDrafts } from "./import/drafts.ts"
import { planFlows } from "./import/flows.ts"
import { planMessages } from "./import/messages.ts"
import { planOrchestrators } from "./import/orchestrators.ts"
import type { KindReport, Plan, Planner } from "./import/plan.ts"
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

/** The steps of all plans. Each has the name of its kind and its own name. */
const stepsOf = (plans: Plans): Steps =>
  Object.fromEntries(
    plans.flatMap(([kind, { steps }]) =>
      Object.entries(steps).map(([name, step]): [string, Step] => [`${kind} ${name}`, step])
    )
  )

const reports = (plans: Plans, answersOf: (kind: ImportKind, name: string) => ReadonlyArray<Row>) => {
  const all = new Map<ImportKind, KindReport>()
  for (const [kind, plan] of plans) {
    const answers = Object.fromEntries(Object.keys(plan.steps).map((name) => [name, answersOf(kind, name)]))
    all.set(kind, plan.report(answers, all))
  }
  return all
}

// What a dry run would find before the import. The report of a repeated request is made from this.
const answer = Idempotency.keeping({
  row: Object.fromEntries(
    importKinds.map((kind) => {
      const { columns, verdicts } = planners[kind]
      return [kind, `(SELECT ${JsonRow.listOf(columns)} FROM (${verdicts}))`]
    })
  ),
  from: "(SELECT 1)",
  where: "1",
  // An import may succeed without changing anything.
  provenBy: "where"
})

const none: Values = Object.assign({}, ...importKinds.map((kind) => planners[kind].none))

const counts = (
  reports: ReadonlyMap<ImportKind, KindReport>,
  of: (report: KindReport) => number
): ImportReport["imported"] => {
  const count = (kind: ImportKind) => {
    const report = reports.get(kind)
    return report === undefined ? 0 : of(report)
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
   * Writes the records that the scope does not have, with their ids and times. A record that does not fit, or whose id
   * is taken, is reported; the others are still written. A repeated import changes nothing. A dry run writes nothing,
   * and makes the report that writing would make.
   */
  readonly run: (scope: ScopeName, records: ImportBatch) => Effect.Effect<ImportReport>
}>()("octopoid-server/services/Import") {
  static readonly layer = Layer.effect(
    Import,
    Effect.gen(function*() {
      const once = yield* Idempotency.make
      const { limits } = yield* Settings
      // An imported lease gets the limits of this server, because the other server had none.
      const attempt = { loss_limit: limits.max_lease_losses || null, attempt_limit: limits.max_attempts || null }

      const run = Effect.fn("Import.run")(function*(scope: ScopeName, records: ImportBatch) {
        const dryRun = records.dry_run ?? false
        const target = { scope, now: yield* Clock.currentTimeMillis, attempt }
        const plansOf = (dryRun: boolean) =>
          importKinds.map((kind) => [kind, planners[kind].plan({ ...target, dryRun }, records[kind] ?? [])] as const)
        const plans = plansOf(dryRun)
        const steps = stepsOf(plans)
        const values: Values = Object.assign({ ...none, scope }, ...plans.map(([, { values }]) => values))
        const { answers, replay } =
          Object.keys(steps).length === 0 && (yield* Idempotency.CurrentIdempotency) === undefined
            ? { answers: {} as Record<string, ReadonlyArray<Row>>, replay: undefined }
            : yield* once.batch(steps, { answer, values })
        const kept = replay?.rows[0]
        const all = kept === undefined
          ? reports(plans, (kind, name) => answers[`${kind} ${name}`] ?? [])
          : reports(plansOf(true), (kind) => JSON.parse(String(kept[kind])) ?? [])
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
