/**
 * A task server on Hono and D1 as they are usually written: select, check, update, insert history, select again. It does
 * the life of a task and no more: no leases that are taken back, no fencing, no counters, no dependencies, no idempotency,
 * nothing atomic; of several claims at once all but one are told to try again.
 */
import type { D1Database } from "@cloudflare/workers-types"
import { type Context, Hono } from "hono"
import { timing } from "../Cost.ts"
import * as Meter from "./Meter.ts"

type Env = { Bindings: { DB: D1Database }; Variables: { meter: ReturnType<typeof Meter.make> } }

const LeaseSeconds = 300

const app = new Hono<Env>()

app.use(async (c, next) => {
  const meter = Meter.make()
  c.set("meter", meter)
  await next()
  c.header("server-timing", timing(meter.cost()))
})

const query = async (c: Context<Env>, sql: string, ...parameters: ReadonlyArray<unknown>) =>
  c.get("meter").run(c.env.DB.prepare(sql).bind(...parameters))

const find = async (c: Context<Env>, id: unknown) => {
  const { rows: [task] } = await query(c, "SELECT * FROM tasks WHERE id = ?", id)
  return task
}

const record = (c: Context<Env>, id: unknown, event: string, from: unknown, to: string, actor: unknown, at: string) =>
  query(
    c,
    "INSERT INTO history (task_id, event, from_queue, to_queue, actor, at) VALUES (?, ?, ?, ?, ?, ?)",
    id,
    event,
    from,
    to,
    actor,
    at
  )

app.post("/api/v1/tasks", async (c) => {
  const task = await c.req.json()
  if (!task.id || !task.file_path || !task.branch) {
    return c.json({ error: "id, file_path and branch are required" }, 400)
  }
  if (await find(c, task.id)) return c.json({ error: "Task already exists" }, 409)
  const now = new Date().toISOString()
  await query(
    c,
    `INSERT INTO tasks (id, scope, file_path, title, content, queue, priority, branch, created_at, updated_at)
     VALUES (?, ?, ?, ?, ?, 'incoming', ?, ?, ?, ?)`,
    task.id,
    task.scope,
    task.file_path,
    task.title ?? task.id,
    task.content ?? null,
    task.priority ?? "P2",
    task.branch,
    now,
    now
  )
  await record(c, task.id, "created", null, "incoming", null, now)
  return c.json(await find(c, task.id), 201)
})

app.post("/api/v1/tasks/claim", async (c) => {
  const { agent_name, orchestrator_id, scope } = await c.req.json()
  const { rows: [task] } = await query(
    c,
    "SELECT * FROM tasks WHERE scope = ? AND queue = 'incoming' ORDER BY priority, created_at LIMIT 1",
    scope
  )
  if (task === undefined) return c.json({ message: "No tasks available" }, 404)
  const now = new Date()
  const { changes } = await query(
    c,
    `UPDATE tasks SET queue = 'claimed', claimed_by = ?, claimed_at = ?, orchestrator_id = ?, lease_expires_at = ?,
       version = version + 1, updated_at = ? WHERE id = ? AND queue = 'incoming' AND version = ?`,
    agent_name,
    now.toISOString(),
    orchestrator_id,
    new Date(now.getTime() + LeaseSeconds * 1000).toISOString(),
    now.toISOString(),
    task["id"],
    task["version"]
  )
  if (changes === 0) return c.json({ error: "Task was already claimed" }, 409)
  await record(c, task["id"], "claimed", "incoming", "claimed", agent_name, now.toISOString())
  return c.json(await find(c, task["id"]))
})

app.post("/api/v1/tasks/:id/submit", async (c) => {
  const [id, { commits_count, turns_used }] = [c.req.param("id"), await c.req.json()]
  const task = await find(c, id)
  if (task === undefined) return c.json({ error: "Task not found" }, 404)
  if (task["queue"] !== "claimed") return c.json({ error: "Task is not claimed" }, 409)
  const now = new Date().toISOString()
  await query(
    c,
    `UPDATE tasks SET queue = 'provisional', commits_count = ?, turns_used = ?, submitted_at = ?, claimed_by = NULL,
       claimed_at = NULL, orchestrator_id = NULL, lease_expires_at = NULL, version = version + 1, updated_at = ?
     WHERE id = ?`,
    commits_count,
    turns_used,
    now,
    now,
    id
  )
  await record(c, id, "submitted", "claimed", "provisional", task["claimed_by"], now)
  return c.json(await find(c, id))
})

app.post("/api/v1/tasks/:id/accept", async (c) => {
  const [id, { accepted_by }] = [c.req.param("id"), await c.req.json()]
  const task = await find(c, id)
  if (task === undefined) return c.json({ error: "Task not found" }, 404)
  if (task["queue"] !== "provisional") return c.json({ error: "Task is not provisional" }, 409)
  const now = new Date().toISOString()
  await query(
    c,
    "UPDATE tasks SET queue = 'done', completed_at = ?, version = version + 1, updated_at = ? WHERE id = ?",
    now,
    now,
    id
  )
  await record(c, id, "accepted", "provisional", "done", accepted_by, now)
  return c.json(await find(c, id))
})

export default app
