/** What happened in a run: its last events, a hash of all of them, and how often each thing was seen. */
import { createHash } from "node:crypto"

const Kept = 40

type Noted = readonly [step: number, now: number, what: string]

const lineOf = ([step, now, what]: Noted) =>
  `${String(step).padStart(5)}  ${new Date(now).toISOString().slice(5, 23)}  ${what}`

const count = (map: Map<string, number>, what: string) => map.set(what, (map.get(what) ?? 0) + 1)

export const make = (print: boolean) => {
  const hash = createHash("sha256")
  const recent: Array<Noted> = []
  const faults = new Map<string, number>()
  const coverage = new Map<string, number>()
  let steps = 0

  return {
    faults,
    coverage,
    recent: () => recent.map(lineOf),
    steps: () => steps,
    step: () => {
      steps += 1
    },
    /** Writes down an event. All of them together are what two runs of a seed have in common. */
    note: (now: number, what: string) => {
      hash.update(`${steps} ${now} ${what}\n`)
      recent.push([steps, now, what])
      if (recent.length > Kept) recent.shift()
      if (print) console.log(lineOf([steps, now, what]))
    },
    fault: (what: string) => count(faults, what),
    saw: (what: string) => count(coverage, what),
    digest: () => hash.copy().digest("hex").slice(0, 16)
  }
}

export type Journal = ReturnType<typeof make>
