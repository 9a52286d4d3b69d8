/** A scope at work moves from D1 to Durable Objects, to `octopoid-server serve` and back to D1, each in a process of its own. */
import { assert, it } from "@effect/vitest"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { statements } from "../../scripts/data/dump/statements.ts"
import { read } from "../../src/cli/transfer/check.ts"
import { type Line, write } from "../../src/cli/transfer/Dump.ts"
import { pages } from "../../src/cli/transfer/pages.ts"
import { sendAll } from "../../src/cli/transfer/pieces.ts"
import { build } from "../support/Bundle.ts"
import { launch, type Running } from "../support/Launcher.ts"
import * as Served from "../support/Served.ts"
import { connect } from "../support/Wire.ts"

const secret = "a-secret-of-sixteen-and-more"
const env = { API_SECRET_KEY: secret, LOG_LEVEL: "Error" }
const result = { commits_count: 1, turns_used: 1 }

interface Held {
  readonly id: string
  readonly token: number
}

type Lines = ReadonlyArray<string>

const exported = (base: URL): Promise<Lines> =>
  Array.fromAsync(write("2026-01-01T00:00:00.000Z", pages({ url: base.origin, key: secret })))

/** What `octopoid-server restore` does. */
const intoObjects = async (base: URL, lines: Lines) => {
  const bytes = async function*() {
    yield Buffer.from(lines.map((line) => `${line}\n`).join(""))
  }
  await sendAll({ bytes, url: base.origin, key: secret })
}

const each = async function*(lines: Lines) {
  yield* lines
}

/** What `npm run restore` has wrangler run, in one batch. */
const intoD1 = async ({ database }: Running, lines: Lines) => {
  const records = async function*(): AsyncGenerator<Line> {
    for await (const { line } of read(each(lines))) if (line !== undefined) yield line
  }
  const all = await Array.fromAsync(statements(JSON.parse(lines[0]!), records, Date.now()))
  await database.batch(all.map((text) => database.prepare(text)))
}

it("a scope at work keeps its leases on each engine it moves to, and no token is granted twice", async () => {
  const folder = await mkdtemp(join(tmpdir(), "octopoid-moves-"))
  const ends: Array<() => Promise<unknown>> = []
  const start = async (engine: "d1" | "objects", name: string) => {
    const server = await launch({ code: await build(engine), engine, storage: join(folder, name), env })
    ends.push(server.close)
    return server
  }
  const grants: Array<Held> = []
  const at = (base: URL) => {
    const wire = connect(base, { authorization: `Bearer ${secret}` })
    ends.push(async () => wire.close())
    const post = async (path: string, body: object, key?: string) => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
      return wire.send({ method: "POST", path: `/api/v1/${path}`, body: { scope: "red", ...body }, headers })
    }
    const sure = async (...given: Parameters<typeof post>) => {
      const answer = await post(...given)
      assert.isBelow(answer.status, 300, `${given[0]}: ${JSON.stringify(answer.body)}`)
      return answer.body
    }
    const claim = async (agent_name: string, key?: string): Promise<Held> => {
      const body = await sure("tasks/claim", { orchestrator_id: "k-m", agent_name }, key)
      grants.push({ id: body.id, token: body.fencing_token })
      return { id: body.id, token: body.fencing_token }
    }
    const submit = ({ id, token }: Held, key?: string) =>
      post(`tasks/${id}/submit`, { fencing_token: token, ...result }, key)
    const renew = async ({ id, token }: Held, key?: string) =>
      (await post(`tasks/${id}/renew`, { fencing_token: token }, key)).status
    return { base, claim, post, renew, submit, sure }
  }
  try {
    const first = at((await start("d1", "first")).base)
    await first.sure("orchestrators/register", { cluster: "k", machine_id: "m" })
    for (const id of ["a", "b", "c", "d", "e"]) {
      await first.sure("tasks", { id, file_path: `${id}.md`, branch: "b", priority: "P1" })
    }
    const { api_key: key } = await first.sure("scopes/red/keys", { name: "laptop", rank: "manage" })

    let held = await first.claim("ann", key)
    let here = first
    for (const stop of ["objects", "serve", "d1"] as const) {
      const lines = await exported(here.base)
      // The old server is still there, and grants the next task to an agent that has not heard of the move.
      const late = await here.claim("late", key)

      let next: typeof here
      if (stop === "serve") {
        const server = await Served.launch({ data: join(folder, "serve"), env })
        ends.push(() => server.end("SIGTERM"))
        next = at(server.base)
      } else {
        const server = await start(stop, `moved-${stop}`)
        if (stop === "d1") await intoD1(server, lines)
        next = at(server.base)
      }
      if (stop !== "d1") await intoObjects(next.base, lines)

      assert.strictEqual(await next.renew(held, key), 200, `${stop}: who held the task holds it, by the same token`)
      const again = await next.claim("bob", key)
      assert.strictEqual(again.id, late.id)
      assert.isAbove(again.token, late.token)
      assert.strictEqual((await next.submit(late, key)).status, 409, `${stop}: the lease of the old server is refused`)
      assert.strictEqual((await next.submit(held, key)).status, 200)
      held = again
      here = next
    }
    assert.strictEqual((await here.submit(held, key)).status, 200)
    const tokens = grants.map(({ id, token }) => `${id} ${token}`)
    assert.lengthOf(tokens, 7)
    assert.lengthOf([...new Set(tokens)], 7, "no token was granted twice")
    const list = await fetch(new URL("/api/v1/tasks", here.base), { headers: { authorization: `Bearer ${key}` } })
    const { tasks } = await list.json() as { readonly tasks: ReadonlyArray<Record<"id" | "queue", string>> }
    assert.deepStrictEqual(
      tasks.map(({ id, queue }) => `${id} ${queue}`).toSorted(),
      ["a provisional", "b provisional", "c provisional", "d provisional", "e incoming"]
    )
  } finally {
    for (const end of ends.toReversed()) await end()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})
