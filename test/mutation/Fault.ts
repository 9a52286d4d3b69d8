/** A fault to plant in the server, which a test has to find. */
export type Fault = FileFault | StepFault | SymbolFault | ViewFault

interface Planted {
  /** Its name: `npm run prove -- mutate --only <name>`. */
  readonly name: string
  /** The promise that it breaks. */
  readonly breaks: string
  /** Set if only the server on Durable Objects can have the fault. */
  readonly engine?: "objects"
  /** The text that is replaced, which is there exactly once, and what replaces it. */
  readonly find: string
  readonly replace: string
}

/**
 * A fault in the SQL of a step of a batch (`src/sql/Batch.ts`), wherever that is written. `find` and `replace` are SQL as it is
 * written in `statement(…)`, with the names of its parameters; white space does not matter. It may be in several statements
 * of the step, once in each.
 */
export interface StepFault extends Planted {
  readonly step: string
}

/**
 * A fault in a declaration at the top of a module of the server: `renewAfterSeconds`; `Time.now`, where other modules declare a
 * `now` too; or `domain/Instant.millisOf`, where there are two such modules.
 */
export interface SymbolFault extends Planted {
  readonly symbol: string
}

/** A fault in a view of the schema. */
export interface ViewFault extends Planted {
  readonly view: string
}

/** A fault in any file, for what has no name. */
export interface FileFault extends Planted {
  readonly file: string
}
