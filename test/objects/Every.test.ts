/** The lists that show every scope. */
import { assert, describe, it } from "@effect/vitest"
import * as Objects from "./Objects.ts"

const Secret = "a secret of the server"
const authorization = `Bearer ${Secret}`

describe("a list of every scope", () => {
  it("refuses a query that is no UTF-8, as a list of one scope does", async () => {
    const { ask } = Objects.make()
    await ask("POST", "drafts", { scope: "red", title: "t", author: "a" })
    for (const path of ["drafts?a=%ff", "drafts?scope=red&a=%ff", "export?a=%ff"]) {
      assert.strictEqual((await ask("GET", path)).status, 400, path)
    }
    for (const path of ["drafts?a=%C3%A9+b", "drafts?a=100%"]) {
      const { status, body } = await ask("GET", path)
      assert.deepStrictEqual([status, body.total], [(await ask("GET", `${path}&scope=red`)).status, 1], path)
    }
  })

  it("has a tag that names its content: 304 until a scope changes", async () => {
    const { ask, fetch } = Objects.make({ API_SECRET_KEY: Secret })
    for (const scope of ["red", "blue"]) {
      await ask("POST", "orchestrators/register", { scope, cluster: "k", machine_id: "m" }, Secret)
      await ask("POST", "projects", { scope, id: scope, title: "t", branch: "b" }, Secret)
      await ask("POST", `scopes/${scope}/keys`, { name: "k" }, Secret)
    }
    for (const list of ["keys", "projects"]) {
      const get = (headers: Record<string, string> = {}, method = "GET") =>
        fetch(`http://server/api/v1/${list}`, { method, headers: { authorization, ...headers } })
      const first = await get()
      const tag = first.headers.get("etag")
      assert.match(tag ?? "", /^W\/"[^"]+"$/, list)
      assert.strictEqual((await get({}, "HEAD")).headers.get("etag"), tag)
      for (const known of [tag!, `"other", ${tag}`, "*"]) {
        const again = await get({ "if-none-match": known })
        assert.deepStrictEqual([again.status, await again.text(), again.headers.get("etag")], [304, "", tag], list)
      }
      assert.strictEqual((await get({ "if-none-match": "\"other\"" })).status, 200)
      for (const path of ["projects", "scopes/blue/keys"]) {
        const { status } = await ask(
          "POST",
          path,
          { scope: "blue", id: list, title: "t", branch: "b", name: list },
          Secret
        )
        assert.strictEqual(status, 201, path)
      }
      const after = await get({ "if-none-match": tag! })
      assert.strictEqual(after.status, 200)
      assert.notStrictEqual(after.headers.get("etag"), tag)
    }
  })
})
