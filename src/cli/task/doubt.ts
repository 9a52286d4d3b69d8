/** What may be wrong if a list of tasks is empty. */
import * as Effect from "effect/Effect"
import type { Client, Flow } from "../../client.ts"
import { aside, builtIn } from "../../domain/flow/FlowRules.ts"
import { usage } from "../ask/Failure.ts"
import type { Server } from "../ask/Server.ts"
import * as Screen from "../show/Screen.ts"
import { line, styled } from "../show/Text.ts"

/** The queues that mean something without a flow and without a task. */
const usual: ReadonlySet<string> = new Set(["incoming", "provisional", ...builtIn, ...aside])

interface Child {
  readonly states?: ReadonlyArray<string>
  readonly transitions?: ReadonlyArray<{ readonly from: string; readonly to: string }>
}

/** The queues of a flow and of the flow of its projects. */
const statesOf = ({ child_flow, states }: Flow): ReadonlyArray<string> => {
  const child = (child_flow ?? {}) as Child
  return [
    ...JSON.parse(states) as ReadonlyArray<string>,
    ...child.states ?? [],
    ...(child.transitions ?? []).flatMap(({ from, to }) => [from, to])
  ]
}

/** Looks for the mistake behind an empty list: a queue that the scope does not have, or a scope with nothing in it. */
export const doubt = Effect.fnUntraced(function*(api: Client, { scope }: Server, asked: ReadonlyArray<string>) {
  const { machines, projects, queues, ...overview } = yield* api.overview.read({ query: {} })
  const scopeName = line(overview.scope)
  if (asked.some((queue) => !usual.has(queue) && !Object.hasOwn(queues, queue))) {
    const { flows } = yield* api.flows.list({ query: {} })
    const known = new Set([...usual, ...Object.keys(queues), ...flows.flatMap(statesOf)])
    const unknown = asked.find((queue) => !known.has(queue))
    if (unknown !== undefined) {
      return yield* usage(
        `The scope ${scopeName} has no queue ${line(unknown)}: no task is in it, and no flow has it. There are: ${
          [...known].map(line).join(", ")
        }.`
      )
    }
  }
  if (
    scope !== undefined && Object.keys(queues).length === 0 && machines.total === 0 && projects.total === 0
  ) {
    yield* Screen.note(
      styled("yellow", `The scope ${scopeName} has no tasks, machines or projects. Is that its name?`)
    )
  }
})
