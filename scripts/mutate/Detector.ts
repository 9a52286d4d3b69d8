/** What may find a planted fault out. */

/** Tests to run one after the other until one fails: a file, and the name of those that count, if not all do. */
export interface Tests {
  readonly file: string
  readonly name?: string
}

export interface Detector {
  readonly name: string
  readonly tests: ReadonlyArray<Tests>
  /** Whether it only informs: a fault that nothing else finds survives. */
  readonly informs?: boolean
}

/** The properties: real SQL against a model, under random sequences of commands. */
const properties: Detector = {
  name: "properties",
  tests: [
    { file: "test/state-machine.test.ts", name: "every sequence of commands" },
    { file: "test/explain.test.ts" },
    { file: "test/services/Outcomes.test.ts", name: "is in SQL what the rule says" },
    { file: "test/services/DependencyRules.test.ts", name: "agree with the model after every command" }
  ]
}

/** Many machines at once, and all that befalls them. */
const simulator: Detector = { name: "simulator", tests: [{ file: "test/simulation/simulation.test.ts" }] }

/** The examples: what each service and each endpoint does, one by one. */
const examples: Detector = {
  name: "examples",
  tests: [{ file: "test/services" }, { file: "test/http" }, { file: "test/domain" }],
  informs: true
}

export const detectors: ReadonlyArray<Detector> = [properties, simulator, examples]
