/** What is counted of the changes, as the model predicts it: the overview of each scope and the metrics. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { TaskEvent } from "../../../src/domain/feed/Event.ts"
import { failures } from "../../../src/domain/feed/Overview.ts"
import { ScopeName } from "../../../src/domain/Identifier.ts"
import { Never } from "../../../src/domain/lease/Question.ts"
import { parse } from "../Exposition.ts"
import type { Bench } from "./Bench.ts"
import { unclaimable } from "./unclaimable.ts"

const Hour = 3_600_000

const tally = (names: ReadonlyArray<string>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

const isFailure = ({ event, from_queue, to_queue }: TaskEvent) =>
  (failures as ReadonlyArray<string>).includes(event) ||
  (to_queue === "failed" && from_queue !== null && from_queue !== "failed")
const isDone = ({ from_queue, to_queue }: TaskEvent) =>
  to_queue === "done" && from_queue !== null && from_queue !== "done"

/** `got` has the feed of each scope since the beginning, which the model has predicted. */
export const make = (
  { database: { batch, sql }, metrics, overviews, world }: Bench,
  got: ReadonlyMap<string, ReadonlyArray<TaskEvent>>
) => {
  const { breaker, clock, tasks } = world
  const tasksOf = (scope: string) => [...tasks.values()].filter((task) => task.scope === scope)

  /** The projects whose breakers are open, that of the scope first, as null. */
  const openIn = (scope: string) =>
    ([["red", null], ["blue", null], ["project", "p"]] as const).filter(([of]) =>
      (of === "blue" ? "blue" : "red") === scope && breaker.breakers.get(of)?.retryAt !== undefined
    ).map(([, project]) => project)

  const overview = Effect.fnUntraced(function*(scope: string) {
    const feed = got.get(scope)!
    const own = tasksOf(scope)
    const shown = yield* overviews.read(ScopeName.make(scope), {})
    assert.deepStrictEqual({ ...shown.queues }, tally(own.map(({ queue }) => queue)), `the queues of ${scope}`)
    const held = own.filter(({ holder }) => holder !== null)
    assert.deepStrictEqual(
      shown.held.items.map(({ claimed_by, task_id }) => `${task_id} ${claimed_by}`).toSorted(),
      held.map(({ holder, id }) => `${id} ${holder}`).toSorted(),
      `who holds what in ${scope}`
    )
    assert.strictEqual(shown.held.total, held.length)
    const waiting = own.filter(({ holder, queue }) => queue === "provisional" && holder === null)
    assert.deepStrictEqual(
      shown.reviews.items.map(({ task_id }) => task_id as string).toSorted(),
      waiting.map(({ id }) => id).toSorted(),
      `the reviews that wait in ${scope}`
    )
    assert.strictEqual(shown.reviews.total, waiting.length)

    const hour = Math.floor(clock.now / Hour)
    const recent = feed.filter(({ at }) => at.epochMilliseconds >= (hour - 23) * Hour)
    const lives = shown.lives.hours.filter(({ done }) => done > 0)
      .map(({ done, hour }) => [hour.epochMilliseconds / Hour, done])
    const done = tally(recent.filter(isDone).map(({ at }) => String(Math.floor(at.epochMilliseconds / Hour))))
    assert.deepStrictEqual(lives, Object.entries(done).map(([hour, n]) => [Number(hour), n]), `the lives of ${scope}`)

    // Retention removes failures from the list, and never adds one.
    const [kept = []] = yield* batch([sql`SELECT seq FROM history WHERE scope = ${scope}`])
    const seqs = new Set(kept.map(({ seq }) => seq))
    const failed = recent.filter((event) => isFailure(event) && seqs.has(event.seq))
    assert.deepStrictEqual(shown.failures.by_event, tally(failed.map(({ event }) => event)), `failures of ${scope}`)
    assert.strictEqual(shown.failures.total, failed.length)

    const [unanswered = []] = yield* batch([sql`
      SELECT id, to_actor, task_id, seq = max(seq) OVER (PARTITION BY task_id) AS latest FROM messages
      WHERE scope = ${scope} AND type = 'question'
        AND id NOT IN (SELECT parent_message_id FROM messages WHERE parent_message_id IS NOT NULL)`])
    const asking = new Set(own.filter(({ availableAt }) => availableAt === Never).map(({ id }) => id))
    const open = unanswered.filter(({ latest, task_id, to_actor }) =>
      to_actor === null || (latest === 1 && asking.has(String(task_id)))
    )
    assert.deepStrictEqual(
      shown.questions.items.map(({ id }) => id as string).toSorted(),
      open.map(({ id }) => String(id)).toSorted(),
      `the open questions of ${scope}`
    )
    assert.deepStrictEqual(
      shown.breakers.items.map(({ project_id }) => project_id as string | null),
      openIn(scope),
      `the open breakers of ${scope}`
    )
    assert.deepStrictEqual(
      shown.unclaimable.items.map(({ at, task_id, why }) => `${at.epochMilliseconds} ${task_id} ${why}`).toSorted(),
      unclaimable(world, scope).filter(({ task: { latest } }) => latest.event === "unclaimable")
        .map(({ task: { id, latest }, why }) => `${latest.at} ${id} ${why}`).toSorted(),
      `the tasks of ${scope} that no machine will claim`
    )
  })

  const counters = Effect.gen(function*() {
    const families = parse(yield* metrics.read(undefined))
    const valuesOf = (name: string, scope: string) =>
      Object.fromEntries(
        families.find((family) => family.name === name)!.samples
          .filter(({ labels }) => labels.scope === scope)
          .map(({ labels: { event, queue, scope }, value }) => [event ?? queue ?? scope!, value])
      )
    for (const [scope, feed] of got) {
      const own = tasksOf(scope)
      const held = own.filter(({ holder }) => holder !== null)
      assert.deepStrictEqual(valuesOf("octopoid_events_total", scope), tally(feed.map(({ event }) => event)))
      assert.strictEqual(valuesOf("octopoid_breakers_open", scope)[scope] ?? 0, openIn(scope).length)
      assert.deepStrictEqual(valuesOf("octopoid_tasks", scope), tally(own.map(({ queue }) => queue)))
      assert.strictEqual(valuesOf("octopoid_leases", scope)[scope] ?? 0, held.length)
      assert.strictEqual(
        valuesOf("octopoid_leases_overdue", scope)[scope] ?? 0,
        held.filter(({ expires }) => expires <= clock.now).length
      )
    }
  })

  return Effect.andThen(Effect.forEach([...got.keys()], overview, { discard: true }), counters)
}
