/**
 * Sends a server what no client would: `npm run fuzz -- [--requests 20000] [--seed 7]`. The requests are made from the
 * server's own OpenAPI document, and every answer is held against it. Exits with 1 if one is not as it has to be.
 *
 * Without more the server runs in process; `--workerd` starts the Worker in workerd, and `--url http://localhost:8787`
 * attacks one that runs, with its secret as `--key`: it makes scopes there and leaves them behind. `--open` starts a
 * server without a secret. `--seed 7 --until 1234` plays a run again up to that request, and shows it and its answer.
 */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Attack from "../test/hostile/Attack.ts"
import * as Curl from "../test/hostile/Curl.ts"
import * as InProcess from "../test/hostile/InProcess.ts"
import * as InWorkerd from "../test/hostile/InWorkerd.ts"
import { overSocket, type Transport } from "../test/hostile/Transport.ts"
import { Workerd } from "../test/support/harness.ts"
import * as Flags from "./flags.ts"

const flags = Flags.make(
  "npm run fuzz -- [--requests 20000] [--seed 7 [--until 1234]] [--workerd | --url http://localhost:8787 [--key …]] [--open]"
)
const values = flags.parse({
  requests: { type: "string", default: "20000" },
  seed: { type: "string" },
  until: { type: "string" },
  url: { type: "string" },
  key: { type: "string" },
  workerd: { type: "boolean", default: false },
  open: { type: "boolean", default: false }
})

const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : flags.whole("seed", values.seed)
const until = values.until === undefined ? undefined : flags.whole("until", values.until)
const requests = until === undefined ? flags.whole("requests", values.requests, 1) : until + 1
// A server that runs already has its own secret, or none.
const secret = values.url !== undefined
  ? values.key
  : values.open
  ? undefined
  : "a secret for a server that is attacked"
const config: Record<string, string> = secret === undefined ? {} : { API_SECRET_KEY: secret }
// A server that runs already may have seen this seed before.
const prefix = values.url === undefined ? "" : `fuzz-${seed}-${Date.now().toString(36)}-`

const MaxShown = 20
const Progress = 5000

const attack = (transport: Transport) =>
  Effect.promise(async () => {
    console.log(`seed: ${seed}`)
    const { tally, violations } = await Attack.run({
      transport,
      secret,
      seed,
      requests,
      prefix,
      hear: (number, request, answer) => {
        if (number === until) console.log(`${Curl.render(request)}\n${answer.status} ${answer.text}`)
        else if (number % Progress === Progress - 1) console.log(`${number + 1} requests`)
      }
    })
    for (const { number, problems, request } of violations.slice(0, MaxShown)) {
      console.log(`\nviolation: ${problems.join("; ")}`)
      console.log(request === "" ? "found at the end" : `${request}\nreplay: --seed ${seed} --until ${number}`)
    }
    for (const line of tally.distribution) console.log(line)
    console.log(tally.summary(violations.length))
    if (violations.length > 0) process.exitCode = 1
  })

const url = values.url
await Effect.runPromise(
  url !== undefined
    ? attack({ send: overSocket(url) })
    : values.workerd
    ? Effect.flatMap(InWorkerd.make, attack).pipe(Effect.provide(Workerd.layerWith(config)))
    : Effect.scoped(Effect.flatMap(InProcess.make(config), attack)).pipe(Effect.provide(TestClock.layer()))
)
