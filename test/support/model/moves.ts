import { type Bench, idOf, type Steps } from "./Bench.ts"
import { handedOn, isEnd, isEvident, leave, mayGo } from "./Task.ts"

export const make = (
  { posting, queue, world: { backsOff, breaker, free, tasks, use } }: Bench
): Steps<"Submit" | "Accept" | "Reject" | "Requeue" | "Fail"> => ({
  Submit: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    const shows = {
      commit: command.shows === "commit" || command.shows === "both",
      evidence: command.shows === "evidence" || command.shows === "both"
    }
    const settling = task?.queue === "requires-intervention" && task.came !== "done"
    return posting(
      task !== undefined && (task.queue === "claimed" || settling || task.lapsed !== null)
        && (!command.fenced || task.holder !== null || task.lapsed !== null),
      queue.submit(
        id,
        {
          commits_count: 0,
          turns_used: command.turns,
          ...(shows.commit ? { head_commit: `c${task?.version}` } : {}),
          ...(shows.evidence
            ? {
              evidence: [{ kind: "test", exit_code: 0 }],
              session_url: `s${task?.grants}`,
              usage: { output_tokens: 4 }
            }
            : {}),
          ...(command.fenced ? { fencing_token: task?.grants ?? 0 } : {})
        },
        undefined
      ),
      id,
      () => {
        const burntOut = command.turns >= 80
        const to = burntOut && task!.scope === "red" ? "needs_continuation" : handedOn(task!)
        const event = burntOut && to === "needs_continuation" ? "burnout_detected" : "submitted"
        if (shows.commit) task!.head = `c${task!.version}`
        if (shows.evidence) use(task!, 4)
        if (shows.evidence) Object.assign(task!, { evidence: { commit: task!.head }, session: task!.grants })
        task!.submitter = (task!.lapsed ?? task!).holder
        if (event === "submitted") breaker.succeeds(task!)
        leave(task!, { event, to, actor: task!.submitter, yields: true })
      }
    )
  },
  Accept: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      task !== undefined && mayGo(task, "done") && isEvident(task),
      queue.accept(id, { accepted_by: "gate" }, undefined),
      id,
      () => {
        breaker.succeeds(task!)
        leave(task!, { event: "accepted", actor: "gate", to: "done" })
      }
    )
  },
  Reject: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      task !== undefined && mayGo(task, "incoming"),
      queue.reject(id, { reason: "no", rejected_by: "gate" }, undefined),
      id,
      () => {
        breaker.succeeds(task!)
        leave(task!, {
          event: "rejected",
          actor: "gate",
          to: "incoming",
          yields: true,
          counts: ["rejections"],
          budget: "rejections",
          setback: true
        })
        free(task!)
      }
    )
  },
  Requeue: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    const held = task?.queue === "claimed"
    return posting(
      task !== undefined && (mayGo(task, "incoming") || (held && mayGo(task, task.origin!))),
      queue.requeue(id, { usage: { input_tokens: 3, model: "requeuer" } }, undefined),
      id,
      () => {
        use(task!, 3)
        breaker.fails(task!, false)
        leave(task!, {
          event: "requeued",
          to: held ? task.origin! : "incoming",
          yields: true,
          counts: ["attempts"],
          budget: "attempts",
          setback: true,
          backsOff: backsOff()
        })
        free(task!)
      }
    )
  },
  Fail: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      task !== undefined && !isEnd(task.queue),
      queue.fail(id, { reason: "broken", terminal: command.terminal, usage: { input_tokens: 2 } }, undefined),
      id,
      () => {
        use(task!, 2)
        breaker.fails(task!, true)
        leave(task!, { event: "failed", to: "failed", setback: true, terminal: command.terminal })
      }
    )
  }
})
