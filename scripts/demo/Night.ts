/**
 * A night of agents, played against a server through the API alone: machines work on the tasks of projects, and some attempts are
 * lost, given up, rejected or fail. The seed decides what happens to each task, so a night is the same each time, up to the order.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as client from "../../src/client.ts"

export interface Options {
  readonly seed: number
  readonly tasks: number
  readonly machines: number
  readonly projects: number
  /** The names of all records begin with it. */
  readonly name: string
  /** How long leases are. A lost attempt takes as long. */
  readonly leaseSeconds: number
  /** Waits for so many seconds. */
  readonly wait: (seconds: number) => Effect.Effect<void>
  readonly say: (what: string) => void
}

/** How an attempt ends. */
type End = "accepted" | "failed" | "lost" | "rejected" | "requeued"

interface Plan {
  readonly attempts: ReadonlyArray<End>
  readonly asks: "answered" | "not" | "unanswered"
}

/** What the script did, for a comparison with what the server tells. */
export interface Ledger {
  /** How often each event happened that the script caused or waited for. */
  readonly events: Record<string, number>
  readonly queues: Record<string, number>
  readonly held: number
  readonly reviews: number
  questions: number
  /** In millionths of a dollar. */
  micros: number
}

/** How often each course of a task is drawn, out of a hundred. */
const courses: ReadonlyArray<readonly [number, ReadonlyArray<End>]> = [
  [70, ["accepted"]],
  [12, ["rejected", "accepted"]],
  [6, ["lost", "accepted"]],
  [3, ["requeued", "accepted"]],
  [2, ["lost", "rejected", "accepted"]],
  [4, ["failed", "accepted"]],
  [3, ["failed"]]
]

const reasons = ["There is no test for it.", "The build of the example fails.", "It changes files of another task."]

/** What is left over in the morning, out of the number of tasks: held, waiting for a review, and not begun. */
const leftOf = (tasks: number) => ({
  held: Math.max(1, Math.round(tasks / 75)),
  reviews: Math.max(1, Math.round(tasks / 60)),
  ready: Math.max(1, Math.round(tasks / 50))
})

const drawing = (seed: number) => {
  const random = Effect.runSync(Random.withSeed(Effect.service(Random.Random), seed))
  const next = () => random.nextDoubleUnsafe()
  return { next, pick: <A>(from: ReadonlyArray<A>): A => from[Math.floor(next() * from.length)]! }
}

const courseOf = (drawn: number): ReadonlyArray<End> => {
  let sum = 0
  return courses.find(([weight]) => (sum += weight) > drawn * 100)?.[1] ?? ["accepted"]
}

const commitOf = (id: string, attempt: number) => `${Buffer.from(id).toString("hex").slice(-8)}${attempt}`

