/** What the tools look like to an agent: few, short, and plain. And the branch that a claim names. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { branchOf } from "../../src/mcp/branch.ts"
import { agentOf, folder } from "./support.ts"

/** At most as many tokens as the text has: tokenizers make at least 3.5 characters of plain English a token. */
const tokensOf = (text: string) => Math.ceil(text.length / 3.5)

const descriptionsIn = (value: unknown): ReadonlyArray<string> =>
  typeof value !== "object" || value === null ?
    [] :
    Object.entries(value).flatMap(([name, inner]) =>
      name === "description" && typeof inner === "string" ? [inner] : descriptionsIn(inner)
    )

it.live("there are at most eight, with descriptions of less than 700 tokens in all", () =>
  Effect.scoped(Effect.gen(function*() {
    // Nothing is sent to the server before a tool is called.
    const { client, seen } = yield* agentOf("http://127.0.0.1:1", { OCTOPOID_OUTBOX: yield* folder })
    const { tools } = yield* Effect.promise(() => client.listTools())
    assert.deepStrictEqual(tools.map(({ name }) => name), [
      "claim_task",
      "checkpoint",
      "submit_result",
      "give_back",
      "fail_task",
      "ask_person",
      "find_tasks",
      "create_task"
    ])
    const texts = [...descriptionsIn(tools), client.getInstructions() ?? ""]
    assert.isBelow(tokensOf(texts.join("\n")), 700)
    for (const { description, inputSchema, name, outputSchema } of tools) {
      assert.isAbove(description?.length ?? 0, 0, name)
      assert.strictEqual(inputSchema.type, "object", name)
      assert.strictEqual(outputSchema?.type, "object", name)
      assert.notInclude(JSON.stringify([inputSchema, outputSchema]), "$ref", name)
    }
    assert.strictEqual(seen.stderr, "")
  })))

it("the branch of every task is a name that git takes, and says which task it is", () => {
  const ids = [
    "login",
    "TASK-1.2",
    "a b",
    "ü/ñ",
    ".hidden",
    "a..b",
    "ends.",
    "x.lock",
    "a.lock.lock",
    "@{",
    "~^:?*[\\",
    "%2E",
    "😀",
    "-",
    "@",
    "'!()*"
  ]
  for (const id of ids) {
    const branch = branchOf(id, 7)
    execFileSync("git", ["check-ref-format", "--branch", branch], { stdio: "ignore" })
    const [prefix, task, token] = branch.split("/")
    assert.deepStrictEqual([prefix, decodeURIComponent(task!), token], ["octopoid", id, "7"])
  }
})
