/** The worker of this package, as users run it. After a crash it resumes its tasks and hands in its results. */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Worker from "../../../src/client/Worker.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"
import type { Machine } from "./Machine.ts"

class Botched extends Data.TaggedError("Botched") {}

/** What handlers of this name finished, as the name of its disk that nobody clears. */
const finished = (name: string) => `${name} finished`

const diskOf = ({ disks }: World, name: string): Map<string, string> => {
  const disk = disks.get(name) ?? new Map<string, string>()
  disks.set(name, disk)
  return disk
}

const storeOf = (disk: Map<string, string>) =>
  KeyValueStore.makeStringOnly({
    get: (key) => Effect.sync(() => disk.get(key)),
    set: (key, value) => Effect.sync(() => disk.set(key, value)),
    remove: (key) => Effect.sync(() => disk.delete(key)),
    clear: Effect.sync(() => disk.clear()),
    size: Effect.sync(() => disk.size),
    keys: Effect.sync(() => [...disk.keys()])
  })

// A heartbeat that is not answered, the longest pause after it, and the time until the next one.
const LongestSilence = 150_000

/** A running worker sends heartbeats, with a right or a wrong clock. */
const watch = Effect.fnUntraced(function*({ process, sentAt, world: { timeline } }: Machine) {
  let awake = timeline.now()
  for (;;) {
    const began = timeline.now()
    yield* Effect.sleep("20 seconds")
    const now = timeline.now()
    // A machine that slept has an excuse.
    if (now - began > 21_000) awake = now
    const silence = now - Math.max(awake, sentAt())
    ensure(silence <= LongestSilence, () => `${process.name} was silent for ${silence / 1000} s`)
  }
})

export const start = (machine: Machine, agentName: string): void => {
  const { chance } = machine.world
  const { name } = machine.process
  machine.fork(watch(machine))
  const worker = Effect.suspend(() =>
    Worker.run({
      // With a client that is made already it cannot wait on a socket.
      client: machine.world.engine === "objects" ? { baseUrl: "http://server" } : machine.api,
      machine: { cluster: "k", machine_id: name.replaceAll(" ", "-") },
      agentName,
      concurrency: 2,
      leaseSeconds: chance.pick([60, 300]),
      onFailure: () => "retry",
      account: machine.world.asking ? "max-1" : undefined,
      resume: true,
      outbox: storeOf(diskOf(machine.world, name))
    }, (attempt): Effect.Effect<Worker.Result, Botched> =>
      Effect.gen(function*() {
        yield* machine.pause(1, 120)
        if (chance.happens(0.5)) {
          yield* Effect.orDie(attempt.checkpoint({ notes: "half of it" }))
          yield* attempt.renew
        }
        yield* machine.pause(1, 240)
        if (machine.world.asking && chance.happens(0.4)) {
          machine.world.journal.saw("a handler left its task")
          return yield* chance.happens(0.5)
            ? attempt.ask({ content: "Which of them?" })
            : attempt.park({ until: DateTime.add(yield* DateTime.now, { seconds: chance.pick([60, 900]) }) })
        }
        if (chance.happens(0.15)) return yield* new Botched()
        const { fencing_token, task } = attempt
        diskOf(machine.world, finished(name)).set(`${fencing_token} ${task.id}`, task.id)
        return { commits_count: 1, turns_used: 10 }
      }))
  )
  // The last renewal of a killed process may arrive late, and twice. The process that started this worker starts it again.
  machine.fork(Effect.retry(worker, {
    while: (error) => {
      if (error._tag !== "AgentNameTaken") return false
      machine.world.journal.saw("a worker was told that another one goes by its name")
      return true
    }
  }))
}

/** Every result that a handler finished reached the server, or is still in its outbox. */
export const checkResults = (world: World): void => {
  for (const name of [...world.disks.keys()].filter((key) => !key.endsWith(finished("")))) {
    const kept = [...diskOf(world, name).values()].map((text) => JSON.parse(text))
    for (const [place, task_id] of diskOf(world, finished(name))) {
      const token = Number.parseInt(place, 10)
      const handed = world.raw.prepare(
        `SELECT count(*) AS n FROM history WHERE task_id = ? AND grants = ?
          AND event IN ('submitted', 'burnout_detected', 'cancelled')`
      ).get(task_id, token)
      world.journal.saw(Number(handed!.n) > 0 ? "a result was handed in" : "a result stayed in the outbox")
      ensure(
        Number(handed!.n) > 0 || kept.some((entry) => entry.task_id === task_id && entry.fencing_token === token),
        () => `the result of ${task_id} under the token ${token} is neither handed in nor in the outbox of ${name}`
      )
    }
  }
}
