/** The Worker as it is deployed passes the suite that operators run. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { conform, format } from "../../src/conformance/Conformance.ts"
import { Workerd } from "../support/harness.ts"

const Secret = "a secret of the server"

layer(Workerd.layerWith({ API_SECRET_KEY: Secret }), { excludeTestServices: true, timeout: "10 minutes" })(
  "in workerd",
  (it) => {
    it.effect("every check of the suite passes", () =>
      Effect.gen(function*() {
        const server = yield* Workerd
        const fetch = (url: string, init: RequestInit) =>
          server.fetch(url, init as object) as unknown as Promise<Response>
        const report = yield* Effect.promise(() => conform({ url: "http://localhost", key: Secret, fetch }))
        const text = format(report, false)
        assert.deepInclude(report, { failed: 0, skipped: 0, access: "keys", interrupted: false }, text)
        assert.isAtLeast(report.passed, 72, text)
      }), 900_000)
  }
)
