/** The diagram of the default flow has no step that the table of moves does not have. */
import { assert, it } from "@effect/vitest"
import { defaultSteps } from "../../src/app/screens/flows/default.ts"
import { destination, type Move, moves, startsIn } from "../../src/domain/task/Moves.ts"

const movesOf: Record<string, ReadonlyArray<Move>> = {
  claim: [moves.claim],
  submit: [moves.submit, moves.burnOut],
  accept: [moves.accept],
  reject: [moves.reject],
  fail: [moves.fail],
  cancel: [moves.cancel],
  redrive: [moves.redrive]
}

it.each(defaultSteps.map((step) => [`${step.by}: ${step.from} to ${step.to}`, step] as const))("%s", (_, step) => {
  const { by, from, to } = step as { readonly by: string; readonly from: never; readonly to: string }
  assert.isTrue(
    movesOf[by]!.some((move) =>
      startsIn(move, from) && destination(move, { queue: from, claimed_from: "incoming" as never }) === to
    )
  )
})
