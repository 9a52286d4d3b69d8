/** Callers with keys that are not valid, and what the objects that serve all callers have of them. */
import { assert, describe, it } from "@effect/vitest"
import * as Objects from "./Objects.ts"

const Secret = "a secret of the server"
const wrong = (n: number) => `oct_${String(n).padStart(64, "0")}`

/** A server that counts what the control object is asked. */
const counted = async () => {
  const server = Objects.make({ API_SECRET_KEY: Secret })
  const { body } = await server.ask("POST", "scopes/red/keys", { name: "k", rank: "manage" }, Secret)
  server.restart()
  const known = server.known()
  const { scopeOf } = known
  const asked: Array<string> = []
  known.scopeOf = (hash) => {
    asked.push(hash)
    return scopeOf(hash)
  }
  const get = async (key: string, address: string) => {
    const headers = { authorization: `Bearer ${key}`, "cf-connecting-ip": address }
    const answer = await server.fetch("http://server/api/v1/tasks", { headers })
    return { status: answer.status, after: answer.headers.get("retry-after"), body: await answer.json() as any }
  }
  return { asked, get, key: body.api_key as string }
}

describe("keys that are not valid", () => {
  it("are looked up as often as an address may be wrong, and then no more", async () => {
    const { asked, get, key } = await counted()
    const answers = []
    for (let n = 0; n < 200; n++) answers.push(await get(wrong(n), "1.2.3.4"))
    assert.isAtMost(asked.length, 25)
    assert.deepStrictEqual(answers.slice(0, 20).map(({ status }) => status), Array.from({ length: 20 }, () => 401))
    const last = answers.at(-1)!
    assert.deepStrictEqual([last.status, last.body._tag], [429, "TooManyFailures"])
    assert.isAtMost(Number(last.after), 60)
    assert.isAtLeast(Number(last.after), 1)
    // Who guesses does not learn that a guess is right. Others are served.
    assert.strictEqual((await get(key, "1.2.3.4")).status, 429)
    assert.strictEqual((await get(key, "5.6.7.8")).status, 200)
    // The isolate knows the key now.
    assert.strictEqual((await get(key, "1.2.3.4")).status, 200)
  })

  it("are looked up once a minute, and not at all if the server makes no such keys", async () => {
    const { asked, get } = await counted()
    for (let n = 0; n < 50; n++) assert.strictEqual((await get(wrong(1), "1.2.3.4")).status, 401)
    assert.lengthOf(asked, 1)
    for (const key of ["oct_short", `oct_${"0".repeat(65)}`, `oct_${"G".repeat(64)}`]) {
      assert.strictEqual((await get(key, "1.2.3.4")).status, 401)
    }
    assert.lengthOf(asked, 1)
  })
})
