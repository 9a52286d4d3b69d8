/** Sends a server requests that no client would send, and checks every answer: `npm run prove -- fuzz`. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Attack from "../../test/hostile/Attack.ts"
import * as Curl from "../../test/hostile/Curl.ts"
import * as InObjects from "../../test/hostile/InObjects.ts"
import * as InProcess from "../../test/hostile/InProcess.ts"
import * as InWorkerd from "../../test/hostile/InWorkerd.ts"
import { overSocket, type Transport } from "../../test/hostile/Transport.ts"
import type { Engine } from "../../test/support/Bundle.ts"
import * as Flags from "../flags.ts"

const { values, ...flags } = Flags.read({
  run: "npm run prove -- fuzz",
  does:
    `Makes requests from the server's OpenAPI document: valid ones, ones with a mistake, ones about records of another scope, and
garbage. Checks every answer against the document: no answer is a 500 or missing, and no text of another scope is in one.
The server runs in process unless --workerd or --url says otherwise. Exits with 1 if an answer is wrong.`,
  takes: "about 4 minutes for 20000 requests in process, and 8 with --workerd",
  options: {
    requests: { type: "string", value: "n", default: "20000", says: "how many requests are sent" },
    seed: { type: "string", value: "n", says: "chooses the requests; a random one unless given" },
    until: {
      type: "string",
      value: "n",
      says: "with the --seed of an earlier run: repeats it up to this request, and shows that and its answer"
    },
    engine: {
      type: "string",
      value: "engine",
      default: "d1",
      says: "d1, or objects: what the server that is started runs on"
    },
    workerd: { type: "boolean", default: false, says: "starts the built Worker in workerd" },
    url: {
      type: "string",
      value: "url",
      says: "attacks a running server; it makes scopes there and leaves them behind"
    },
    key: { type: "string", value: "secret", says: "the secret of the server at --url" },
    open: { type: "boolean", default: false, says: "starts a server without a secret" }
  }
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

if (values.engine !== "d1" && values.engine !== "objects") flags.refuse("--engine is d1 or objects.")
const engine = values.engine as Engine

const url = values.url
await Effect.runPromise(
  url !== undefined
    ? attack({ send: overSocket(url) })
    : values.workerd
    ? Effect.scoped(Effect.flatMap(InWorkerd.make(engine, config), attack))
    : engine === "objects"
    ? attack(InObjects.make(config))
    : Effect.scoped(Effect.flatMap(InProcess.make(config), attack)).pipe(Effect.provide(TestClock.layer()))
)
