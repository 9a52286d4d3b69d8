/** A run: a victim is set up, a stranger sends everything it can think of, and afterwards all is as it has to be. */
import { isDeepStrictEqual } from "node:util"
import * as Checks from "./Checks.ts"
import * as Curl from "./Curl.ts"
import * as Document from "./Document.ts"
import * as Generator from "./Generator.ts"
import * as Integrity from "./Integrity.ts"
import { Known } from "./Known.ts"
import type { Answer, Caller, Request } from "./Request.ts"
import { Tally } from "./Tally.ts"
import type { Transport } from "./Transport.ts"
import * as Victim from "./Victim.ts"

export interface Options {
  readonly transport: Transport
  /** The server's secret; `undefined` is an open server. */
  readonly secret: string | undefined
  readonly seed: number
  readonly requests: number
  /** The prefix of the scopes and ids of this run, for servers that have seen other runs. */
  readonly prefix?: string
  /** Hears of each request and its answer. */
  readonly hear?: (number: number, request: Request, answer: Answer) => void
}

export interface Violation {
  /** The number of the request. A number after the last one marks what was found at the end. */
  readonly number: number
  readonly problems: ReadonlyArray<string>
  readonly request: string
}

const json = (text: string): any => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const run = async ({ hear, prefix = "", requests, secret, seed, transport }: Options) => {
  const open = secret === undefined
  const tokens: Record<Caller, string | undefined> = { administrator: secret, key: undefined, nobody: undefined }
  const bearer = (caller: Caller): ReadonlyArray<readonly [string, string]> =>
    tokens[caller] === undefined ? [] : [["authorization", `Bearer ${tokens[caller]}`]]

  const ask: Victim.Ask = async (method, target, body) => {
    const { status, text } = await transport.send({
      method,
      target,
      headers: [...bearer("administrator"), ["content-type", "application/json"]],
      body: body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    })
    if (status >= 300) throw new Error(`${method} ${target} is answered ${status}: ${text}`)
    return JSON.parse(text)
  }

  const scope = `${prefix}attacker`
  const victim = await Victim.make(ask, `${prefix}victim`)
  const login = async () => {
    tokens.key = (await ask("POST", `/api/v1/scopes/${scope}/keys`, { name: "attacker" })).api_key
  }
  await login()

  const state = async () => ({
    records: await victim.records(),
    rows: transport.query === undefined ? {} : await Integrity.rowsOf(transport.query, victim.scope)
  })
  const before = await state()

  const spec = await ask("GET", "/openapi.json")
  const document = Document.read(spec)
  const known = new Known(scope, victim.ids, document.operations)
  const generate = Generator.make({ seed, open, document, known, victim: victim.scope, prefix })
  const check = Checks.make(document, spec, open)
  const tally = new Tally(document.operations)
  const violations: Array<Violation> = []

  for (let number = 0; number < requests; number++) {
    const { random, request, subject } = generate(number)
    try {
      const written = transport.written?.()
      const answer = await transport.send({ ...request, headers: [...bearer(request.caller), ...request.headers] })
      const limited = request.caller === "key" || (request.caller === "nobody" && !open)
      const problems = [...check(request, answer, limited)]
      if (open && Checks.isOfForeignPage(request) && transport.written?.() !== written) {
        problems.push("a page of another origin has written")
      }
      if (problems.length > 0) violations.push({ number, problems, request: Curl.render(request) })
      tally.count(request.kind, request.operation, answer.status)
      hear?.(number, request, answer)
      // Records with odd names come of requests that are odd: what follows is about them as well.
      if (request.kind === "valid") known.learn(request.operation, subject, answer.status, json(answer.text))
      if (request.kind === "nearly") known.learn(request.operation, undefined, answer.status, json(answer.text))
      // Its key was revoked or rotated, as it has asked for.
      if (request.kind === "valid" && request.caller === "key" && answer.status === 401) await login()
    } catch (error) {
      violations.push({ number, problems: [`no answer: ${String(error)}`], request: Curl.render(request) })
    }
    if (random.happens(0.3)) await transport.pass?.(random.between(0, random.happens(0.02) ? 600_000 : 15_000))
  }

  const after = await state()
  const problems = isDeepStrictEqual(before, after) ? [] : ["the records of the victim have changed"]
  if (transport.query !== undefined) problems.push(...await Integrity.problems(transport.query))
  if (problems.length > 0) violations.push({ number: requests, problems, request: "" })
  return { tally, violations }
}
