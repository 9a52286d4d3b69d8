/** What the processes of the night are told: `NIGHT`, JSON in the environment. */
export interface Setting {
  readonly name: string
  readonly url: string
  readonly key: string
  readonly scope: string
  readonly seed: number
  /** The folder of the journals. */
  readonly journal: string
  /** The folder that this process keeps: its outbox, or what it has read. */
  readonly own: string
  readonly machine?: string
  readonly queue?: string
  readonly types?: ReadonlyArray<string>
  readonly leaseSeconds?: number
  readonly concurrency?: number
}

export const setting: Setting = JSON.parse(process.env.NIGHT ?? "{}")

/** Draws numbers from 0 to 1 by the seed (xorshift): the package has nothing for that. */
export const drawing = (seed: number) => {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1
  return () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}
