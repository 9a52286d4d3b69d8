/** A task of an old release that names a project of another scope: it is neither capped nor charged with that project. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ProjectId } from "../../src/domain/Identifier.ts"
import { Projects } from "../../src/services/record/Projects.ts"
import { Database } from "../../src/sql/Database.ts"
import { ServicesLayer } from "../support/layers.ts"
import { begin, id } from "../support/one-task.ts"

it.effect("a project of another scope stops no claim, and gets no usage", () =>
  Effect.gen(function*() {
    const { claim, queue, write } = yield* begin()
    const { batch, sql } = yield* Database
    const projects = yield* Projects
    yield* projects.create("blue", { id: ProjectId.make("p"), title: "P", branch: "b", max_tokens: 5 })
    yield* batch([sql`UPDATE projects SET input_tokens = 5`])
    yield* write({ project_id: "p" })
    const { fencing_token } = yield* claim()
    yield* queue.submit(
      id,
      { commits_count: 1, turns_used: 1, fencing_token, usage: { input_tokens: 3 } },
      undefined
    )
    const [rows] = yield* batch([sql`SELECT input_tokens FROM projects`])
    assert.deepStrictEqual(rows, [{ input_tokens: 5 }])
  }).pipe(Effect.provide(ServicesLayer)))
