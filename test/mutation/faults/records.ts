/** Faults in promotions, projects, searches and bulk requests. */
import type { Fault } from "../Fault.ts"

export const records: ReadonlyArray<Fault> = [
  {
    name: "draft-promoted-twice",
    breaks: "Of several promotions of a draft at once, one succeeds.",
    file: "src/sql/record/Promotion.ts",
    find: "WHERE id = :draft_id AND scope = :scope AND linked_task_id IS NULL AND linked_project_id IS NULL",
    replace: "WHERE id = :draft_id AND scope = :scope"
  },
  {
    name: "draft-linked-without-task",
    breaks: "A draft names a task only if the promotion made it.",
    step: "linked",
    find: "WHERE id = :draft_id AND EXISTS (SELECT 1 FROM unrecorded WHERE id = :id)",
    replace: "WHERE id = :draft_id"
  },
  {
    name: "promotion-without-revision",
    breaks: "A promotion changes the list of drafts, also for a client that knows it.",
    step: "linked",
    find: "drafts_revision = drafts_revision + 1 WHERE scope = :scope AND EXISTS (SELECT 1 FROM unrecorded",
    replace: "drafts_revision = drafts_revision WHERE scope = :scope AND EXISTS (SELECT 1 FROM unrecorded"
  },
  {
    name: "project-list-tag-without-tasks",
    breaks: "A list of projects shows counts of tasks, so it has another ETag when a task moves.",
    file: "src/services/record/Projects.ts",
    find: "coalesce(sum(projects_revision + revision), 0) AS revision",
    replace: "coalesce(sum(projects_revision), 0) AS revision"
  },
  {
    name: "project-graph-never-truncated",
    breaks: "The graph of a project says whether there are more dependencies than it shows.",
    file: "src/services/record/projectGraph.ts",
    find: "LIMIT ${MaxEdges + 1}`",
    replace: "LIMIT ${MaxEdges}`"
  },
  {
    name: "project-graph-of-every-scope",
    breaks: "The graph of a project shows no tasks of other scopes.",
    file: "src/services/record/projectGraph.ts",
    find: "CROSS JOIN tasks ON tasks.id = named.id AND tasks.scope = named.scope`)",
    replace: "CROSS JOIN tasks ON tasks.id = named.id`)"
  },
  {
    name: "search-shows-exact-twice",
    breaks: "A search shows each task once, also one that has exactly the text.",
    file: "src/services/task/many/search.ts",
    find: "AND NOT coalesce(${exactly}, 0)",
    replace: "AND 1"
  },
  {
    name: "search-skips-the-rest-of-a-page",
    breaks: "A page of a search begins where the one before ended.",
    file: "src/services/task/many/search.ts",
    find: "answers.window.indexOf(hits[end - first.length - 1]!) + 1",
    replace: "answers.window.length"
  },
  {
    name: "search-with-case",
    breaks: "A search finds small and capital letters alike.",
    file: "src/services/task/many/search.ts",
    find: "letter.toLowerCase()",
    replace: "letter"
  },
  {
    name: "search-without-filters",
    breaks: "The filters of a list narrow a search too.",
    file: "src/services/task/many/search.ts",
    find: "AND ${among} AND ${filtered} AS hit",
    replace: "AND ${filtered} AS hit"
  },
  {
    name: "bulk-outcome-not-kept",
    breaks: "The batch of each part of a bulk request keeps its outcome.",
    symbol: "Parts.keeping",
    find: "WHERE id = :key ${also} AND EXISTS",
    replace: "WHERE id = :key AND 0 ${also} AND EXISTS"
  },
  {
    name: "bulk-part-twice",
    breaks: "A part of a bulk request that another delivery has carried out is not refused.",
    symbol: "Parts.isNew",
    find: "json_type(answer, :part) IS NOT NULL OR ",
    replace: ""
  },
  {
    name: "answer-kept-elsewhere",
    breaks: "An answer is kept behind the step that has the effect.",
    symbol: "Batch.keptBehind",
    find: "statements: [...before, ...between, ...after]",
    replace: "statements: [...before, ...after, ...between]"
  },
  {
    name: "bulk-plan-made-anew",
    breaks: "A repetition of a bulk request by a filter changes the tasks that the first one found.",
    file: "src/services/task/many/bulk.ts",
    find: "carryOut(bulk, scope, progress.plan, progress.parts, key)",
    replace: "carryOut(bulk, scope, yield* select(bulk, scope.own), progress.parts, key)"
  },
  {
    name: "bulk-ends-early",
    breaks: "A bulk request goes on where it ended.",
    file: "src/services/task/many/bulk.ts",
    find: "cursors[first === -1 ? ids.length : first] ?? null",
    replace: "cursors[ids.length] ?? null"
  },
  {
    name: "dry-run-by-first-step",
    breaks: "A dry run says that a change is refused if it is.",
    symbol: "Rehearsal.run",
    find: "outcome !== \"nothing\"",
    replace: "outcome !== \"\""
  },
  {
    name: "bulk-filter-without-type",
    breaks: "A bulk request changes only what its filter says.",
    file: "src/services/task/many/select.ts",
    find: "AND (:type IS NULL OR type = :type)",
    replace: "AND :type IS :type"
  }
]
