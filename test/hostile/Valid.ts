/**
 * Valid requests, made from the schemas of the document, and from the attacker's knowledge where a schema says too
 * little.
 */
import type { Chance } from "../support/Chance.ts"
import type { Document, Operation, Schema } from "./Document.ts"
import { idOf, type Known, type Record_ } from "./Known.ts"
import type { Caller, Draft } from "./Request.ts"
import { flag, instant, needed, sentences, words } from "./Words.ts"

interface Context {
  readonly random: Chance
  /** The record that the path names. */
  readonly subject: Record_ | undefined
}

const integer = ({ maximum = 1e9, minimum = 0 }: Schema, random: Chance) =>
  Math.min(maximum, Math.max(minimum, random.happens(0.9) ? random.between(0, 9) : random.between(0, 1_000_000)))

export const make = (document: Document, known: Known, fresh: () => string) => {
  /** The collection that a field refers to: `tasks` for `task_id`. */
  const referred = (name: string): string | undefined => {
    const [, word = name] = /(?:^|_)([a-z]+)_id$/.exec(name) ?? []
    const aliases: Record<string, string> = {
      blocked_by: "tasks",
      depends_on: "tasks",
      blocker: "tasks",
      thread_id: "messages"
    }
    const collection = aliases[name] ?? `${word}s`
    return known.knows(collection) && collection !== "scopes" ? collection : undefined
  }

  /** What the name of a field says about its value. */
  const named = (name: string, { random, subject }: Context): unknown => {
    if (name === "scope") return known.scope
    if (name === "id" || name === "file_path" || name === "external_key") return fresh()
    if (name === "blocker" && typeof subject?.blocked_by === "string") return subject.blocked_by.split(",")[0]
    if (name === "version" || name === "fencing_token") return subject?.[name] ?? 1
    const collection = referred(name)
    if (collection !== undefined) return known.id(random, collection)
    if (words[name] !== undefined) return words[name](random)
    return name.endsWith("_at") ? instant(random) : undefined
  }

  const bySchema = (schema: Schema, name: string, context: Context): unknown => {
    const { random } = context
    if (schema.contentSchema !== undefined) return JSON.stringify(value(schema.contentSchema, name, context))
    switch (schema.type) {
      case "object": {
        const required = new Set<string>(schema.required)
        const all = Object.entries<Schema>(schema.properties ?? {})
        const drawn = all.filter(([field]) =>
          required.has(field) || needed.has(field) || random.happens(field === "queue" ? 0.5 : 0.2)
        )
        const fields = drawn.length > 0 || all.length === 0 ? drawn : [random.pick(all)]
        return Object.fromEntries(fields.map(([field, schema]) => [field, value(schema, field, context)]))
      }
      case "array": {
        const length = random.between(0, 3)
        // Records as another server lists them: like those there are.
        if (schema.items === undefined && known.knows(name)) {
          return Array.from({ length }, () => ({ ...known.record(random, name), id: fresh(), file_path: fresh() }))
        }
        return Array.from({ length }, () => value(schema.items ?? { type: "string" }, name, context))
      }
      case "boolean":
        return random.happens(0.5)
      case "integer":
      case "number":
        return integer(schema, random)
      default:
        return random.pick(sentences).slice(0, schema.maxLength).replace(
          "\n",
          schema.maxLength === undefined ? "\n" : " "
        )
    }
  }

  const value = (unresolved: Schema, name: string, context: Context): unknown => {
    const schema = document.resolve(unresolved)
    const { random } = context
    if (schema.enum !== undefined) return random.pick(schema.enum)
    if (schema.type === "null") return null
    const options = (schema.anyOf ?? schema.oneOf)?.map(document.resolve) as ReadonlyArray<Schema> | undefined
    if (options !== undefined) {
      const wanted = options.filter(({ enum: only, type }) => type !== "null" && only?.[0] !== "")
      return random.happens(0.05)
        ? value(random.pick(options), name, context)
        : value(random.pick(wanted), name, context)
    }
    const said = schema.type === "array" || schema.type === "object" ? words[name]?.(random) : named(name, context)
    if (said === undefined) return bySchema(schema, name, context)
    return schema.contentSchema !== undefined
      ? JSON.stringify(said)
      : schema.type === "string"
      ? typeof said === "object" ? JSON.stringify(said) : String(said)
      : said
  }

  /** A request for the operation that should succeed, if its record is in a state that allows it. */
  return (operation: Operation, caller: Caller, random: Chance): Draft => {
    const about = operation.subject === undefined ? undefined : operation.named[operation.subject]!
    const asked = operation.body && document.resolve(operation.body.schema)
    // A call that needs a lease is made about a task that has one.
    const held = asked?.required?.includes("fencing_token") ? ["fencing_token"] : []
    const context: Context = { random, subject: about === undefined ? undefined : known.record(random, about, held) }
    const path: Record<string, string> = {}
    const query: Draft["query"] = []
    const headers: Draft["headers"] = []
    for (const { in: place, name, required, schema } of operation.parameters) {
      if (place === "path") {
        path[name] = name === operation.subject && context.subject !== undefined
          ? idOf(context.subject)!
          : String(value(schema, name, context))
      } else if (required || random.happens(name === "scope" && caller !== "key" ? 1 : 0.15)) {
        const isFlag = place === "query" && document.resolve(schema).type === "boolean"
        const text = isFlag
          ? flag(random)
          : String(name === "Idempotency-Key" ? fresh() : value(schema, name, context))
        if (place === "query") query.push([name, text])
        else headers.push([name, text])
      }
    }
    const body = operation.body && (operation.body.required || random.happens(0.6))
      ? value(operation.body.schema, "", context)
      : undefined
    return { operation, caller, path, query, headers, body }
  }
}
