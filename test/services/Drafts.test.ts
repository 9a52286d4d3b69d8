/** Drafts over real SQL: ids the server gives, tags as JSON text, what PATCH clears, and scopes. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { DraftId } from "../../src/domain/Identifier.ts"
import { DraftPatch, NewDraft } from "../../src/domain/record/Draft.ts"
import { Drafts } from "../../src/services/record/Drafts.ts"
import { ServicesLayer } from "../support/layers.ts"

const fresh = (rest: object = {}) => Schema.decodeSync(NewDraft)({ title: "t", author: "a", ...rest })
const change = Schema.decodeUnknownSync(DraftPatch)

describe("Drafts", () => {
  it.effect("ignores an id in the request, never uses one twice, and takes null and empty text for absent", () =>
    Effect.gen(function*() {
      const drafts = yield* Drafts
      const first = yield* drafts.create("red", fresh({ id: "slug", status: null, domain: "", tags: null }))
      assert.deepInclude(first, { id: DraftId.make(1), status: "idea", domain: null, tags: null })
      yield* drafts.remove(first.id, undefined)
      assert.strictEqual((yield* drafts.create("red", fresh())).id, DraftId.make(2))
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("keeps tags as text, writes a list as JSON, and null clears them", () =>
    Effect.gen(function*() {
      const drafts = yield* Drafts
      const { id, tags } = yield* drafts.create("red", fresh({ tags: ["a", "b"] }))
      assert.strictEqual(tags, "[\"a\",\"b\"]")
      assert.strictEqual((yield* drafts.patch(id, change({ tags: "[\"c\"]" }), undefined)).tags, "[\"c\"]")
      assert.isNull((yield* drafts.patch(id, change({ tags: null }), undefined)).tags)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("changes updated_at only with a change, and refuses a PATCH without fields", () =>
    Effect.gen(function*() {
      const drafts = yield* Drafts
      const { id } = yield* drafts.create("red", fresh())
      yield* TestClock.adjust("1 second")
      const same = yield* drafts.patch(id, change({ title: "t", file_path: null }), undefined)
      assert.strictEqual(DateTime.toEpochMillis(same.updated_at), 0)
      const moved = yield* drafts.patch(id, change({ status: "proposed", file_path: "f.md" }), undefined)
      assert.deepInclude(moved, { status: "proposed", file_path: "f.md", title: "t" })
      assert.strictEqual(DateTime.toEpochMillis(moved.updated_at), 1000)
      assert.strictEqual(
        (yield* Effect.flip(drafts.patch(id, change({ id: 9 }), undefined))).error,
        "No fields to update"
      )
      for (const status of [null, ""]) assert.throws(() => change({ status }), /status/)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("finds nothing in another scope, and filters and pages newest first", () =>
    Effect.gen(function*() {
      const drafts = yield* Drafts
      const ids: Array<DraftId> = []
      for (const author of ["a", "b", "b"]) {
        ids.push((yield* drafts.create("red", fresh({ author, linked_task_id: "x" }))).id)
      }
      yield* drafts.create("blue", fresh({ author: "b", linked_task_id: "x" }))
      const page = yield* drafts.list("red", { author: "b", linked_task_id: "x", domain: "", limit: 1 })
      assert.deepStrictEqual(page.drafts.map(({ id }) => id), [ids[2]!])
      assert.deepInclude(page, { total: 2, offset: 0, limit: 1 })
      for (
        const effect of [
          drafts.get(ids[0]!, "blue"),
          drafts.patch(ids[0]!, change({ title: "x" }), "blue"),
          drafts.remove(ids[0]!, "blue")
        ]
      ) {
        const error = yield* Effect.flip(effect as Effect.Effect<unknown, { error: string }>)
        assert.strictEqual(error.error, "Draft 1 not found")
      }
      assert.strictEqual((yield* drafts.get(ids[0]!, "red")).title, "t")
    }).pipe(Effect.provide(ServicesLayer)))
})
