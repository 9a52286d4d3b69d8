/** The completions are programs that their shells can read, and that know the commands. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run } from "../support/command.ts"

const has = (shell: string) => spawnSync(shell, ["-c", "exit 0"]).status === 0

describe("the completions", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    // Every machine has bash.
    it.skipIf(shell !== "bash" && !has(shell))(`of ${shell} can be read by it`, async () => {
      const { code, stderr, stdout } = await run(["completions", shell])
      assert.deepStrictEqual([code, stderr], [0, ""])
      for (const word of ["octopoid-server", "explain", "git-hook"]) assert.include(stdout, word)
      // Their first lines say how they are installed.
      assert.include(stdout, `octopoid-server completions ${shell} >`)
      const folder = await mkdtemp(join(tmpdir(), "octopoid-completions-"))
      const read = async (script: string) => {
        await writeFile(join(folder, "script"), script)
        const { status, stderr } = spawnSync(shell, ["-n", join(folder, "script")], { encoding: "utf8" })
        return { status, stderr }
      }
      assert.deepStrictEqual(await read(stdout), { status: 0, stderr: "" })
      assert.notStrictEqual((await read(`${stdout}\nif (`)).status, 0)
      await rm(folder, { recursive: true })
    })
  }

  it("of bash complete a command after its first letters", async () => {
    const { stdout } = await run(["completions", "bash"])
    const complete = (words: string) =>
      spawnSync("bash", ["--norc"], {
        input: `${stdout}
COMP_LINE="${words}"; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
$(complete -p octopoid-server | sed 's/.*-F \\([^ ]*\\).*/\\1/') octopoid-server "\${COMP_WORDS[COMP_CWORD]}" x
printf '%s\\n' "\${COMPREPLY[@]}"`,
        encoding: "utf8"
      })
    const tasks = complete("octopoid-server tasks ex")
    assert.deepStrictEqual([tasks.stderr, tasks.stdout], ["", "explain\n"])
  })
})
