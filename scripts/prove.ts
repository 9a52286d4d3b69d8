/** The long tests, each by its name: `npm run prove -- crash`. */

const proofs: Readonly<Record<string, readonly [does: string, load: () => Promise<unknown>]>> = {
  crash: ["kills workerd under load and looks for lost answers", () => import("./prove/crash.ts")],
  fuzz: ["sends requests that no client would send", () => import("./prove/fuzz.ts")],
  mutate: ["plants faults in the server and looks whether the tests find them", () => import("./prove/mutate.ts")],
  night: [
    "plays a night on the installed package, with kills, and looks for lost work",
    () => import("./prove/night.ts")
  ],
  simulate: ["plays fleets of machines against faults, in virtual time", () => import("./prove/simulate.ts")],
  soak: ["keeps the server under load and watches its latency and memory", () => import("./prove/soak.ts")]
}

const help = `Usage: npm run prove -- <name> [options]

${Object.entries(proofs).map(([name, [does]]) => `  ${name.padEnd(8)}  ${does}`).join("\n")}

"npm run prove -- <name> --help" describes its options and how long it takes.`

const [name = "--help"] = process.argv.slice(2)
const proof = proofs[name]
if (proof !== undefined) {
  // The script reads the options that follow its name.
  process.argv.splice(2, 1)
  await proof[1]()
} else if (name === "--help") console.log(help)
else {
  console.error(`There is no proof ${name}.\n${help}`)
  process.exitCode = 2
}
