/** A night of work on the installed package, with kills: `npm run prove -- night`. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Flags from "../flags.ts"
import * as Package from "./night/Package.ts"
import * as Play from "./night/Play.ts"
import * as Processes from "./night/Processes.ts"
import * as Verdict from "./night/Verdict.ts"

const { values, ...flags } = Flags.read({
  run: "npm run prove -- night",
  does:
    `Packs this checkout, installs the tarball with npm in an empty folder on the Node of the machine, and plays a night against
"npx octopoid-server serve" there: machines with workers, reviewers, a planner, a person who answers questions, a reader of the feed, watch, a
webhook and an export. Everything is a process of the installed package. Meanwhile serve is killed (SIGKILL) at moments that the seed draws, and
started again on the same folder and port, and so are workers and the reader. In the morning each acknowledged change has to be there once, every
task has to have come to its planned end, and the two exports have to come back into empty folders. Exits with 1 if not.`,
  takes: "about 3 minutes for 10 kills on 2 idle cores",
  options: {
    kills: { type: "string", value: "n", default: "10", says: "how often serve is killed" },
    seed: {
      type: "string",
      value: "n",
      says: "chooses the tasks and the moments of the kills; a random one unless given"
    },
    keep: { type: "boolean", default: false, says: "keeps the folder of the night, also if nothing is wrong" }
  }
})
const kills = flags.whole("kills", values.kills, 1)
const seed = values.seed === undefined ? Date.now() % 1_000_000 : flags.whole("seed", values.seed)

const folder = mkdtempSync(join(tmpdir(), "octopoid-night-"))
const wrongs: Array<string> = []
const wrong = (what: string) => void wrongs.push(what)
console.log(`seed: ${seed}, in ${folder}`)
const installed = await Package.install(folder)
console.log(`The package is installed, on Node ${installed.version}.`)
const options = { installed, kills, seed, say: console.log, wrong }
let isOver = false
// Nothing of a night that is broken off goes on.
process.once("exit", () => {
  if (!isOver) { for (const one of Processes.leftOver(folder)) process.kill(Number(one.split(" ")[0]), "SIGKILL") }
})
process.once("SIGINT", () => process.exit(130))

const night = await Play.play(options)
const { acknowledged, events, lost, violations } = Verdict.verdict(night)
const middle = await Play.restored(options, night.middle, "restored-middle")
const last = await Play.restored(options, night.last, "restored-last")
violations.push(
  ...wrongs,
  ...Verdict.missing(night),
  ...Verdict.unequalLater(night.middle, middle),
  ...Verdict.unequal(night.last, last)
)
await sleep(1000)
violations.push(...Processes.leftOver(folder).map((one) => `Still running: ${one}`))
isOver = Processes.leftOver(folder).length === 0

const MaxShown = 50
const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).sort(([one], [other]) => one.localeCompare(other)).map(([kind, n]) => `${kind} ${n}`).join(
    ", "
  )
const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, n) => all + n, 0)
for (const one of lost.slice(0, MaxShown)) console.error(`lost: ${one}`)
for (const one of violations.slice(0, MaxShown)) console.error(`violation: ${one}`)
console.log(`acknowledged: ${listed(acknowledged)}`)
console.log(`events: ${listed(events)}`)
console.log(
  `webhook: ${night.delivered.length} messages accepted, ${new Set(night.delivered).size} of them different, `
    + `${night.refusedMessages} refused; refused results left in outboxes: ${night.left.length}`
)
console.log(
  `kills: ${kills} (${night.earlyKills} before it was ready, ${night.wholeKills} together with workerd), refused starts: `
    + `${night.refusedStarts}, kills of workers and the reader: ${night.handKills}`
)
console.log(
  `tasks: ${night.listed.length}, events: ${night.latest}, acknowledged: ${sum(acknowledged)}, lost: ${lost.length}, `
    + `violations: ${violations.length}, ${night.seconds.toFixed(0)} s`
)
const isWrong = lost.length + violations.length > 0
process.exitCode = isWrong ? 1 : 0
if (isWrong || values.keep) console.log(`The folder of the night is ${folder}`)
else rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
