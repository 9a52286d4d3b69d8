/** A request that fits, with one thing wrong: a field mutated, missing, too many, of another type, or just out of bounds. */
import type { Chance } from "../support/Chance.ts"
import type { Document, Schema } from "./Document.ts"
import type { Draft } from "./Request.ts"
import * as Values from "./Values.ts"

type Container = Record<string | number, unknown>

/** Every place of a value in a body. A frozen value is a number as it is written. */
const places = (value: unknown): Array<readonly [container: Container, key: string]> =>
  typeof value !== "object" || value === null || Object.isFrozen(value)
    ? []
    : Object.entries(value).flatMap(([key, item]) => [[value as Container, key] as const, ...places(item)])

/** Values at the bounds of a schema, and one beyond. */
const bounds = (schema: Schema): ReadonlyArray<unknown> => {
  const { anyOf = [], enum: only, maxItems, maximum, maxLength, minimum, minLength } = schema
  return [
    ...(minimum === undefined ? [] : [minimum - 1, minimum]),
    ...(maximum === undefined ? [] : [maximum, maximum + 1]),
    ...(minLength === undefined ? [] : ["x".repeat(minLength), "x".repeat(minLength - 1)]),
    ...(maxLength === undefined ? [] : ["x".repeat(maxLength), "x".repeat(maxLength + 1), "🐙".repeat(maxLength / 2)]),
    ...(maxItems === undefined ? [] : [Array.from({ length: maxItems + 1 }, () => "x")]),
    ...(only === undefined ? [] : [`${only[0]} `, String(only[0]).toUpperCase()]),
    ...anyOf.flatMap(bounds)
  ]
}

const odd = (value: unknown, random: Chance): unknown =>
  random.pick<() => unknown>([
    () => null,
    () => [value],
    () => ({ value }),
    () => typeof value === "string" ? Number(value) || 7 : JSON.stringify(value),
    () => typeof value === "string" ? ` ${value} ` : value === true,
    () => typeof value === "string" ? value.toUpperCase() : -1,
    () => `${typeof value === "string" ? value : JSON.stringify(value)}${Values.string(random)}`,
    () => Values.string(random),
    () => Values.string(random),
    () => Values.number(random),
    () => Values.any(random)
  ])()

type Mistake = (draft: Draft, random: Chance, document: Document) => void

const wrongField: Mistake = (draft, random) => {
  const all = places(draft.body)
  if (all.length === 0) {
    draft.body = Values.any(random)
    return
  }
  const [container, key] = random.pick(all)
  if (random.happens(0.2)) delete container[key]
  else container[key] = odd(container[key], random)
}

/** Also a field that the request would have left out. */
const outOfBounds: Mistake = (draft, random, document) => {
  const { properties = {} } = draft.operation.body === undefined ? {} : document.resolve(draft.operation.body.schema)
  const names = Object.keys(properties)
  if (names.length === 0) return wrongField(draft, random, document)
  const name = random.pick(names)
  const choices = [...bounds(document.resolve(properties[name])), odd("x", random)]
  draft.body = { ...draft.body as object, [name]: random.pick(choices) }
}

/** A list that is too long, from its present items: in the body, or joined by commas in the query. */
const longList: Mistake = (draft, random, document) => {
  const lists = places(draft.body).filter(([container, key]) => Array.isArray(container[key]))
  const length = random.pick([51, 101, 201, 501, 5000])
  if (lists.length > 0) {
    const [container, key] = random.pick(lists)
    const [item = "x"] = container[key] as ReadonlyArray<unknown>
    container[key] = Array.from({ length }, (_, n) => typeof item === "string" ? `${item}${n}` : item)
    return
  }
  const { properties = {} } = draft.operation.body === undefined ? {} : document.resolve(draft.operation.body.schema)
  const listed = Object.keys(properties).filter((name) =>
    bounds(document.resolve(properties[name])).some((value) => Array.isArray(value))
  )
  const queries = draft.operation.parameters.filter(({ in: place }) => place === "query")
  const names = Array.from({ length }, (_, n) => `x${n}`)
  if (listed.length > 0) draft.body = { ...draft.body as object, [random.pick(listed)]: names }
  else if (queries.length > 0) draft.query.unshift([random.pick(queries).name, names.slice(0, 500).join()])
  else wrongField(draft, random, document)
}

const extraField: Mistake = (draft, random) => {
  const isObject = typeof draft.body === "object" && draft.body !== null
  draft.body = Values.withKey(isObject ? draft.body as object : {}, Values.key(random), Values.any(random))
}

const wrongQuery: Mistake = (draft, random) => {
  const parameters = draft.operation.parameters.filter(({ in: place }) => place === "query")
  const { name, schema } = parameters.length === 0
    ? { name: Values.key(random), schema: {} }
    : random.pick(parameters)
  const value = Values.string(random)
  const near = bounds(schema)
  random.pick([
    () => draft.query.push([name, value]),
    () => draft.query.unshift([name, value]),
    () => draft.query.push([name, "1"], [name, value]),
    () => draft.query.push([`${name}[]`, value], [`${name}[]`, "2"]),
    () => draft.query.push([`${name}[0]`, value], [`${name}[a]`, value]),
    () => draft.query.push([Values.key(random), value]),
    () => draft.query.unshift([name, ""]),
    () => draft.query.unshift([name, near.length === 0 ? value : String(random.pick(near))]),
    () => draft.query.unshift([name, String(random.pick([-1, 0, 1e15, "999999999999999", "-999999999999999"]))])
  ])()
}

const wrongPath: Mistake = (draft, random, document) => {
  const names = Object.keys(draft.path)
  if (names.length === 0) return wrongQuery(draft, random, document)
  const name = random.pick(names)
  draft.path[name] = random.happens(0.7) ? Values.string(random) : `${draft.path[name]}${Values.string(random)}`
}

const wrongHeader: Mistake = (draft, random) => {
  const names = ["Idempotency-Key", "Idempotency-Key", "Prefer", "If-Match", "If-None-Match", "Range", "X-Request-Id"]
  const value = random.happens(0.2) ? "k".repeat(random.pick([254, 255, 256, 5000])) : Values.string(random)
  draft.headers.push([random.pick(names), value])
}

const mistakes = [
  wrongField,
  wrongField,
  outOfBounds,
  outOfBounds,
  longList,
  extraField,
  wrongQuery,
  wrongPath,
  wrongHeader
] as const

/** The request with a mistake in it; now and then with two. */
export const mistaken = (draft: Draft, random: Chance, document: Document): Draft => {
  const copy = { ...draft, path: { ...draft.path }, body: structuredClone(draft.body) }
  random.pick(mistakes)(copy, random, document)
  if (random.happens(0.2)) random.pick([outOfBounds, wrongQuery, wrongHeader])(copy, random, document)
  return copy
}
