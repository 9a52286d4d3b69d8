/** Chance that a seed and a number determine: request 7 of seed 3 draws the same whenever it is made. */
export interface Random {
  /** At least `min` and at most `max`. */
  readonly between: (min: number, max: number) => number
  /** True with this probability. */
  readonly chance: (probability: number) => boolean
  readonly pick: <A>(items: ReadonlyArray<A>) => A
}

export const make = (seed: number, index: number): Random => {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 0
  // mulberry32
  const real = () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (min: number, max: number) => min + Math.floor(real() * (max - min + 1))
  return {
    between,
    chance: (probability) => real() < probability,
    pick: (items) => items[between(0, items.length - 1)]!
  }
}
