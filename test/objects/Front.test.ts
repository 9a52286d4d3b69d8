/** What the Worker before the objects bounds by itself. */
import { assert, describe, it } from "@effect/vitest"
import { MaxLongBodies, MaxOfScope } from "../../src/http/request/LongBodies.ts"
import * as Objects from "./Objects.ts"

const Secret = "a secret of the server"

const create = (id: string, scope: string, length: number) =>
  JSON.stringify({ id, scope, file_path: id, branch: "b", content: "x".repeat(length) })

const start = async (scopes: ReadonlyArray<string>, options: { readonly bodySeconds?: number } = {}) => {
  const home = Objects.make({ API_SECRET_KEY: Secret }, options)
  const keys = new Map<string, string>()
  for (const scope of scopes) {
    const { body } = await home.ask("POST", `scopes/${scope}/keys`, { name: "k", rank: "manage" }, Secret)
    keys.set(scope, body.api_key)
  }
  const post = async (path: string, scope: string, body: string | ReadableStream, length?: number) => {
    const response = await home.fetch(`http://server/api/v1/${path}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${keys.get(scope) ?? scope}`,
        "content-type": "application/json",
        ...(length === undefined ? {} : { "content-length": `${length}` })
      },
      body,
      duplex: "half"
    } as RequestInit)
    return { status: response.status, after: response.headers.get("retry-after"), body: await response.json() as any }
  }
  /** A client that sends all of the body but its end, and that when it is let. */
  const slow = (id: string, scope: string, length = 100_000) => {
    const bytes = new TextEncoder().encode(create(id, scope, length))
    let end: (() => void) | undefined
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(bytes.slice(0, -10))
        end = () => {
          controller.enqueue(bytes.slice(-10))
          controller.close()
        }
      }
    })
    return { answer: post("tasks", keys.has(scope) ? scope : Secret, body), end: () => end?.() }
  }
  const whole = (id: string, scope: string, length = 100_000) => {
    const text = create(id, scope, length)
    return post("tasks", scope, text, text.length)
  }
  return { home, post, slow, whole }
}

const several = <A>(most: number, make: (n: number) => A) => Array.from({ length: most }, (_, n) => make(n))

/** Until all that can happen without a client has happened. */
const settled = () => new Promise<void>((done) => setTimeout(done, 20))

describe("long bodies", () => {
  it("so many of a scope are read at once; further ones get Retry-After, and other scopes and short ones get theirs", async () => {
    const { slow, whole } = await start(["red", "blue"])
    const served = several(MaxOfScope, (n) => slow(`t${n}`, "red"))
    await settled()
    const busy = await whole("further", "red")
    assert.deepStrictEqual([busy.status, busy.after], [503, "1"])
    assert.match(busy.body.error, /as many long bodies at once.*Nothing was changed/)
    assert.strictEqual((await whole("short", "red", 1)).status, 201)
    assert.strictEqual((await whole("other", "blue")).status, 201, "a scope does not wait for another one")
    for (const { end } of served) end()
    const statuses = (await Promise.all(served.map(({ answer }) => answer))).map(({ status }) => status)
    assert.deepStrictEqual([...new Set(statuses)], [201])
    assert.strictEqual((await whole("further", "red")).status, 201)
  })

  it("so many are read at once in all", async () => {
    const { slow, whole } = await start(["red"])
    const served = several(MaxLongBodies, (n) => slow(`t${n}`, "default"))
    await settled()
    assert.strictEqual((await whole("further", "red")).status, 503)
    for (const { end } of served) end()
    await Promise.all(served.map(({ answer }) => answer))
    assert.strictEqual((await whole("further", "red")).status, 201)
  })

  it("a body without a length counts when it is long, and a claim that waits keeps none from being read", async () => {
    const { home, post, slow, whole } = await start(["red"])
    await home.ask("POST", "orchestrators/register", { cluster: "k", machine_id: "m", scope: "red" }, Secret)
    const short = several(MaxOfScope, (n) => slow(`s${n}`, "red", 1000))
    const claims = several(MaxOfScope, (n) =>
      post(
        "tasks/claim",
        "red",
        JSON.stringify({ orchestrator_id: "k-m", agent_name: `a${n}`, wait_seconds: 1, note: "x".repeat(100_000) })
      ))
    await settled()
    assert.strictEqual((await whole("long", "red")).status, 201)
    for (const { end } of short) end()
    const statuses = (await Promise.all(short.map(({ answer }) => answer))).map(({ status }) => status)
    assert.deepStrictEqual([...new Set(statuses)], [201])
    await Promise.all(claims)
  })

  it("the server waits only so long for the rest of a body, and then changes nothing", async () => {
    const { home, slow, whole } = await start(["red"], { bodySeconds: 0.1 })
    const served = several(MaxOfScope, (n) => slow(`t${n}`, "red"))
    const answers = await Promise.all(served.map(({ answer }) => answer))
    assert.deepStrictEqual([...new Set(answers.map(({ after, status }) => `${status} ${after}`))], ["503 1"])
    assert.match(answers[0]!.body.error, /did not arrive within 0.1 s. Nothing was changed/)
    assert.strictEqual((await home.ask("GET", "tasks/t0?scope=red", undefined, Secret)).status, 404)
    assert.strictEqual((await whole("next", "red")).status, 201)
  })
})
