/** What the Worker before the objects bounds by itself. */
import { assert, it } from "@effect/vitest"
import { MaxLongBodies } from "../../src/objects/Front.ts"
import * as Objects from "./Objects.ts"

const Secret = "a secret of the server"
const create = (id: string, content: string) => JSON.stringify({ id, file_path: id, branch: "b", content })

it("the Worker serves so many long bodies at once, answers further ones with Retry-After, and short ones as ever", async () => {
  const home = Objects.make({ API_SECRET_KEY: Secret })
  const { body: { api_key: key } } = await home.ask("POST", "scopes/red/keys", { name: "k", rank: "manage" }, Secret)
  const ends: Array<() => void> = []
  /** A client that sends half of the body, and the rest when it is let. */
  const slow = (id: string) => {
    const bytes = new TextEncoder().encode(create(id, "x".repeat(100_000)))
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(bytes.slice(0, 50_000))
        ends.push(() => {
          controller.enqueue(bytes.slice(50_000))
          controller.close()
        })
      }
    })
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" }
    return home.fetch("http://server/api/v1/tasks", { method: "POST", headers, body, duplex: "half" } as RequestInit)
  }
  const served = Array.from({ length: MaxLongBodies }, (_, n) => slow(`t${n}`))
  const further = slow("further")
  const little = create("short", "x")
  const short = await home.fetch("http://server/api/v1/tasks", {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "content-length": `${little.length}`
    },
    body: little
  })
  assert.strictEqual(short.status, 201)
  ends.at(-1)!()
  const busy = await further
  assert.deepStrictEqual([busy.status, busy.headers.get("retry-after")], [503, "1"])
  assert.match((await busy.json() as any).error, /as many long bodies at once.*Nothing was changed/)
  for (const end of ends.slice(0, -1)) end()
  assert.deepStrictEqual([...new Set((await Promise.all(served)).map(({ status }) => status))], [201])
  const again = slow("further")
  ends.at(-1)!()
  assert.strictEqual((await again).status, 201)
})
