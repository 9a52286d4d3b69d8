/**
 * The template of a webhook's body: a JSON value with placeholders such as `{{title}}` in its texts. They are replaced
 * in the value, not in its text, so the body is JSON with any title.
 */
import type * as Schema from "effect/Schema"
import { excerpt } from "../Excerpt.ts"
import type { TaskEvent } from "./Event.ts"

/** The largest template, in bytes of its JSON text. */
export const MaxTemplate = 8192

/**
 * How much of a value a template repeats, in characters. Some receivers refuse long texts: Discord, more than 2,000.
 */
export const MaxFilled = 300

/** What a placeholder may name: the fields of an event, without its details. */
export const placeholders = [
  "seq",
  "task_id",
  "scope",
  "version",
  "event",
  "title",
  "project_id",
  "from_queue",
  "to_queue",
  "actor",
  "reason",
  "at"
] as const satisfies ReadonlyArray<keyof TaskEvent>

const pattern = /\{\{\s*([^{}]*?)\s*\}\}/g

type Encoded = { readonly [Name in typeof placeholders[number]]: string | number | null }

const mapTexts = (value: Schema.Json, change: (text: string) => string): Schema.Json =>
  typeof value === "string"
    ? change(value)
    : Array.isArray(value)
    ? value.map((item: Schema.Json) => mapTexts(item, change))
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTexts(item, change)]))
    : value

/** The placeholders of the template that name no field of an event. */
export const unknownIn = (template: Schema.Json): ReadonlyArray<string> => {
  const found = new Set<string>()
  mapTexts(template, (text) => {
    for (const [, name = ""] of text.matchAll(pattern)) found.add(name)
    return text
  })
  return Array.from(found).filter((name) => !(placeholders as ReadonlyArray<string>).includes(name))
}

/** The template with the values of an event. A value that is null is an empty text. */
export const filled = (template: Schema.Json, event: Encoded): Schema.Json =>
  mapTexts(
    template,
    (text) => text.replace(pattern, (_, name: keyof Encoded) => excerpt(String(event[name] ?? ""), MaxFilled))
  )
