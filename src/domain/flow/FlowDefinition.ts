/** Reads and checks a flow that a client registers: its columns, and the rules that follow from it. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { QueueName } from "../Identifier.ts"
import { InvalidFlow, MaxStates, MaxTransitions, type NewFlow } from "./Flow.ts"
import { aside, builtIn, type FlowRules, rulesOf, type Shape, type Transition } from "./FlowRules.ts"

export interface FlowDefinition {
  readonly states: ReadonlyArray<QueueName>
  readonly rules: FlowRules
  /** The JSON text of each column, as the client sent it. */
  readonly columns: {
    readonly description: string | null
    readonly states: string
    readonly transitions: string
    readonly child_flow: string | null
    readonly rules: string
  }
}

/** The states that a flow has to declare. Without them its tasks could not be created, claimed and finished. */
const required: ReadonlyArray<QueueName> = ["incoming", "claimed", "done"]

const isQueue = Schema.is(QueueName)
const isTransition = Schema.is(Schema.Struct({ from: QueueName, to: QueueName }))

/** The valid steps of a list. Problems with other items are added to `problems`. */
const readTransitions = (where: string, items: ReadonlyArray<unknown>, problems: Array<string>): Array<Transition> =>
  items.flatMap((item, i) => {
    if (isTransition(item)) return [{ from: item.from, to: item.to }]
    problems.push(`${where}[${i}] must be an object whose "from" and "to" are names of queues.`)
    return []
  })

const readChild = (child: { readonly [key: string]: unknown }, problems: Array<string>): Shape | undefined => {
  const { states, transitions } = child
  if (!Array.isArray(transitions) || transitions.length > MaxTransitions) {
    problems.push(`child_flow.transitions must be a list of at most ${MaxTransitions} transitions.`)
    return undefined
  }
  const steps = readTransitions("child_flow.transitions", transitions, problems)
  // Clients do not send the states of a child flow. Then its states are the queues that its steps name.
  if (states == null) return { states: [...new Set(steps.flatMap(({ from, to }) => [from, to]))], transitions: steps }
  if (!Array.isArray(states) || states.length > MaxStates || !states.every(isQueue)) {
    problems.push(`child_flow.states must be a list of at most ${MaxStates} names of queues.`)
    return undefined
  }
  return { states, transitions: steps }
}

/** Reports each step from or to a queue that the flow does not have. */
const checkEnds = (where: string, { states, transitions }: Shape, problems: Array<string>) => {
  const known = new Set([...states, ...builtIn, ...aside])
  for (const [i, transition] of transitions.entries()) {
    for (const end of ["from", "to"] as const) {
      if (known.has(transition[end])) continue
      problems.push(`${where}[${i}].${end}: "${transition[end]}" is not a state of this flow. Add it to its states.`)
    }
  }
}

export const readFlow = (input: NewFlow): Result.Result<FlowDefinition, InvalidFlow> => {
  const { states } = input
  const missing = required.find((state) => !states.includes(state))
  if (missing !== undefined) {
    return Result.fail(
      InvalidFlow.of([`Flow states must include built-in state "${missing}". Got: ${states.join(", ")}`])
    )
  }
  const problems: Array<string> = []
  const sent = input.child_flow || undefined
  const flow: Shape = { states, transitions: readTransitions("transitions", input.transitions, problems) }
  const child = sent === undefined ? undefined : readChild(sent, problems)
  // An invalid item has no index among the steps, so the indexes below are right only if all items are valid.
  if (problems.length === 0) {
    checkEnds("transitions", flow, problems)
    if (child !== undefined) {
      const states = [...flow.states, ...child.states]
      checkEnds("child_flow.transitions", { states, transitions: child.transitions }, problems)
    }
  }
  if (problems.length > 0) return Result.fail(InvalidFlow.of(problems))
  const rules = rulesOf(flow, child)
  return Result.succeed({
    states,
    rules,
    columns: {
      description: input.description || null,
      states: JSON.stringify(states),
      transitions: JSON.stringify(input.transitions),
      child_flow: sent === undefined ? null : JSON.stringify(sent),
      rules: JSON.stringify(rules)
    }
  })
}
