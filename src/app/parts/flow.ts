/** The steps of a registered flow, as the page needs them. */
import type { Flow } from "../api/Contract.ts"

export interface Step {
  readonly from: string
  readonly to: string
  /** Whether only tasks of projects may take it. */
  readonly ofChild: boolean
}

const stepsIn = (list: unknown, ofChild: boolean): ReadonlyArray<Step> =>
  !Array.isArray(list) ?
    [] :
    list.flatMap((item: unknown) =>
      typeof item === "object" && item !== null && "from" in item && "to" in item && typeof item.from === "string" &&
        typeof item.to === "string"
        ? [{ from: item.from, to: item.to, ofChild }]
        : []
    )

/** The steps of the flow, and those of its `child_flow`. */
export const stepsOf = ({ child_flow, transitions }: Pick<Flow, "child_flow" | "transitions">): ReadonlyArray<Step> => [
  ...stepsIn(JSON.parse(transitions), false),
  ...(typeof child_flow === "object" && child_flow !== null && "transitions" in child_flow
    ? stepsIn(child_flow["transitions"], true)
    : [])
]
