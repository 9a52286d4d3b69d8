/** A request that fits, about records of the victim, or about none at all. */
import type { Chance } from "../support/Chance.ts"
import type { Known } from "./Known.ts"
import type { Draft } from "./Request.ts"

const collections: Record<string, string> = {
  task_id: "tasks",
  blocked_by: "tasks",
  linked_task_id: "tasks",
  project_id: "projects",
  linked_project_id: "projects",
  orchestrator_id: "orchestrators",
  parent_message_id: "messages",
  flow: "flows",
  role: "roles"
}

/**
 * An administrator may reach the victim, and a machine of the victim may claim elsewhere for it. So its requests name
 * another scope along with the victim's record in the path; otherwise they are about records that nobody has.
 */
export const make = (known: Known, victim: string) => {
  const idFor = (mayBeVictims: boolean, collection: string, random: Chance) =>
    mayBeVictims && random.happens(0.8) ? known.foreignId(random, collection) : known.nowhere(random)

  const inPath = (draft: Draft, random: Chance) => {
    const limited = draft.caller !== "administrator" || draft.query.some(([name]) => name === "scope")
    for (const name of Object.keys(draft.path)) {
      if (name === "scope") {
        if (draft.caller !== "administrator") draft.path[name] = victim
      } else {
        const collection = name === "blocker" ? "tasks" : draft.operation.named[name]!
        draft.path[name] = idFor(limited, collection, random)
      }
    }
  }

  const inBody = (draft: Draft, random: Chance) => {
    const body = draft.body
    if (typeof body !== "object" || body === null || Array.isArray(body)) return inPath(draft, random)
    const name = random.pick(Object.keys(collections))
    draft.body = { ...body, [name]: idFor(draft.caller !== "administrator", collections[name]!, random) }
  }

  const inQuery = (draft: Draft, random: Chance) => {
    const names = draft.operation.parameters.filter(({ in: place, name }) => place === "query" && name in collections)
    if (names.length === 0) return inPath(draft, random)
    const { name } = random.pick(names)
    draft.query.push([name, idFor(draft.caller !== "administrator", collections[name]!, random)])
  }

  const stated = (draft: Draft, random: Chance) => {
    if (draft.caller === "administrator") return inPath(draft, random)
    if (typeof draft.body === "object" && random.happens(0.5)) draft.body = { ...draft.body, scope: victim }
    else draft.query.unshift(["scope", victim])
  }

  return (draft: Draft, random: Chance): Draft => {
    const copy = { ...draft, path: { ...draft.path }, query: [...draft.query] }
    random.pick([inPath, inPath, inBody, inQuery, stated])(copy, random)
    return copy
  }
}
