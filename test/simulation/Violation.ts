/** A promise of the server that did not hold. */
export class Violation extends Error {
  override readonly name = "Violation"
}

export const ensure: (holds: boolean, what: () => string) => asserts holds = (holds, what) => {
  if (!holds) throw new Violation(what())
}
