/**
 * A machine under a sustained load: it plays the life of one task after another, as an agent, as a reviewer and as a
 * dashboard. For every task it accepts it creates a new one, so that the queue stays as deep as it is.
 */
import type { Answer, Call, Wire } from "../../../test/support/Wire.ts"

/** Called with every answer, and how long it took in milliseconds. */
export type Measure = (call: Call, answer: Answer | undefined, millis: number) => void

export interface Options {
  readonly scope: string
  readonly name: string
  readonly wire: Wire
  readonly measure: Measure
  readonly over: () => boolean
}

export const create = (scope: string, id: string): Call => ({
  method: "POST",
  path: "/api/v1/tasks",
  key: `create-${id}`,
  body: { id, scope, file_path: `TASK-${id}.md`, branch: "main", title: `Task ${id}`, priority: `P${id.length % 4}` }
})

/** What a claim, or the answer to one that found nothing, has to look like. */
export const isExpected = ({ path }: Call, { status }: Answer): boolean =>
  (status >= 200 && status < 300) || (status === 404 && path === "/api/v1/tasks/claim")

export const play = async ({ measure, name, over, scope, wire }: Options): Promise<void> => {
  const orchestrator_id = `${scope}-${name}`
  let count = 0

  const ask = async (call: Call): Promise<any> => {
    const started = performance.now()
    const answer = await wire.send(call).catch(() => undefined)
    measure(call, answer, performance.now() - started)
    return answer !== undefined && answer.status < 300 ? answer.body : undefined
  }
  const get = (path: string) => ask({ method: "GET", path })
  const post = (path: string, body: object, key?: string) => ask({ method: "POST", path, body, key })
  const claim = (queue: string) =>
    post("/api/v1/tasks/claim", { scope, queue, orchestrator_id, agent_name: name, lease_duration_seconds: 300 })

  const work = async () => {
    const task = await claim("incoming")
    if (task === undefined) return
    const { fencing_token, id } = task
    await get(`/api/v1/tasks/${id}`)
    if (count % 2 === 0) await post(`/api/v1/tasks/${id}/renew`, { fencing_token, checkpoint: { notes: "half way" } })
    else {
      const leases = [{ task_id: id, fencing_token }]
      await post(`/api/v1/orchestrators/${orchestrator_id}/heartbeat`, { scope, leases })
    }
    await post(
      `/api/v1/tasks/${id}/submit`,
      { fencing_token, commits_count: 1, turns_used: 5 },
      `submit-${name}-${count}`
    )
  }

  const review = async () => {
    const task = await claim("provisional")
    if (task === undefined) return
    const { fencing_token, id } = task
    if (count % 6 === 0) {
      await post(`/api/v1/tasks/${id}/reject`, { fencing_token, rejected_by: name, reason: "A test is missing." })
    } else {
      await post(`/api/v1/tasks/${id}/accept`, { fencing_token, accepted_by: name })
      await ask(create(scope, `${name}-${count}`))
    }
  }

  await post("/api/v1/orchestrators/register", { cluster: scope, machine_id: name, scope })
  while (!over()) {
    count += 1
    await work()
    await review()
    await get(`/api/v1/scheduler/poll?scope=${scope}&orchestrator_id=${orchestrator_id}`)
    await get(`/api/v1/tasks?scope=${scope}&queue=${count % 2 === 0 ? "incoming" : "done"}&limit=20`)
  }
}
