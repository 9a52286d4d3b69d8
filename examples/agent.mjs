/**
 * An agent loop without MCP and without packages: claims tasks one by one, and runs a command for each.
 *
 *   OCTOPOID_URL=http://localhost:8787 node examples/agent.mjs sh -c 'my-agent --prompt "$(cat)"'
 *
 * The command gets the task on its standard input, and OCTOPOID_TASK, OCTOPOID_TOKEN and OCTOPOID_BRANCH in its environment. If it
 * ends with 0, the result is handed in with the last lines that it printed; otherwise the task is given up, and another attempt
 * follows. Ctrl-C gives the task back. The loop ends when there is nothing to do, unless OCTOPOID_WAIT is set.
 */
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"

const { OCTOPOID_URL: url = "http://localhost:8787", OCTOPOID_API_KEY: key, OCTOPOID_SCOPE: scope, OCTOPOID_WAIT: wait } =
  process.env
const [program, ...args] = process.argv.slice(2)
const agent_name = `loop-${process.pid}`
const stopped = new AbortController()
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stopped.abort())

/** Sends a request until the server answers it, under one key, so that it has one effect. Only JSON of the server is an answer. */
const post = async (path, body) => {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": randomUUID() }
  if (key) headers.Authorization = `Bearer ${key}`
  for (;;) {
    try {
      const response = await fetch(`${url}/api/v1/${path}`, {
        method: "POST",
        headers,
        body: JSON.stringify(scope ? { ...body, scope } : body),
        signal: AbortSignal.timeout(30_000)
      })
      const answer = await response.json()
      if (response.ok || (response.status < 500 && "_tag" in answer)) return { ok: response.ok, ...answer }
    } catch {}
    await sleep(2_000)
  }
}

/** Runs the command. Answers its exit code, null if it was stopped, and what it printed last. */
const run = (task, stop) =>
  new Promise((done) => {
    let said = ""
    const child = spawn(program, args, {
      stdio: ["pipe", "pipe", "inherit"],
      // A group of its own, so that what the command started is stopped with it.
      detached: true,
      env: {
        ...process.env,
        OCTOPOID_TASK: task.id,
        OCTOPOID_TOKEN: String(task.fencing_token),
        OCTOPOID_BRANCH: `octopoid/${encodeURIComponent(task.id)}/${task.fencing_token}`
      }
    })
    const kill = (signal) => {
      try {
        process.kill(-child.pid, signal)
      } catch {}
    }
    const stopping = () => {
      kill("SIGTERM")
      setTimeout(kill, 5_000, "SIGKILL").unref()
    }
    if (stop.aborted) stopping()
    stop.addEventListener("abort", stopping)
    child.stdout.on("data", (chunk) => said = (said + chunk).slice(-4_000))
    child.on("error", (error) => said += error.message)
    child.on("close", (code) => done({ code: stop.aborted ? null : code, said: said.toWellFormed() }))
    // A command that does not read its input is none of our business.
    child.stdin.on("error", () => {})
    child.stdin.end(`${task.title}\n\n${task.content ?? ""}\n\n${JSON.stringify(task.handoff, null, 2)}\n`)
  })

const work = async (task) => {
  const about = { fencing_token: task.fencing_token }
  const path = `tasks/${encodeURIComponent(task.id)}`
  const over = new AbortController()
  const ended = new AbortController()
  let why = "The loop was stopped."
  const renewing = (async () => {
    for (let seconds = task.renew_after_seconds;;) {
      await sleep(seconds * 1000, undefined, { signal: ended.signal })
      const lease = await post(`${path}/renew`, about)
      seconds = lease.renew_after_seconds
      if (lease.ok && lease.directive !== "cancel") continue
      why = lease.ok ? lease.cancel_reason ?? "It was cancelled." : lease.error
      return over.abort()
    }
  })().catch(() => {})
  const { code, said } = await run(task, AbortSignal.any([over.signal, stopped.signal]))
  ended.abort()
  await renewing
  const end = code === 0
    ? await post(`${path}/submit`, { ...about, commits_count: 0, turns_used: 0, execution_notes: said })
    : code === null
    ? await post(`${path}/requeue`, { ...about, release: true, reason: why })
    : await post(`${path}/requeue`, { ...about, reason: `The command ended with ${code}. ${said.slice(-1_000)}` })
  console.log(task.id, end.ok ? `is in ${end.queue}` : end.error)
}

const { error, orchestrator_id } = await post("orchestrators/register", { cluster: "loop", machine_id: hostname() })
if (orchestrator_id === undefined) throw new Error(error)
while (!stopped.signal.aborted) {
  const task = await post("tasks/claim", { orchestrator_id, agent_name })
  if (task.ok) await work(task)
  else if (task.retry_after_seconds === undefined) throw new Error(task.error)
  else if (!wait) break
  else await sleep(task.retry_after_seconds * 1000, undefined, { signal: stopped.signal }).catch(() => {})
}