/** Plays the night in the scope of the client. */
export const play = Effect.fnUntraced(function*(api: client.Client, options: Options) {
  const { leaseSeconds, name, say, wait } = options
  const { next, pick } = drawing(options.seed)
  const left = leftOf(options.tasks)
  const ledger: Ledger = { events: {}, queues: {}, held: left.held, reviews: left.reviews, questions: 0, micros: 0 }
  const count = (event: string) => {
    ledger.events[event] = (ledger.events[event] ?? 0) + 1
  }

  const machines = yield* Effect.forEach(Array.from({ length: options.machines }, (_, n) => n), (n) =>
    Effect.map(
      api.orchestrators.register({ query: {}, payload: { cluster: name, machine_id: `machine-${n + 1}` } }),
      ({ orchestrator_id }) => orchestrator_id
    ))
  const projects = yield* Effect.forEach(Array.from({ length: options.projects }, (_, n) => n), (n) =>
    Effect.map(
      api.projects.create({
        query: {},
        payload: {
          id: client.ProjectId.make(`${name}-project-${n + 1}`),
          title: `Project ${n + 1}`,
          branch: `feature/project-${n + 1}`,
          status: "active",
          evidence_required: n === 0 ? ["test"] : null
        }
      }),
      ({ id }) => id
    ))

  const plans = new Map<string, Plan>()
  const create = Effect.fnUntraced(function*(n: number, plan: Plan, blocker: string | undefined) {
    const id = client.TaskId.make(`${name}-task-${String(n).padStart(4, "0")}`)
    yield* api.tasks.create({
      query: {},
      payload: {
        id,
        title: `${pick(["Add", "Fix", "Document", "Test"])} ${pick(["the export", "the login", "the search"])} (${n})`,
        file_path: `TASK-${id}.md`,
        branch: "main",
        priority: pick(["P0", "P1", "P2", "P2", "P3"]),
        project_id: projects[n % projects.length]!,
        blocked_by: blocker ?? null
      }
    })
    plans.set(id, plan)
    count("created")
    return id as string
  })

  const attempts = new Map<string, number>()
  const claim = (machine: number, queue: "incoming" | "provisional", seconds = leaseSeconds) =>
    api.tasks.claim({
      query: {},
      payload: {
        orchestrator_id: machines[machine]!,
        agent_name: queue === "incoming" ? `agent-${machine + 1}` : "gatekeeper",
        queue,
        lease_duration_seconds: seconds
      }
    }).pipe(
      Effect.tap(() => Effect.sync(() => count(queue === "incoming" ? "claimed" : "review_claimed"))),
      Effect.catchTag("NoTasksAvailable", () => Effect.succeed(undefined))
    )
  type Claimed = Effect.Success<ReturnType<typeof claim>>

  const used = () => {
    const micros = 1000 * (1 + Math.floor(next() * 400))
    ledger.micros += micros
    return {
      model: pick(["opus", "sonnet"]),
      input_tokens: 1000 + Math.floor(next() * 9000),
      output_tokens: 100 + Math.floor(next() * 900),
      cached_tokens: 10_000,
      cost_usd: micros / 1_000_000,
      wall_seconds: 30
    }
  }

  const renew = (task: NonNullable<Claimed>, attempt: number) =>
    api.tasks.renew({
      query: {},
      params: { id: task.id },
      payload: {
        fencing_token: task.fencing_token!,
        checkpoint: {
          branch: task.branch,
          head_commit: commitOf(task.id, attempt),
          notes: `Half of "${task.title}" is done.`
        },
        usage: used()
      }
    })
  const submit = (task: NonNullable<Claimed>, attempt: number) =>
    Effect.andThen(
      api.tasks.submit({
        query: {},
        params: { id: task.id },
        payload: {
          fencing_token: task.fencing_token!,
          commits_count: 1 + attempt,
          turns_used: 5 + Math.floor(next() * 40),
          head_commit: commitOf(task.id, attempt),
          evidence: [{ kind: "test", command: "npm test", exit_code: 0, summary: "All tests pass." }],
          pr_number: plans.size,
          usage: used()
        }
      }),
      Effect.sync(() => count("submitted"))
    )

  const ask = Effect.fnUntraced(function*(task: NonNullable<Claimed>, { asks }: Plan) {
    if (asks === "not") return
    const about = { task_id: task.id, to_actor: "human" }
    const { id } = yield* api.messages.send({
      query: {},
      payload: {
        ...about,
        from_actor: task.claimed_by!,
        type: "question",
        content: `May "${task.title}" change the schema?`
      }
    })
    if (asks === "unanswered") ledger.questions++
    else {
      yield* api.messages.send({
        query: {},
        payload: {
          ...about,
          to_actor: task.claimed_by!,
          from_actor: "ada",
          type: "comment",
          content: "Yes.",
          parent_message_id: id
        }
      })
    }
  })

  const finished = { tasks: 0, shown: 0, idle: 0 }
  const finish = (queue: string) => {
    ledger.queues[queue] = (ledger.queues[queue] ?? 0) + 1
    finished.tasks++
  }

  /** One attempt of a machine, up to the result. Whether it found a task. */
  const work = Effect.fnUntraced(function*(machine: number) {
    const task = yield* claim(machine, "incoming")
    if (task === undefined) return false
    const attempt = attempts.get(task.id) ?? 0
    attempts.set(task.id, attempt + 1)
    const plan = plans.get(task.id)!
    // On a slow server more leases may run out than the plan says. The comparison shows it.
    const end = plan.attempts[attempt] ?? "accepted"
    if (attempt === 0) yield* ask(task, plan)
    yield* renew(task, attempt)
    const about = { query: {}, params: { id: task.id } }
    if (end === "accepted" || end === "rejected") yield* submit(task, attempt)
    // The machine forgets the task, and the lease runs out.
    if (end === "lost") count("lease_expired")
    if (end === "requeued") {
      yield* api.tasks.requeue({
        ...about,
        payload: { fencing_token: task.fencing_token!, reason: "The agent ran out of context.", usage: used() }
      })
      count("requeued")
    }
    if (end === "failed") {
      yield* api.tasks.fail({
        ...about,
        payload: { fencing_token: task.fencing_token!, reason: pick(reasons), usage: used() }
      })
      count("failed")
      if (plan.attempts.length <= attempt + 1) finish("failed")
      else {
        yield* api.tasks.redrive({ ...about, payload: { reason: "The cause is fixed." } })
        count("redriven")
      }
    }
    return true
  })

  /** Reviews one result. Whether there was one. */
  const review = Effect.fnUntraced(function*(machine: number) {
    const task = yield* claim(machine, "provisional")
    if (task === undefined) return false
    const end = plans.get(task.id)!.attempts[attempts.get(task.id)! - 1]!
    const about = { query: {}, params: { id: task.id } }
    if (end === "rejected") {
      yield* api.tasks.reject({ ...about, payload: { rejected_by: "gatekeeper", reason: pick(reasons) } })
      count("rejected")
    } else {
      yield* api.tasks.accept({ ...about, payload: { accepted_by: "gatekeeper" } })
      count("accepted")
      finish("done")
    }
    return true
  })

  const planned = options.tasks - left.held - left.reviews - left.ready
  let before: string | undefined
  for (let n = 1; n <= planned; n++) {
    const attempts = courseOf(next())
    const asked = next()
    const blocker = next() < 0.15 ? before : undefined
    const id = yield* create(
      n,
      { attempts, asks: asked < 0.03 ? "unanswered" : asked < 0.06 ? "answered" : "not" },
      blocker
    )
    before = attempts.at(-1) === "accepted" ? id : undefined
  }
  say(`${planned} tasks of ${projects.length} projects wait for ${machines.length} machines.`)

  for (let round = 0; finished.tasks < planned; round++) {
    let busy = false
    for (let machine = 0; machine < machines.length; machine++) {
      busy = (yield* work(machine)) || busy
      busy = (yield* review((machine + 1) % machines.length)) || busy
    }
    if (round % 10 === 0) {
      yield* Effect.forEach(machines, (id) => api.orchestrators.heartbeat({ query: {}, params: { id }, payload: null }))
    }
    if (finished.tasks >= finished.shown + 50) {
      finished.shown = finished.tasks
      say(`${finished.tasks} of ${planned} tasks are finished.`)
    }
    // Everything that is left belongs to machines that forgot it.
    finished.idle = busy ? 0 : finished.idle + 1
    if (finished.idle > 10 * leaseSeconds) {
      return yield* Effect.die(
        new Error(`Nothing can be claimed, and ${planned - finished.tasks} tasks are not finished.`)
      )
    }
    if (!busy) yield* wait(1)
  }

  for (let n = planned + 1; n <= options.tasks; n++) {
    yield* create(n, { attempts: ["accepted"], asks: "not" }, undefined)
  }
  for (let n = 0; n < left.reviews; n++) yield* submit((yield* claim(n % machines.length, "incoming"))!, 0)
  for (let n = 0; n < left.held; n++) {
    yield* renew((yield* claim(n % machines.length, "incoming", 3600))!, 0)
  }
  for (const [queue, n] of [["provisional", left.reviews], ["claimed", left.held], ["incoming", left.ready]] as const) {
    ledger.queues[queue] = n
  }
  yield* Effect.forEach(machines, (id) => api.orchestrators.heartbeat({ query: {}, params: { id }, payload: null }))
  say(`Morning: ${left.reviews} results wait for a review, ${left.held} tasks are held, ${left.ready} are ready.`)
  return ledger
})

