/** Roles over real SQL: whose they are, what registering again changes, and that they can go. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId } from "../../src/domain/Identifier.ts"
import { Registration } from "../../src/domain/machine/Orchestrator.ts"
import { RoleRegistration } from "../../src/domain/machine/Role.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { Roles } from "../../src/services/machine/Roles.ts"
import { CurrentIdempotency } from "../../src/sql/Idempotency.ts"
import { ServicesLayer } from "../support/layers.ts"

const registration = Schema.decodeUnknownSync(RoleRegistration)
const register = (machine: string, roles: ReadonlyArray<object>, scope?: string) =>
  Roles.use((all) => all.register(registration({ orchestrator_id: machine, roles }), scope))

/** Two machines in `red`, one in `blue`. */
const machines = Orchestrators.use((all) =>
  Effect.forEach(
    [["red", "a"], ["red", "b"], ["blue", "c"]] as const,
    ([scope, machine_id]) => all.register(scope, Schema.decodeSync(Registration)({ cluster: "k", machine_id }))
  )
)
const some = (from: number, to: number, rest: object = {}) =>
  Array.from({ length: to - from }, (_, i) => ({ name: `r${1000 + from + i}`, ...rest }))
const names = (roles: ReadonlyArray<{ readonly name: string; readonly scope: string }>) =>
  roles.map(({ name, scope }) => `${scope}/${name}`)

describe("Roles", () => {
  it.effect("registers roles in the scope of the orchestrator, skips items without a name, and of one name takes the last", () =>
    Effect.gen(function*() {
      yield* machines
      const registered = yield* register("k-a", [
        { name: "review", claims_from: "provisional", description: "Reads" },
        { name: "build", claims_from: "", description: "" },
        { claims_from: "testing" },
        { name: "" },
        { name: null },
        { name: "build", claims_from: "testing", description: "\"quoted\" 😀" }
      ])
      assert.deepStrictEqual(registered.map((role) => ({ ...role, created_at: 0 })), [
        {
          name: "build",
          scope: "red",
          description: "\"quoted\" 😀",
          claims_from: "testing",
          orchestrator_id: OrchestratorId.make("k-a"),
          created_at: 0
        },
        {
          name: "review",
          scope: "red",
          description: "Reads",
          claims_from: "provisional",
          orchestrator_id: OrchestratorId.make("k-a"),
          created_at: 0
        }
      ])
      assert.deepStrictEqual(names(yield* register("k-a", [])), ["red/build", "red/review"])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("B9: registering again keeps created_at, and a role belongs to the orchestrator that registered it last", () =>
    Effect.gen(function*() {
      yield* machines
      yield* register("k-a", [{ name: "build" }, { name: "review" }])
      yield* TestClock.adjust("1 second")
      const [build] = yield* register("k-b", [{ name: "build", claims_from: "testing", description: "d" }])
      assert.deepInclude(build, {
        claims_from: "testing",
        description: "d",
        orchestrator_id: OrchestratorId.make("k-b")
      })
      assert.strictEqual(DateTime.toEpochMillis(build!.created_at), 0)
      assert.deepStrictEqual(names(yield* register("k-a", [])), ["red/review"])
      for (
        const change of [
          { description: "e" },
          { description: "e", claims_from: "testing" },
          { claims_from: "testing" },
          {}
        ]
      ) {
        const [changed] = yield* register("k-b", [{ name: "build", ...change }])
        assert.deepInclude(changed, { claims_from: "incoming", description: null, ...change })
      }
      assert.deepStrictEqual(names(yield* register("k-a", [{ name: "build" }])), ["red/build", "red/review"])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("D7: the roles of a scope cannot be taken over, listed or found from another scope", () =>
    Effect.gen(function*() {
      const roles = yield* Roles
      yield* machines
      yield* register("k-a", [{ name: "build", claims_from: "testing" }])
      yield* TestClock.adjust("1 second")
      yield* register("k-c", [{ name: "build" }, { name: "paint" }])
      assert.deepInclude(yield* roles.get("build", "red"), { claims_from: "testing", scope: "red" })
      assert.deepStrictEqual(names(yield* roles.list("red")), ["red/build"])
      assert.deepStrictEqual(names(yield* roles.list(undefined)), ["blue/build", "red/build", "blue/paint"])
      assert.strictEqual((yield* roles.get("build", undefined)).scope, "blue", "the newest")
      assert.strictEqual((yield* Effect.flip(roles.get("paint", "red")))._tag, "RoleNotFound")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("refuses an orchestrator that is unknown or out of reach, and registers nothing for it", () =>
    Effect.gen(function*() {
      const roles = yield* Roles
      yield* machines
      for (const [id, scope] of [["none", undefined], ["k-c", "red"], ["k-a", "blue"]] as const) {
        const error = yield* Effect.flip(register(id, [{ name: "build" }], scope))
        assert.include(error.error, `Orchestrator '${id}' not found`)
      }
      assert.deepStrictEqual(yield* roles.list(undefined), [])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("D7: a role can be deleted; without a scope only if one scope has it", () =>
    Effect.gen(function*() {
      const roles = yield* Roles
      yield* machines
      yield* register("k-a", [{ name: "build" }, { name: "review" }])
      yield* register("k-c", [{ name: "build" }])
      const error = yield* Effect.flip(roles.remove("build", undefined))
      assert.include([error._tag, error.error.slice(0, 39)], "Missing required query parameter: scope")
      assert.strictEqual((yield* Effect.flip(roles.remove("review", "blue")))._tag, "RoleNotFound")
      assert.strictEqual(yield* roles.remove("review", undefined), "red")
      assert.strictEqual(yield* roles.remove("build", "red"), "red")
      assert.deepStrictEqual(names(yield* roles.list(undefined)), ["blue/build"])
      assert.strictEqual(yield* roles.remove("build", undefined), "blue")
      assert.strictEqual((yield* Effect.flip(roles.remove("build", undefined)))._tag, "RoleNotFound")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("a scope has at most 200 roles: a request with more is refused as a whole, and existing roles can be changed", () =>
    Effect.gen(function*() {
      const roles = yield* Roles
      yield* machines
      assert.lengthOf(yield* register("k-a", some(0, 150)), 150)
      const keyed = { key: "k", id: "k", fingerprint: "f", replayed: false }
      const refused = yield* Effect.flip(
        register("k-b", some(140, 201)).pipe(Effect.provideService(CurrentIdempotency, keyed))
      )
      assert.deepInclude(refused, { _tag: "TooManyRoles", limit: 200 })
      assert.include(refused.error, "The scope red would have more than 200 roles")
      assert.lengthOf(yield* roles.list("red"), 150)
      assert.lengthOf(
        yield* register("k-b", some(140, 200)).pipe(Effect.provideService(CurrentIdempotency, keyed)),
        60,
        "a refusal keeps nothing under the key"
      )
      assert.lengthOf(yield* register("k-a", some(0, 200, { description: "d" })), 200)
      assert.lengthOf(yield* register("k-c", some(0, 200)), 200)
    }).pipe(Effect.provide(ServicesLayer)))

  it("claims_from has to be a queue that claims can take tasks from", () => {
    for (const claims_from of ["claimed", "done", "failed", " ", "a\"b", 7]) {
      assert.throws(() => registration({ orchestrator_id: "k-a", roles: [{ name: "x", claims_from }] }), /claims_from/)
    }
  })
})
