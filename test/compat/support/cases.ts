/**
 * What a client of the old server sends and expects, as data. Each case has its own names: `{scope}` and `{id}` in its
 * requests and answers stand for them. So a case runs in workerd as if it were alone.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Workerd } from "../../support/harness.ts"

type Method = "DELETE" | "GET" | "HEAD" | "OPTIONS" | "PATCH" | "POST" | "PUT"

export interface Step {
  /** `POST /api/v1/tasks`, or a tick of the cron. */
  readonly send: `${Method} ${string}` | "cron"
  /** Sent as JSON, or as it is when it is text. */
  readonly body?: unknown
  /** Instead of `content-type: application/json`, which goes with every body. */
  readonly headers?: Readonly<Record<string, string>>
  /** Milliseconds to wait first, so that leases expire. */
  readonly after?: number
  /** How often to send it: `{n}` is 0, 1, 2 … in each. Every answer has to be as the step says. */
  readonly times?: number
  /** Sends them all at once, not one after another. */
  readonly together?: true
  /** 200 unless given; one of these when there are several. */
  readonly status?: number | ReadonlyArray<number>
  /** Part of the answer, which has to hold these values: `tasks.0.id`, `tasks.length` or just `id`. */
  readonly answer?: object
  /** Headers the answer has to carry, with these values. */
  readonly answerHeaders?: Readonly<Record<string, string>>
  /** Keys the answer must not have. */
  readonly absent?: ReadonlyArray<string>
  /** Part of the answer's `error`, which has to be text. */
  readonly error?: string
  /** Values to keep for later steps, by where they are in the answer: `{ message: "id" }` is `{message}` from then on. */
  readonly keep?: Readonly<Record<string, string>>
  /** What else has to hold. */
  readonly check?: (body: any, headers: Headers) => void
  /** What else has to hold of the answers to a step that is sent several times. */
  readonly checkAll?: (bodies: ReadonlyArray<any>) => void
}

export interface Case {
  /** The line of the contract this is about, in a few words. */
  readonly line: string
  readonly steps: ReadonlyArray<Step>
}

const at = (value: any, path: string) => path.split(".").reduce((part, key) => part?.[key], value)

/** Puts the names into every text of a value. */
const fill = (names: Readonly<Record<string, string>>) => {
  const named = <T>(value: T): T =>
    typeof value === "string"
      ? value.replace(/\{(\w+)\}/g, (all, name: string) => names[name] ?? all) as T
      : Array.isArray(value)
      ? value.map(named) as T
      : typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, part]) => [named(key), named(part)])) as T
      : value
  return named
}

let count = 0

/** The cases of one client, each a test, on a server with these secrets in its environment. */
export const compatible = (
  client: string,
  cases: ReadonlyArray<Case>,
  secrets: Readonly<Record<string, string>> = {}
) =>
  layer(Workerd.layerShared(secrets), { excludeTestServices: true, timeout: "10 minutes" })(client, (it) => {
    for (const { line, steps } of cases) {
      it.effect(line, () =>
        Effect.gen(function*() {
          const { fetch, tick } = yield* Workerd
          const names: Record<string, string> = { scope: `scope-${++count}`, id: `id-${count}` }
          const send = Effect.fnUntraced(function*(step: Step, extra: Readonly<Record<string, string>>) {
            const named = fill({ ...names, ...extra })
            const [method = "", path = ""] = named(step.send).split(/ (.*)/s)
            const body = step.body === undefined
              ? {}
              : { body: typeof step.body === "string" ? named(step.body) : JSON.stringify(named(step.body)) }
            const headers = named(
              step.headers ?? (step.body === undefined ? {} : { "content-type": "application/json" })
            )
            const response = yield* Effect.promise(() => fetch(`http://localhost${path}`, { method, headers, ...body }))
            const text = yield* Effect.promise(() => response.text())
            const what = `${method} ${path} answered ${response.status} ${text}`
            assert.include([step.status ?? 200].flat(), response.status, what)
            const answer = text === "" ? undefined : JSON.parse(text)
            for (const [path, expected] of Object.entries(named(step.answer ?? {}))) {
              assert.deepStrictEqual(at(answer, path), expected, `${path}: ${what}`)
            }
            for (const [name, expected] of Object.entries(step.answerHeaders ?? {})) {
              assert.strictEqual(response.headers.get(name), named(expected), `${name}: ${what}`)
            }
            for (const key of step.absent ?? []) assert.notProperty(answer, key, what)
            if (step.error !== undefined) {
              assert.isString(answer?.error, what)
              assert.include(answer.error, named(step.error), what)
            }
            for (const [name, path] of Object.entries(step.keep ?? {})) names[name] = String(at(answer, path))
            step.check?.(answer, response.headers as unknown as Headers)
            return answer
          })
          for (const step of steps) {
            if (step.after !== undefined) yield* Effect.sleep(step.after)
            if (step.send === "cron") {
              yield* tick
              continue
            }
            const times = Array.from({ length: step.times ?? 1 }, (_, n) => ({ n: String(n) }))
            const concurrency = step.together ? times.length : 1
            const answers = yield* Effect.forEach(times, (extra) => send(step, extra), { concurrency })
            step.checkAll?.(answers)
          }
        }))
    }
  })
