/** Evidence of a result: what was run on which commit, and how it ended. A project may require kinds of it. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, integer, jsonColumn, listOf, maybe, text } from "../Encoding.ts"
import { type ProjectId, TaskId } from "../Identifier.ts"
import { atMostAsJson, filled, Line, ReasonText } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"

/** How many items the evidence of a task has. */
export const MaxEvidence = 20

/** The largest evidence of a task, in bytes of JSON. */
export const MaxEvidenceBytes = 16_384

/** How long the name of a kind and that of a commit may be, in bytes. */
export const MaxKind = 100

/** How many kinds a project may require. */
export const MaxRequired = 20

const kind = filled(MaxKind)

/** The name of a commit. */
export const Commit = filled(MaxKind)

export const Evidence = Schema.Struct({
  kind: kind.pipe(describe("What it shows: `test`, `lint`, `build` … Any text. A project may require kinds.")),
  command: maybe(Line, "The command that was run."),
  exit_code: maybe(
    integer,
    "How the command ended. Other than 0, the item does not count for a kind that is required."
  ),
  commit: maybe(Commit, "The commit it is about; the head commit of the task unless given."),
  url: maybe(Line, "Where it can be looked at."),
  summary: maybe(ReasonText, "What it says, in a few words.")
}).annotate({ identifier: "Evidence" })
export type Evidence = typeof Evidence.Type

export const EvidenceList = listOf(Evidence, MaxEvidence).check(atMostAsJson(MaxEvidenceBytes))

const kept = {
  kind: Schema.String.pipe(describe("What it shows.")),
  command: text("The command that was run."),
  exit_code: Schema.NullOr(Schema.Int).pipe(describe("How the command ended.")),
  commit: text("The commit it is about. It counts if that is the `head_commit` of the task."),
  url: text("Where it can be looked at."),
  summary: text("What it says.")
}

const stale = Schema.Boolean.pipe(
  describe("Whether it is of another commit than the `head_commit` of the task. Then it does not count.")
)

export const KeptEvidence = Schema.Struct({ ...kept, stale }).annotate({ identifier: "KeptEvidence" })
export type KeptEvidence = typeof KeptEvidence.Type

export const EvidenceColumn = jsonColumn(Schema.Array(Schema.Struct(kept)))

/** The beginning of each item, for lists of results. */
export const EvidenceShown = Schema.Struct({ kind: kept.kind, exit_code: kept.exit_code, stale })

/** The evidence as answers show it. As long as no head commit is known, all of it counts. */
export const marked = (
  items: typeof EvidenceColumn.Type,
  head_commit: string | null | undefined
): ReadonlyArray<KeptEvidence> =>
  items.map((item) => ({ ...item, stale: head_commit != null && item.commit !== head_commit }))

/** The JSON of evidence for its column. The statement that writes it adds the commit where there is none. */
export const evidenceText = (items: ReadonlyArray<Evidence>): string =>
  JSON.stringify(items.map(({ command, commit, exit_code, kind, summary, url }) => ({
    kind,
    command: command ?? null,
    exit_code: exit_code ?? null,
    commit: commit ?? null,
    url: url ?? null,
    summary: summary ?? null
  })))

/** The kinds of evidence that a project requires. None are an empty list or null. */
export const RequiredKinds = listOf(kind, MaxRequired)
export const RequiredKindsColumn = jsonColumn(Schema.Array(Schema.String))

interface Shown {
  readonly id: TaskId
  readonly project_id: ProjectId | null
  readonly head_commit?: string | null
  readonly evidence?: ReadonlyArray<KeptEvidence> | null
}

const listed = (verdict: string, kinds: ReadonlyArray<string>) =>
  kinds.length === 0 ? [] : [`${verdict}: ${kinds.join(", ")}`]

export class EvidenceMissing extends TaggedError<EvidenceMissing>()(
  "EvidenceMissing",
  {
    error: ErrorText,
    task_id: TaskId,
    head_commit: text("The head commit of the task. Evidence has to name it."),
    missing: Schema.Array(Schema.String).pipe(describe("The kinds that the task has no evidence of.")),
    stale: Schema.Array(Schema.String).pipe(describe("The kinds whose evidence is of another commit.")),
    failed: Schema.Array(Schema.String).pipe(describe("The kinds whose command failed on the head commit."))
  },
  {
    httpApiStatus: 409,
    description: "The project requires evidence that the task lacks (`evidence_required`). Nothing was changed."
  }
) {
  /** What the task lacks of the required kinds, or undefined. */
  static readonly of = ({ evidence, head_commit = null, id, project_id }: Shown, required: ReadonlyArray<string>) => {
    const verdicts = [...new Set(required)].map((kind) => {
      const own = (evidence ?? []).filter((item) => item.kind === kind)
      const current = own.filter((item) => !item.stale)
      const verdict = own.length === 0
        ? "missing"
        : current.length === 0
        ? "stale"
        : current.every(({ exit_code }) => (exit_code ?? 0) !== 0)
        ? "failed"
        : "there"
      return { kind, verdict }
    })
    const of = (verdict: string) => verdicts.filter((one) => one.verdict === verdict).map(({ kind }) => kind)
    const [missing, stale, failed] = [of("missing"), of("stale"), of("failed")]
    if (missing.length + stale.length + failed.length === 0) return undefined
    const parts = [
      ...listed("missing", missing),
      ...listed(`stale, because the head commit is ${head_commit} now`, stale),
      ...listed("failed", failed)
    ]
    return new EvidenceMissing({
      error: `Task ${id} cannot be accepted yet, because project ${project_id} requires evidence that the task lacks (${
        parts.join("; ")
      }). Submit the evidence for the head commit.`,
      task_id: id,
      head_commit,
      missing,
      stale,
      failed
    })
  }
}
