/** The lock of a data folder, taken by processes that meet at the worst moments. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { root } from "../support/Bundle.ts"

const folders: Array<string> = []
const folder = async () => {
  const made = await mkdtemp(join(tmpdir(), "octopoid-lock-"))
  folders.push(made)
  return made
}
const children: Array<ChildProcess> = []
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL")
  await Promise.all(folders.map((one) => rm(one, { recursive: true, force: true, maxRetries: 5 })))
})

/** Takes the lock of the folder, says whether it has it, and keeps it. A slow one waits before it removes a file. */
const program = `
  import fs from "node:fs/promises"
  import { syncBuiltinESMExports } from "node:module"
  const [file, folder, isSlow] = process.argv.slice(1)
  const go = new Promise((done) => process.stdin.once("data", done))
  const { rm } = fs
  if (isSlow === "slow") {
    fs.rm = async (...given) => {
      console.log("removes")
      await go
      return rm(...given)
    }
    syncBuiltinESMExports()
  }
  const { lock } = await import(file)
  const Effect = await import("effect/Effect")
  await Effect.runPromise(Effect.scoped(Effect.andThen(
    Effect.tap(lock(folder), () => Effect.sync(() => console.log("has it"))),
    Effect.never
  ))).catch(({ message }) => console.log(message))
  process.exit()`

interface Taker {
  /** What it says next. */
  readonly says: () => Promise<string>
  readonly goOn: () => void
  readonly kill: () => Promise<unknown>
}

const taker = (data: string, speed: "slow" | "quick" = "quick"): Taker => {
  const args = ["--input-type=module", "-e", program, join(root, "src/serve/Folder.ts"), data, speed]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["pipe", "pipe", "inherit"] })
  children.push(child)
  const gone = once(child, "close")
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    says: async () => String((await lines.next()).value),
    goOn: () => void child.stdin.write("go on\n"),
    kill: () => {
      child.kill("SIGKILL")
      return gone
    }
  }
}

const left = async (data: string) => {
  const killed = taker(data)
  assert.strictEqual(await killed.says(), "has it")
  await killed.kill()
}

describe("the lock of a data folder", () => {
  it("stays with the server that took it while another one was about to remove the lock of a killed one", async () => {
    const data = await folder()
    await left(data)
    const slow = taker(data, "slow")
    assert.strictEqual(await slow.says(), "removes")
    const quick = taker(data)
    const quickSays = quick.says()
    // The quick one either has the lock already or waits for the slow one.
    const first = await Promise.race([quickSays, new Promise<"waits">((done) => setTimeout(done, 1000, "waits"))])
    slow.goOn()
    const slowSays = await slow.says()
    const said = [slowSays, first === "waits" ? await quickSays : first]
    assert.strictEqual(said.filter((each) => each === "has it").length, 1, said.join("\n"))
    assert.match(said.find((each) => each !== "has it")!, /^A server runs on .* already/)
    const third = taker(data)
    assert.match(await third.says(), /^A server runs on .* already/)
  })

  it("goes to exactly one of several that start at once, also after one was killed", async () => {
    const data = await folder()
    for (let round = 0; round < 2; round++) {
      const takers = Array.from({ length: 4 }, () => taker(data))
      const said = await Promise.all(takers.map(({ says }) => says()))
      assert.strictEqual(said.filter((each) => each === "has it").length, 1, said.join("\n"))
      await Promise.all(takers.map(({ kill }) => kill()))
    }
  })
})
