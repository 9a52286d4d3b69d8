/** What one batch may do to a task: leases are whole, tokens rise, ends are decided, and nothing is taken before its time. */
import { type Commit, type Entry, type Row, tokenOf } from "../Ledger.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"

const grants = new Set(["claimed", "review_claimed"])
const expiries = new Set(["lease_expired", "review_lease_expired", "deadline_exceeded"])
const columns = ["claimed_by", "claimed_at", "claimed_from", "lease_expires_at"] as const

const isWhole = (row: Row) => {
  const held = columns.map((column) => (row as unknown as Record<string, unknown>)[column] !== null)
  return held.every((each) => each === (row.claimed_by !== null)) &&
    (row.queue !== "claimed" || row.claimed_by !== null)
}

/** Checks the history of a task against the state it began with. */
const follow = (world: World, commit: Commit, was: Row | undefined, entries: ReadonlyArray<Entry>) => {
  let queue = was?.queue ?? null
  let held = was
  for (const entry of entries) {
    const about = `${entry.task_id} ${entry.event} (version ${entry.version})`
    world.journal.saw(`event ${entry.event}`)
    ensure(entry.from_queue === queue, () => `${about} says it was in ${entry.from_queue}, and it was in ${queue}`)
    ensure(entry.at <= commit.now, () => `${about} is dated ${entry.at - commit.now} ms ahead`)
    const { current } = world
    const verb = current?.asked.id === entry.task_id ? current.asked.verb : undefined
    if (entry.to_queue === "done" && queue !== "done") {
      const byName = entry.event === "force_queue" && verb === "force-queue" && current!.scope === undefined &&
        current!.body.queue === "done"
      ensure(
        byName || entry.event === "accepted" && verb === "accept",
        () => `${about} made it done without an accept, by ${current?.name}`
      )
    }
    if (queue === "done" && entry.to_queue !== "done" && entry.to_queue !== null) {
      // A PATCH with a queue means that queue, whatever its sender knew: that is the contract. It is counted
      // separately.
      world.journal.saw(`done was undone: ${entry.event}`)
      const asks = entry.event === "patched" && verb === "patch" ||
        entry.event === "force_queue" && verb === "force-queue"
      ensure(
        asks && current!.body?.queue === entry.to_queue,
        () => `${about} undid what was done, by ${current?.name}`
      )
    }
    if (expiries.has(entry.event)) {
      ensure(
        held?.claimed_by != null && held.lease_expires_at! <= entry.at,
        () =>
          `${about} took back a lease that had ${
            held?.lease_expires_at == null ? "no end" : `${held.lease_expires_at - entry.at} ms to go`
          }`
      )
      if (held!.lease_expires_at === entry.at) world.journal.saw(`${current?.asked.verb} took back a lease as it ended`)
      held = undefined
    }
    queue = entry.to_queue
  }
  return queue
}

export const check = (world: World, commit: Commit): void => {
  const { after, before, entries } = commit
  for (const [id, written] of entries) {
    const [was, is] = [before.get(id), after.get(id)]
    const queue = follow(world, commit, was, written)
    ensure(queue === (is?.queue ?? null), () => `${id} is in ${is?.queue}, and its history says ${queue}`)
    if (is === undefined) continue
    ensure(isWhole(is), () => `${id} is held by half: ${JSON.stringify(is)}`)
    const least = was?.grants ?? written[0]!.grants
    ensure(is.grants >= least, () => `${id}: the token fell from ${least} to ${is.grants}`)
    const granted = written.filter(({ event }) => grants.has(event)).length
    ensure(
      is.grants - least >= granted,
      () => `${id} was granted ${granted} times, and its token rose by ${is.grants - least}`
    )
    const taken = is.claimed_by !== null && (is.claimed_by !== was?.claimed_by || is.claimed_at !== was.claimed_at)
    if (taken) {
      const back = written.some(({ event }) => event === "reattached")
      ensure(
        back ? is.grants === was?.lapsed_token : is.grants > least,
        () => `${id} came to ${is.claimed_by} under the token ${is.grants}, which was another's`
      )
      ensure(is.blocked_by === null || back, () => `${id} was handed out while it waits for ${is.blocked_by}`)
    }
    if (is.claimed_by === null && is.lapsed_token !== null) {
      ensure(is.lapsed_token === is.grants, () => `${id}: a lease lapsed that was not the last`)
    }
  }
}

/** What a request may do to the task it names: nothing under an older token or from another version than it states, and nothing outside its scope. */
export const checkFence = (world: World, commit: Commit): void => {
  const exchange = world.current
  const changed = new Set(commit.entries.keys())
  for (const [id, row] of commit.after) {
    const was = commit.before.get(id)
    if (was !== undefined && (was.lease_expires_at !== row.lease_expires_at || was.checkpoint !== row.checkpoint)) {
      changed.add(id)
    }
  }
  for (const id of changed) {
    exchange?.changed.add(id)
    const scope = (commit.before.get(id) ?? commit.after.get(id))!.scope
    ensure(
      exchange === undefined || exchange.scope === undefined || exchange.scope === scope,
      () => `${exchange!.name} changed ${id} of ${scope} with a key of ${exchange!.scope}`
    )
  }
  if (exchange?.body == null) return
  const { asked: { id }, body } = exchange
  const start = id === undefined ? undefined : commit.before.get(id)
  if (typeof body.version === "number" && start !== undefined && commit.entries.has(start.id)) {
    ensure(
      start.version === body.version,
      () => `${exchange.name} changed ${id} from version ${start.version}, and stated ${body.version}`
    )
    world.journal.saw("changed from the version it stated")
  }
  const stated: ReadonlyArray<readonly [string, unknown]> = body.leases != null
    ? body.leases.map((lease: any) => [lease.task_id, lease.fencing_token])
    : id !== undefined && body.fencing_token != null
    ? [[id, body.fencing_token]]
    : []
  for (const [task, token] of stated) {
    const was = commit.before.get(task)
    if (!changed.has(task) || was === undefined) continue
    ensure(
      stated.some(([other, right]) => other === task && right === tokenOf(was)),
      () => `${exchange.name} changed ${task} under the token ${token}, and ${tokenOf(was)} was the one that counts`
    )
  }
}
