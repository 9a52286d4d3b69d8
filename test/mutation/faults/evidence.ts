/** Faults in what a result is judged by: its evidence, its commit, and the session of its agent. */
import type { Fault } from "../Fault.ts"

export const evidence: ReadonlyArray<Fault> = [
  {
    name: "stale-evidence-counts",
    breaks: "Evidence counts for the commit it names: of an older commit it is stale.",
    view: "lacking",
    find: "AND (tasks.head_commit IS NULL OR item.value ->> '$.commit' = tasks.head_commit)",
    replace: ""
  },
  {
    name: "evidence-not-asked-for",
    breaks: "A task is accepted only with the evidence that its project requires.",
    symbol: "Move.evident",
    find: "AND (project_id IS NULL OR NOT EXISTS (SELECT 1 FROM lacking WHERE lacking.id = moving.id))",
    replace: ""
  },
  {
    name: "evidence-never-stale",
    breaks: "Reviewers see which evidence is stale.",
    symbol: "Evidence.marked",
    find: "head_commit != null && item.commit !== head_commit",
    replace: "false"
  },
  {
    name: "overview-evidence-never-stale",
    breaks: "The overview shows which evidence is stale.",
    symbol: "feed/Overview.evidence",
    find: "'false', 'true'",
    replace: "'false', 'false'"
  },
  {
    name: "checkpoint-leaves-head",
    breaks: "A checkpoint with another head commit makes older evidence stale.",
    step: "renewed",
    find:
      ", head_commit = coalesce(iif(tasks.bytes > 1600000, NULL, asked.value ->> 'checkpoint' ->> '$.head_commit'), head_commit)",
    replace: ""
  },
  {
    name: "session-of-another",
    breaks: "A session is known with the lease of its agent.",
    step: "shown",
    find: "iif(:session_url IS NULL AND :resume_command IS NULL, session_token, tasks.grants)",
    replace: "session_token"
  }
]
