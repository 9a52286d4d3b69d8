/** Compares what was acknowledged in the night with what is there in the morning. */
import { readFileSync } from "node:fs"
import type { Acknowledged } from "./hands/journal.ts"
import { type Night, sent } from "./Play.ts"
import * as Walk from "./Walk.ts"

export interface Findings {
  readonly lost: Array<string>
  readonly violations: Array<string>
  /** How many acknowledged changes were looked up, by kind. */
  readonly acknowledged: Record<string, number>
  readonly events: Record<string, number>
}

type Records = Readonly<Record<string, ReadonlyArray<any>>>

export const recordsOf = (file: string): Records => {
  const [, ...lines] = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line))
  const kinds = Map.groupBy(lines.filter(({ kind }) => kind !== undefined), ({ kind }) => String(kind))
  return Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.map(({ record }) => record)]))
}

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** Whether the numbers are these, each once and in order. */
const differs = (what: string, found: ReadonlyArray<number>, expected: ReadonlyArray<number>): Array<string> => {
  const at = expected.findIndex((n, i) => found[i] !== n)
  return at < 0 && found.length === expected.length
    ? []
    : [`${what}: ${found.length} and not ${expected.length}, from place ${at < 0 ? expected.length : at} on`]
}

const moves: Readonly<Record<string, ReadonlyArray<string>>> = {
  submit: ["submitted"],
  accept: ["accepted"],
  reject: ["rejected"],
  requeue: ["requeued", "released"],
  fail: ["failed"]
}

export const verdict = (night: Night): Findings => {
  const findings: Findings = { lost: [], violations: [], acknowledged: {}, events: {} }
  const { acknowledged, events, lost, violations } = findings
  const { drafts = [], history = [], messages = [], projects = [], tasks = [] } = recordsOf(night.last)
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const walks = Map.groupBy(history, ({ task_id }) => String(task_id))
  for (const [id, walk] of walks) {
    walk.sort((one, other) => one.version - other.version)
    violations.push(...Walk.problems(id, walk))
  }
  for (const { event } of history) events[event] = (events[event] ?? 0) + 1

  // Each acknowledged change is there once. A repetition under its key got the same answer.
  const effects = new Map<string, string>()
  const settled = new Set<string>()
  const once = (kind: string, { body, key, path }: Acknowledged, effect: string) => {
    const before = effects.get(effect)
    if (before !== undefined && before === key) return
    acknowledged[kind] = (acknowledged[kind] ?? 0) + 1
    if (before === undefined) effects.set(effect, key ?? "")
    else violations.push(`Acknowledged twice: ${effect}, ${path}, ${JSON.stringify(body)}`)
  }
  const isCreated = (id: string) =>
    byId.has(id) && walks.get(id)?.filter(({ event }) => event === "created").length === 1

  for (const line of night.journal) {
    if (line.kind !== "answer") continue
    const { body, path, sent: request, status } = line
    const [, verb] = /^\/api\/v1\/tasks\/[^/]+\/(\w+)$/.exec(path) ?? []
    const token = request?.fencing_token
    // A result is settled by a success, or by a refusal because the lease is over.
    if (verb !== undefined && (status < 300 || status === 409)) settled.add(`${path.split("/")[4]} ${token}`)
    if (status >= 300) continue
    const told = `${path} ${JSON.stringify(body).slice(0, 300)}`
    const found = (kind: string, effect: string, isThere: boolean) => {
      once(kind, line, effect)
      if (!isThere) lost.push(`${kind}: ${told}`)
    }
    if (path === "/api/v1/tasks") found("create", `created ${body.id}`, isCreated(body.id))
    else if (path === "/api/v1/tasks/bulk") {
      for (const { outcome, task_id } of body.outcomes) {
        if (outcome === "done") found("bulk create", `created ${task_id}`, isCreated(task_id))
      }
    } else if (path === "/api/v1/projects") {
      found("project", `project ${body.id}`, projects.filter(({ id }) => id === body.id).length === 1)
    } else if (path === "/api/v1/drafts") {
      const same = drafts.filter(({ title }) => title === body.title)
      found("draft", `draft ${body.id}`, same.length === 1 && same[0].id === body.id)
    } else if (path.endsWith("/promote")) {
      const draft = drafts.find(({ id }) => id === body.draft_id)
      const isLinked = draft?.linked_task_id === body.task.id && byId.get(body.task.id)?.draft_id === body.draft_id
      found("promotion", `created ${body.task.id}`, isCreated(body.task.id) && isLinked)
    } else if (path === "/api/v1/messages") {
      if (body.type === "question") settled.add(`${body.task_id} ${token}`)
      const same = messages.filter(({ content, task_id }) => content === body.content && task_id === body.task_id)
      found(
        body.type === "question" ? "question" : "message",
        `message ${body.id}`,
        same.length === 1 && same[0].id === body.id
      )
    } else if (path === "/api/v1/tasks/claim") {
      const { fencing_token, id } = body
      const grants = walks.get(id)?.filter((entry) => Walk.grants(entry) && entry.grants + 1 === fencing_token) ?? []
      found("claim", `token ${fencing_token} of ${id}`, grants.length === 1)
    } else if (verb !== undefined && moves[verb] !== undefined) {
      const entry = walks.get(body.id)?.find(({ version }) => version === body.version)
      const isThere = entry?.to_queue === body.queue && moves[verb].includes(entry?.event)
      found(verb, `version ${body.version} of ${body.id}`, isThere)
    } else if (verb === "renew" || path.endsWith("/heartbeat")) {
      acknowledged["renewal"] = (acknowledged["renewal"] ?? 0) + 1
    }
  }

  for (const { content, id, question } of night.replies) {
    const same = messages.filter((message) => message.content === content)
    if (same.length > 1) violations.push(`${same.length} replies are there: ${content}`)
    if (id === undefined) continue
    acknowledged["answer"] = (acknowledged["answer"] ?? 0) + 1
    if (same.length === 0 || same[0].parent_message_id !== question) lost.push(`answer: ${content}`)
  }

  // What a worker has written down is settled, or it knows that it was refused.
  const refused = new Set(night.left.map(({ fencing_token, task_id }) => `${task_id} ${fencing_token}`))
  for (const { refused: why, task_id, verb } of night.left) {
    if (why === null) lost.push(`The ${verb} of ${task_id} is still in an outbox.`)
  }
  for (const line of night.journal) {
    if (line.kind !== "saved") continue
    const which = `${line.task_id} ${line.fencing_token}`
    if (!settled.has(which) && !refused.has(which)) lost.push(`The ${line.verb} of ${which} was never answered.`)
  }

  let expected = 0
  for (const line of night.journal) {
    if (line.kind !== "expected") continue
    expected++
    const task = byId.get(line.task_id)
    if (task === undefined) lost.push(`The task ${line.task_id} is not there.`)
    else violations.push(...Walk.wrongEnd(line.course, task, walks.get(line.task_id) ?? []))
  }
  // Its worker was killed with this task in its hands, and went on with it under the same lease.
  const resumed = walks.get("w0-long") ?? []
  if (resumed.filter(Walk.grants).filter(({ event }) => event === "claimed").length !== 1) {
    violations.push(`The worker did not go on with its task: ${JSON.stringify(resumed)}`)
  }
  if (tasks.length !== expected) violations.push(`There are ${tasks.length} tasks, and ${expected} were planned.`)
  for (const task of tasks) {
    if (task.lease_expires_at !== null || task.claimed_by !== null) violations.push(`Still leased: ${task.id}`)
  }
  const listed = new Map(night.listed.map((task) => [task.id, `${task.queue} ${task.version}`]))
  for (const { id, queue, version } of tasks) {
    if (listed.get(id) !== `${queue} ${version}`) violations.push(`The list shows ${id} otherwise: ${listed.get(id)}`)
  }
  if (listed.size !== tasks.length) violations.push(`The list has ${listed.size} tasks, the export ${tasks.length}.`)

  const seqs = history.map(({ seq }) => seq as number).sort((one, other) => one - other)
  violations.push(
    ...differs("The numbers of the feed", seqs, numbers(night.latest)),
    ...differs("What the reader has", night.read, numbers(night.latest)),
    ...differs("What watch has shown", night.watched, numbers(night.latest))
  )
  const due = history.filter(({ event }) => sent.includes(event)).map(({ seq }) => seq as number).sort((a, b) => a - b)
  violations.push(...differs("The events of the webhook", [...new Set(night.delivered)], due))
  return findings
}

