/** What may find a planted fault out. */
import { existsSync } from "node:fs"
import type { Fault } from "../../../test/mutation/Fault.ts"
import * as simulation from "./simulation.ts"
import * as tests from "./tests.ts"
import type { Verdict } from "./Verdict.ts"

/** A file of tests, and a part of the title of those that count, if not all do. */
export interface Tests {
  readonly file: string
  readonly name?: string
}

export interface Detector {
  readonly name: string
  /** Whether it is there; otherwise it is left out. */
  readonly isThere: boolean
  /** Whether it only informs: a fault that nothing else finds survives. */
  readonly informs: boolean
  /** The tests that it runs, if it runs tests. */
  readonly tests: ReadonlyArray<Tests>
  /** Whether it can find the fault at all. */
  readonly isFor: (fault: Fault) => boolean
  /** Looks at a copy of the repository. The same seed finds the same. */
  readonly detect: (directory: string, seed: number) => Promise<Verdict>
}

const onAnyEngine = ({ engine }: Fault) => engine === undefined

const byTests = (name: string, informs: boolean, files: ReadonlyArray<Tests>): Detector => ({
  name,
  informs,
  tests: files,
  isFor: onAnyEngine,
  isThere: files.every(({ file }) => existsSync(file)),
  detect: (directory, seed) => tests.detect(files, directory, seed)
})

/** Real SQL against a model, under random sequences of commands, and the tests of access. Asked until one fails. */
const properties = byTests("properties", false, [
  { file: "test/state-machine.test.ts", name: "every sequence of commands" },
  { file: "test/explain.test.ts" },
  { file: "test/services/Outcomes.test.ts", name: "is the same in SQL and in the rule" },
  { file: "test/services/DependencyRules.test.ts", name: "agree with the model after every command" },
  // What the model does not know: keys, headers, files, and how long requests and answers are.
  { file: "test/services/Access.test.ts", name: "a refused token is looked up again" },
  { file: "test/http/KeyEnds.test.ts" },
  { file: "test/http/Idempotency.test.ts", name: "two API keys of a scope" },
  { file: "test/import/export.test.ts", name: "is refused as a whole if it has a record of another scope" },
  { file: "test/http/Origin.test.ts" },
  { file: "test/services/Settings.test.ts" },
  { file: "test/http/Lists.test.ts", name: "is refused in a query" },
  { file: "test/http/Conditional.test.ts", name: "after the oldest entries of a history were removed" },
  { file: "test/http/ExportBytes.test.ts", name: "ends at about 2 MB of" },
  { file: "test/http/PageBytes.test.ts", name: "of messages says where it begins" },
  { file: "test/domain/Instant.test.ts" },
  { file: "test/http/WellFormed.test.ts" },
  { file: "test/worker/WellFormed.test.ts" },
  { file: "test/worker/Clock.test.ts" },
  { file: "test/worker/Outbox.test.ts", name: "is handed in by the next worker" },
  // What no command of a model can tell apart.
  { file: "test/services/Backoff.test.ts", name: "is ended by the cron" },
  { file: "test/services/Deliveries.test.ts" },
  { file: "test/http/Webhooks.test.ts" },
  { file: "test/domain/Address.test.ts" },
  { file: "test/services/Reaping.test.ts", name: "tries the longest expired leases first" },
  { file: "test/services/Reaping.test.ts", name: "cannot be taken back" },
  { file: "test/services/RefusedCreate.test.ts" },
  { file: "test/http/Promote.test.ts" },
  { file: "test/http/ProjectGraph.test.ts" },
  { file: "test/http/Search.test.ts" },
  { file: "test/http/Bulk.test.ts" },
  { file: "test/http/Overview.test.ts" },
  { file: "test/http/Metrics.test.ts" },
  { file: "test/services/Statements.test.ts" },
  { file: "test/http/Statements.test.ts" }
])

/** What an agent runs beside the server: the tools by MCP, and the hooks of git. */
const agents = byTests("agents", false, [
  { file: "test/mcp/tools.test.ts" },
  { file: "test/githook/install.test.ts" },
  { file: "test/githook/fence.test.ts" },
  { file: "test/mcp/life.test.ts" }
])

const script = "scripts/prove/simulate.ts"
const runs = 20

/** Many machines at once, and all that befalls them. */
const simulator: Detector = {
  name: "simulator",
  informs: false,
  tests: [],
  isThere: existsSync(script),
  isFor: onAnyEngine,
  detect: (directory, seed) => simulation.detect([script], runs, directory, seed)
}

/** The same on Durable Objects. */
const simulatorOnObjects: Detector = {
  ...simulator,
  name: "objects",
  isFor: ({ engine }) => engine === "objects",
  detect: (directory, seed) => simulation.detect([script, "--engine", "objects"], runs, directory, seed)
}

/** The tests of sockets that wait for work. The simulator has few such sockets. */
const sockets: Detector = {
  ...byTests("sockets", false, [{ file: "test/objects/Waiting.test.ts" }, { file: "test/objects/Sockets.test.ts" }]),
  isFor: ({ engine }) => engine === "objects"
}

/** What each service and each endpoint does, one by one. */
const examples = byTests("examples", true, [
  { file: "test/services" },
  { file: "test/http" },
  { file: "test/domain" }
])

export const detectors: ReadonlyArray<Detector> = [
  properties,
  agents,
  simulator,
  simulatorOnObjects,
  sockets,
  examples
]
