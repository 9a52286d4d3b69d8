/** What always holds of the database: one queue, whole leases, true counters, one history row for each version. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { integrity } from "../../../scripts/data/doctor/Integrity.ts"
import { Never } from "../../../src/domain/lease/Question.ts"
import type { Bench } from "./Bench.ts"

const checkpointOf = (text: unknown) => {
  if (typeof text !== "string") return null
  const { notes, version } = JSON.parse(text) as Record<string, unknown>
  return [version, notes]
}

const evidenceOf = (text: unknown) =>
  typeof text === "string" ? { commit: (JSON.parse(text) as Array<{ commit: string | null }>)[0]!.commit } : null

const setbacksOf = (text: unknown) =>
  typeof text === "string" ? (JSON.parse(text) as Array<{ event: string }>).map(({ event }) => event).join() : ""

export const make = ({ database: { batch, sql }, world }: Bench) => {
  /** Backoff is partly random: the server's value has to be within bounds, and the model then uses it. */
  const adopt = (id: string, available: unknown) => {
    const task = world.tasks.get(id)
    if (task === undefined || task.backoff === null) return
    const { from, to } = task.backoff
    assert.isTrue(
      typeof available === "number" && available >= from && available <= to,
      `${id} backs off until ${available}`
    )
    Object.assign(task, { availableAt: available, backoff: null })
  }

  return Effect.fnUntraced(function*() {
    const [rows = [], entries = [], emptied, machines = [], sums = [], ...violations] = yield* batch([
      sql`SELECT * FROM tasks ORDER BY id`,
      // SQLite takes the other columns of a group from the row with the maximum.
      sql`
        SELECT task_id AS id, at, event, from_queue AS "from", to_queue AS "to", actor, max(version) AS version
        FROM history WHERE task_id >= ' ' GROUP BY task_id ORDER BY task_id`,
      sql`SELECT scope, key AS queue FROM queue_counts, json_each(counts) WHERE value = 0`,
      sql`SELECT scope, last_heartbeat, status FROM orchestrators`,
      sql`
        SELECT scope AS owner, input_tokens + output_tokens AS used,
          (SELECT sum((value ->> 1) + (value ->> 2)) FROM json_each(models)) AS models FROM usage
        UNION ALL SELECT 'project', input_tokens + output_tokens, NULL FROM projects`,
      ...integrity.map((one) => sql.unsafe(one.sql))
    ])
    assert.deepStrictEqual(emptied, [], "the counters name an empty queue")
    for (const [i, { name }] of integrity.entries()) assert.deepStrictEqual(violations[i], [], `Does not hold: ${name}`)
    for (const { models, owner, used } of sums) {
      assert.strictEqual(used, world.used[owner as keyof typeof world.used], `what ${owner} used`)
      if (models !== null) assert.strictEqual(models, used, `what the models of ${owner} used`)
    }
    const heard = Object.fromEntries(machines.map(({ last_heartbeat, scope }) => [String(scope), last_heartbeat]))
    assert.deepStrictEqual(heard, world.heard, "when the machine was heard of in its scopes")
    for (const { scope, status } of machines) {
      const expected = world.isActive(String(scope)) ? "active" : "offline"
      assert.strictEqual(status, expected, `the machine of ${scope}`)
    }
    const stored = rows.map((row) => ({
      id: row.id,
      scope: row.scope,
      queue: row.queue,
      version: row.version,
      title: row.title,
      holder: row.claimed_by,
      token: row.fencing_token,
      origin: row.claimed_from,
      expires: row.lease_expires_at,
      lapsed: row.lapsed_token !== null,
      attempts: row.attempt_count,
      rejections: row.rejection_count,
      losses: row.lease_losses,
      lease: row.lease_seconds,
      deadline: row.deadline_at,
      cancelling: row.cancel_requested_at !== null,
      failure: row.failure_reason !== null,
      terminal: row.terminal === 1,
      asking: row.waiting_for_reply !== null,
      answers: typeof row.answers === "string" ? JSON.parse(row.answers).length : 0,
      checkpoint: checkpointOf(row.checkpoint),
      setbacks: setbacksOf(row.setbacks),
      submitter: row.submitted_by,
      head: row.head_commit,
      evidence: evidenceOf(row.evidence),
      session: row.session_token,
      used: Number(row.input_tokens) + Number(row.output_tokens),
      available: row.available_at,
      blocked_by: row.blocked_by ?? ""
    }))
    for (const { available_at, id } of rows) adopt(String(id), available_at)
    const expected = [...world.tasks].toSorted(([a], [b]) => a < b ? -1 : 1).map(([id, task]) => ({
      id,
      scope: task.scope,
      queue: task.queue,
      version: task.version,
      title: task.title,
      holder: task.holder,
      token: task.holder === null ? null : task.grants,
      origin: task.origin,
      expires: task.holder === null ? null : task.expires,
      lapsed: task.lapsed !== null,
      attempts: task.attempts,
      rejections: task.rejections,
      losses: task.losses,
      lease: task.leaseMillis === null ? null : task.leaseMillis / 1000,
      deadline: task.deadline,
      cancelling: task.cancelling,
      failure: task.queue === "failed" && task.reasoned,
      terminal: task.terminal,
      asking: task.availableAt === Never,
      answers: task.answers,
      checkpoint: task.checkpoint === 0 ? null : [task.checkpoint, `checkpoint ${task.checkpoint}`],
      setbacks: task.setbacks.join(),
      submitter: task.submitter,
      head: task.head,
      evidence: task.evidence,
      session: task.session,
      used: task.used,
      available: task.availableAt,
      blocked_by: world.unmet(id).join(",")
    }))
    assert.deepStrictEqual(stored.map(({ id }) => String(id)), expected.map(({ id }) => id))
    const expectedEntries = [...new Map([...world.past, ...world.tasks])].toSorted(([a], [b]) => a < b ? -1 : 1).map(
      ([id, { latest: { actor, at, event, from }, version }]) => {
        const to = world.tasks.get(id)?.queue ?? null
        return { id, at, event, from, to, actor, version }
      }
    )
    for (const [i, entry] of entries.entries()) {
      const [stored, expected] = [JSON.stringify(entry), JSON.stringify(expectedEntries[i])]
      assert.strictEqual(stored, expected, `history ends with ${stored} and not with ${expected}`)
    }
    assert.strictEqual(entries.length, expectedEntries.length)
    for (const [i, task] of expected.entries()) {
      // A shrunk counterexample shows one line, so this line shows the difference.
      const differing = Object.entries(stored[i]!).filter(([field, value]) =>
        JSON.stringify(value) !== JSON.stringify(task[field as keyof typeof task])
      )
      assert.deepStrictEqual(stored[i], task, `${task.id} is stored with ${JSON.stringify(differing)}`)
    }
  })
}