// A machine that is silent for long is offline in the restored server too, which marks it so by itself.
const same = ({ status, ...record }: any) => JSON.stringify("last_heartbeat" in record ? record : { ...record, status })

/** What an export has that was made of a restored one, and the other way round. */
export const unequal = (file: string, again: string): ReadonlyArray<string> => {
  const [before, after] = [recordsOf(file), recordsOf(again)]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((kind) => {
    const [had, has] = [before[kind] ?? [], after[kind] ?? []].map((all) => new Set(all.map(same)))
    return [
      ...[...had!].filter((record) => !has!.has(record)).map((record) => `Not brought back: ${kind} ${record}`),
      ...[...has!].filter((record) => !had!.has(record)).map((record) => `Not in the export: ${kind} ${record}`)
    ]
  })
}

/**
 * The same of an export from the middle of the night. Its leases run out, so the restored server goes on: a task may
 * have more history, but nothing else than that has changed.
 */
export const unequalLater = (file: string, again: string): ReadonlyArray<string> => {
  const entries = new Set((recordsOf(file)["history"] ?? []).map(same))
  const later = new Set(
    (recordsOf(again)["history"] ?? []).filter((entry) => !entries.has(same(entry))).map(({ task_id }) =>
      String(task_id)
    )
  )
  const isOfLater = (line: string) => {
    const [, kind, record = ""] = /^[\w ]+: (\w+) (.*)$/.exec(line) ?? []
    const { id, task_id } = JSON.parse(record)
    return kind === "tasks" ? later.has(id) : kind === "history" && line.startsWith("Not in") && later.has(task_id)
  }
  return unequal(file, again).filter((line) => !isOfLater(line))
}

/** The tasks of the middle export that a client knew of when it was begun, and that it lacks. */
export const missing = ({ before, middle }: Night): ReadonlyArray<string> => {
  const there = new Set((recordsOf(middle)["tasks"] ?? []).map(({ id }) => String(id)))
  return [...before].filter((id) => !there.has(id)).map((id) => `The export in the night lacks ${id}.`)
}
