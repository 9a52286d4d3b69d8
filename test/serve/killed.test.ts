/** A restore during which `octopoid-server serve` and its workerd are killed: the same restore again has the same result as one alone. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { write } from "../../src/cli/transfer/Dump.ts"
import { pages } from "../../src/cli/transfer/pages.ts"
import { sendAll } from "../../src/cli/transfer/pieces.ts"
import * as Chance from "../support/Chance.ts"
import { reading, violationsOf } from "../support/Leftover.ts"
import { runs } from "../support/runs.ts"
import * as Served from "../support/Served.ts"
import { connect } from "../support/Wire.ts"

const folders: Array<string> = []
const folder = async () => {
  const made = await mkdtemp(join(tmpdir(), "octopoid-killed-"))
  folders.push(made)
  return made
}
afterAll(() => Promise.all(folders.map((one) => rm(one, { recursive: true, force: true, maxRetries: 5 }))))

const secret = "a-secret-of-sixteen-and-more"
const serve = (data: string) => Served.launch({ data, env: { API_SECRET_KEY: secret } })
const at = ({ base }: Served.Served) => ({ url: base.origin, key: secret })

type Lines = ReadonlyArray<string>

const exported = (server: Served.Served): Promise<Lines> =>
  Array.fromAsync(write("2026-01-01T00:00:00.000Z", pages(at(server))))

const bytesOf = (lines: Lines) =>
  async function*() {
    yield Buffer.from(lines.map((line) => `${line}\n`).join(""))
  }

/** An export of more than one piece, with a task that is held. */
const filled = async (): Promise<Lines> => {
  const server = await serve(await folder())
  const wire = connect(server.base, { authorization: `Bearer ${secret}` })
  const post = async (path: string, body: object) => {
    const answer = await wire.send({ method: "POST", path: `/api/v1/${path}`, body: { scope: "red", ...body } })
    assert.isBelow(answer.status, 300, JSON.stringify(answer.body))
  }
  await post("orchestrators/register", { cluster: "k", machine_id: "m" })
  for (const id of ["a", "b", "c"]) {
    await post("tasks", { id, file_path: `${id}.md`, branch: "b", content: `${id} 漢 🐙`.repeat(30_000) })
  }
  await post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" })
  wire.close()
  const lines = await exported(server)
  await server.end("SIGTERM")
  return lines
}

describe("octopoid-server serve", () => {
  it("killed during a restore, has all of the scope or nothing, and the same restore again brings the rest", async () => {
    const lines = await filled()
    const chance = Chance.make(Number(process.env.PROPERTY_SEED ?? 1))
    // How many requests a restore makes.
    let requests = 0
    const counting = ((input, init) => {
      requests++
      return fetch(input, init)
    }) as typeof fetch
    const alone = await serve(await folder())
    await sendAll({ bytes: bytesOf(lines), ...at(alone), fetch: counting })
    assert.deepStrictEqual((await exported(alone)).slice(1), lines.slice(1))
    await alone.end("SIGTERM")
    assert.isAtLeast(requests, 3)

    for (let round = 0; round < runs(2, 2); round++) {
      // The last request writes all records, so it is met every second time.
      const fatal = round % 2 === 0 ? requests : chance.between(1, requests - 1)
      const data = await folder()
      const server = await serve(data)
      const stopped = new AbortController()
      let sent = 0
      const dying = (async (input, init) => {
        const answer = fetch(input, init)
        if (++sent < fatal) return answer
        answer.catch(() => {})
        await sleep(chance.between(0, 30))
        await server.kill()
        stopped.abort()
        throw new TypeError("the server was killed")
      }) as typeof fetch
      const ended = await sendAll({ bytes: bytesOf(lines), ...at(server), fetch: dying, signal: stopped.signal })
        .then(() => "restored", () => "failed")
      assert.deepStrictEqual([sent, ended], [fatal, "failed"])

      const again = await serve(data)
      const half = await exported(again)
      const isListed = half.length > 2
      if (isListed) assert.deepStrictEqual(half.slice(1), lines.slice(1), "all of the scope, or nothing")
      const [restored] = await sendAll({ bytes: bytesOf(lines), ...at(again) })
      // If it was killed between the commit and what it tells the control object, all is there and not listed yet.
      if (isListed) assert.isTrue(restored!.before)
      assert.deepStrictEqual((await exported(again)).slice(1), lines.slice(1))
      await again.kill()

      // What was answered survives the next kill as well.
      const last = await serve(data)
      assert.deepStrictEqual((await exported(last)).slice(1), lines.slice(1))
      await last.end("SIGTERM")
      assert.deepStrictEqual(reading(data, violationsOf), [])
    }
  })
})
