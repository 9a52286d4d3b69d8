import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Import } from "../../services/transfer/Import.ts"
import { administrator } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

export const ImportHandlers = Routes.group(
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
