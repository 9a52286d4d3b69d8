import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../api/Api.ts"
import { Import } from "../services/Import.ts"
import { administrator } from "./Scope.ts"

export const ImportHandlers = HttpApiBuilder.group(
  Api,
  "import",
  Effect.fn(function*(handlers) {
    const { run } = yield* Import
    return handlers.handleAll({
      run: ({ params, payload }) =>
        Effect.andThen(administrator("import records", params.scope), run(params.scope, payload))
    })
  })
)