const differences = (what: string, told: Record<string, number>, did: Record<string, number>) =>
  Object.entries(did).filter(([name, n]) => (told[name] ?? 0) !== n).map(([name, n]) =>
    `${what} ${name}: the server tells ${told[name] ?? 0}, and the script did ${n}.`
  )

/** Compares the overview and the feed with the ledger. Each sentence names a difference. */
export const compare = Effect.fnUntraced(function*(api: client.Client, ledger: Ledger) {
  const events: Record<string, number> = {}
  for (let after = 0;;) {
    const page = yield* api.events.list({ query: { after, limit: 500 } })
    for (const { event } of page.events) events[event] = (events[event] ?? 0) + 1
    after = page.next
    if (page.next === page.latest) break
  }
  const overview = yield* api.overview.read({ query: {} })
  const told = {
    held: overview.held.total,
    reviews: overview.reviews.total,
    questions: overview.questions.total,
    micros: Math.round(overview.usage.reduce((sum, { cost_usd }) => sum + cost_usd, 0) * 1_000_000)
  }
  const did = {
    held: ledger.held,
    reviews: ledger.reviews,
    questions: ledger.questions,
    micros: ledger.micros
  }
  const complete = overview.lives.exact && overview.failures.exact
  const { failed = 0, lease_expired = 0 } = ledger.events
  return [
    ...differences("events", events, ledger.events),
    ...differences("queue", overview.queues, ledger.queues),
    ...differences("queue", ledger.queues, overview.queues),
    ...differences("overview", told, did),
    // The overview looks at the newest changes only.
    ...(complete
      ? [
        ...differences("failures", overview.failures.by_event, { failed, lease_expired }),
        ...differences("lives", { done: overview.lives.hours.reduce((sum, { done }) => sum + done, 0) }, {
          done: ledger.queues.done ?? 0
        })
      ]
      : [])
  ]
})
