/**
 * Graphs of layers: each task of a layer waits for tasks of the layer before, all of them or all but one. What happens to
 * them are commands of the model whose task is a place in the graph.
 */
import * as Schema from "effect/Schema"
import type { Command } from "./Command.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const OnFailure = Schema.Literals(["fail", "fail", "skip", "wait"])
const Place = between(0, 15)

const Happening = Schema.Struct({
  place: Place,
  other: Place,
  onFailure: OnFailure,
  what: Schema.Literals([
    "Fail",
    "Fail",
    "Cancel",
    "Redrive",
    "Redrive",
    "Assign",
    "Requeue",
    "Accept",
    "Finish",
    "Move",
    "Depend",
    "Delete",
    "Lapse"
  ])
})

export const Layers = Schema.Struct({
  depth: between(2, 4),
  width: between(2, 4),
  /** How the tasks of each layer wait, and whether each of them waits for one task less than there are. */
  layers: Schema.Array(Schema.Struct({ onFailure: OnFailure, sparse: Schema.Boolean })).check(
    Schema.isMinLength(3),
    Schema.isMaxLength(3)
  ),
  happenings: Schema.Array(Happening)
})

/** The commands, first those that make the graph. */
export const commandsOf = ({ depth, happenings, layers, width }: typeof Layers.Type): ReadonlyArray<Command> => {
  const count = depth * width
  const idOf = (place: number) => `t${place % count}`
  const tasks = Array.from({ length: count }, (_, place) => {
    const layer = Math.floor(place / width)
    const { onFailure, sparse } = layers[layer - 1] ?? { onFailure: "wait", sparse: false }
    const blockers = Array.from({ length: layer === 0 ? 0 : width }, (_, i) => (layer - 1) * width + i)
      .filter((_, i) => !(sparse && i === place % width))
    return {
      _tag: "Create",
      id: idOf(place),
      scope: "red",
      role: null,
      priority: "P1",
      blockers: blockers.map(idOf),
      onFailure,
      budget: place % 3 === 0 ? "losses" : null,
      limit: 1,
      hasty: false
    }
  })
  const happened = happenings.flatMap(({ onFailure, other, place, what }): ReadonlyArray<object> => {
    const id = idOf(place)
    const one = (command: object) => [{ id, ...command }]
    switch (what) {
      case "Accept":
        return [{ _tag: "Assign", id, agent: "ann" }, { _tag: "Accept", id }]
      case "Assign":
        return one({ _tag: what, agent: "ann" })
      case "Finish":
        return one({ _tag: "Force", queue: "done" })
      case "Move":
        return one({ _tag: what, queue: "failed" })
      case "Depend":
        return one({ _tag: what, blocker: idOf(other), onFailure })
      case "Lapse":
        return [{ _tag: what, early: false }, { _tag: "Reap" }]
      default:
        return one({ _tag: what })
    }
  })
  return [...tasks, ...happened] as unknown as ReadonlyArray<Command>
}
